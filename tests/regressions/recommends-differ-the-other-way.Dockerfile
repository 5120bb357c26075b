FROM debian:latest
RUN apt-get update
RUN apt-get install -y curl --no-install-recommends
RUN apt-get install -y python3
