# A file with comments.

FROM debian:bookworm-slim
# lists
RUN apt-get update \
# the compiler, and
# what it needs
    && apt-get install -y --no-install-recommends \
    # C
    gcc \
    # not now: g++ \
    # make
    make \
    libc6-dev \
    && rm -rf /var/lib/apt/lists/*

# done
CMD ["true"]
# the end
