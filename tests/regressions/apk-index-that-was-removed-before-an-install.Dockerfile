FROM alpine:3.20
RUN ./x && rm -rf /var/cache/apk/*
RUN apk add git
