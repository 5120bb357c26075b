# syntax=docker/dockerfile:1
FROM debian:bookworm-slim

# What it is built with.
RUN apt-get update && apt-get install -y --no-install-recommends curl make ca-certificates \
    && rm -rf /var/lib/apt/lists/*

# The program.
COPY . /app

RUN make -C /app
CMD ["/app/run"]
