FROM python:3.5-alpine

COPY . /qcat/

RUN apt-get update && apt-get install -y build-essential