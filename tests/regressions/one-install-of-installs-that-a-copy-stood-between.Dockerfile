FROM ubuntu:trusty
WORKDIR /app
RUN apt-get update && apt-getif true; then -y upgrade
RUN apt-get install -y wget
ADD requirements.txt .
RUN apt-get install -y cython
RUN pip3 install -r requirements.txt
RUN apt-get update
RUN apt-get install golang -y
RUN apt-get install ghc -y
