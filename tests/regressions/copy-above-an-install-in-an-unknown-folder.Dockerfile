FROM golang
COPY configs /config
RUN apt-get update && cd && apt-get install -y curl
