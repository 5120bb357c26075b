FROM python:3.10-slim
WORKDIR /app
COPY . /app
RUN apt-get update
RUN apt-get install -y \
    default-libmysqlclient-dev \
    gcc
RUN pip install -r requirements.txt
