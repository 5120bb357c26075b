FROM python:3.12-slim
RUN apt-get update && apt-get install -y make && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir flask
COPY . /app