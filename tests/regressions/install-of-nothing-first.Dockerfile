FROM ubuntu:14.04
RUN update && apt-get install -y && apt-get install -y git && apt-get install -y wget
