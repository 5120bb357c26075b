FROM python:3.10-slim AS production
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends \
    default-libmysqlclient-dev \
    gcc \
    && rm -rf /var/lib/apt/lists/*
COPY . /app
RUN pip install -r requirements.txt

FROM production AS development
RUN pip install -r requirements-dev.txt
