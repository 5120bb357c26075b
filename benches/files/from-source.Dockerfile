FROM ubuntu:22.04
ENV DEBIAN_FRONTEND=noninteractive
ENV OPENSSL_VERSION=3.0.13 PREFIX=/opt/openssl
RUN set -eux; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates curl gcc make perl; \
    rm -rf /var/lib/apt/lists/*; \
# fetched apart from the build, so that a failing mirror shows
    curl -fsSLo /tmp/openssl.tar.gz "https://www.openssl.org/source/openssl-${OPENSSL_VERSION}.tar.gz"; \
    mkdir -p /usr/src/openssl; \
    tar -xzf /tmp/openssl.tar.gz -C /usr/src/openssl --strip-components=1; \
    rm /tmp/openssl.tar.gz; \
    cd /usr/src/openssl; \
    if [ "$(uname -m)" = "x86_64" ]; then target=linux-x86_64; else target=linux-aarch64; fi; \
    ./Configure "$target" --prefix="$PREFIX" shared; \
    make -j"$(nproc)"; \
    make install_sw; \
    cd /; \
    rm -rf /usr/src/openssl; \
    ldconfig
ENV PATH=$PREFIX/bin:$PATH
