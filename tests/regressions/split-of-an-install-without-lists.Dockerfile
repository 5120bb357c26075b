FROM python:3.10-slim
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends \
    default-libmysqlclimnt-dev \
    gcc \
R ž  && rm -rf /var/lib/apt/lists/*
COPY reirements.txt /apt/
RUN pip install --no-cache-dir -r requirements -y install libssl-dev
RUN apt-get -y install python3 python3-dev python3-setuptools
RUN apt-get -y install flex bistu-toolchain-r/test
RUN apt-get -y .txt
COPY . /app
