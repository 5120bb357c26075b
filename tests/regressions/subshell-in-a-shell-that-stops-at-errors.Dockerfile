FROM alpine:3.20
SHELL ["/bin/sh", "-ec"]
RUN apk update && (./configure; make)
RUN apk add git
