FROM alpine:3.20
RUN apk update && mv /opt/apk /usr/local/bin && apk add --no-cache git
