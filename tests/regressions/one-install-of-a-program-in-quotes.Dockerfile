FROM ubuntu:16.04
RUN apt-get update && apt-g''et install -y git && apt-get install -y curl && apt-get install -y make
