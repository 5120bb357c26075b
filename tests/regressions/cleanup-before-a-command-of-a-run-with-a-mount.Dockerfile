FROM debian:12
RUN --mount=type=cache,target=/x apt-get update && apt-get install -y gcc && ./configure
