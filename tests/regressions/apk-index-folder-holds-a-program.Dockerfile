FROM alpine:3.7
RUN apk add -U tzdata && /var/lib/apk/cachemezone
