FROM debian:12
RUN apt update && apt install -y git
RUN mv /opt/apt /usr/local/bin && apt install -y make
