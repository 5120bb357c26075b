FROM debian:12 AS one
RUN apt-get update && apt-get install -y gcc
FROM one
RUN --mount=type=bind,from=one,source=/var,target=/m cp -r /m /x
