FROM ubuntu:22.04
USER builder
RUN sudo apt update -y && sudo apt install --no-install-recommends git ca-certificates openssh-client -y \
    && sudo rm -rf /var/lib/apt/lists/*
RUN sudo apt-get clean
