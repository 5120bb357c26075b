FROM debian:12
RUN apt-get update && apt-get install -y git && mv /opt/rm /usr/local/bin && rm /opt/x
