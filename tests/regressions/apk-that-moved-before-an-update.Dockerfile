FROM alpine:3.20
RUN mkdir -m apk && ./x && apk update && apk add --no-cache git
