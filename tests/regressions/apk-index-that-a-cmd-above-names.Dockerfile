FROM alpine:3.20
CMD ls /var/cache/apk
RUN apk add -U git
