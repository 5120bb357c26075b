FROM ubuntu:17.10
RUN -x && apt-get -y install curl && apt-get -y install openjdk-8-jdk --no-install-recommends
