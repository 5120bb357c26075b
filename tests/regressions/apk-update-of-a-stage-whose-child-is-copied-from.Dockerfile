FROM alpine:3.20 AS base
RUN apk update && apk upgrade
RUN apk add git

FROM base AS build
ARG VERSION
RUN make

FROM base
COPY --from=build /out/app-$VERSION /usr/bin/app
