FROM alpine:3.20
RUN apk update && --network=none && apk add make
