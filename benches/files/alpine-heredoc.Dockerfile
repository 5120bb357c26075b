# syntax=docker/dockerfile:1.6
FROM alpine:3.20
ARG UID=1000
RUN apk update && apk add bash curl jq tzdata
RUN apk add --virtual .build-deps gcc musl-dev libffi-dev \
  && apk del .build-deps
RUN <<EOF
set -e
adduser -D -u "$UID" app
mkdir -p /srv/app
chown app:app /srv/app
EOF
COPY <<-"SCRIPT" /usr/local/bin/start
	#!/bin/sh
	exec /srv/app/run "$@"
SCRIPT
RUN chmod +x /usr/local/bin/start
USER app
CMD ["start"]
