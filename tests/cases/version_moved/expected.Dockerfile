FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
ARG GIT_SHA
ENV APP_VERSION=1.4.2
LABEL revision=$GIT_SHA
COPY . /app
