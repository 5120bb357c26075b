FROM ubuntu
RUN apt-get update
RUN apt-get install -y apt-utils
RUN apt-get install -y --no-install-recommends openjdk-7-jdk
