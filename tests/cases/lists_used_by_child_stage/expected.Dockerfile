FROM debian:bookworm-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends make

FROM base AS tools
RUN apt-get install -y --no-install-recommends patch

FROM base
COPY --from=tools /usr/bin/patch /usr/bin/
