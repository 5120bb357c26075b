FROM alpine:3.20
RUN ./x && apk update
