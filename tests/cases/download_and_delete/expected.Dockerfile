FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -y wget ca-certificates && \
    rm -rf /var/lib/apt/lists/*
RUN wget -q https://example.com/tool.tar.gz && tar -xzf tool.tar.gz && rm tool.tar.gz
RUN rm -rf /var/lib/apt/lists/*
