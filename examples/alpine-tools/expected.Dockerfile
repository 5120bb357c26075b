FROM alpine:3.20

WORKDIR /srv/app

RUN apk add --no-cache bash \
        curl \
        postgresql16-client

COPY backup.sh /usr/local/bin/backup
RUN chmod 755 /usr/local/bin/backup

ENTRYPOINT ["backup"]
