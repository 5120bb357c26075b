FROM rust:1.96-bookworm
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends libsqlite3-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cargo build --release --locked
CMD ["./target/release/count"]
