FROM alpine:3.20
RUN apk add --no-cache \
      # for the health check
      curl \
      tini
COPY app /srv/app/
RUN apk add --no-cache --virtual .build-deps gcc musl-dev && \
    make -C /usr/src && \
    apk del .build-deps
ENTRYPOINT ["tini", "--"]
