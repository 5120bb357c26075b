FROM debian:bookworm
RUN <<EOF
apt-get update
apt-get install -y make
EOF
COPY <<EOF /etc/motd
RUN apt-get update
EOF
RUN apt-get update && apt-get install -y patch
RUN ["apt-get", "install", "-y", "diffutils"]
