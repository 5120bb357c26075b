# The machine on which everything is built.
FROM debian:bookworm
COPY . /opt/box
ENV LANG=en_US.UTF-8

# What most projects need
RUN apt-get update
RUN apt-get install -y \
    autoconf \
    automake \
    bison \
    cmake \
    flex \
    g++ \
    gettext \
    git \
    libbz2-dev \
    libcurl4-openssl-dev \
    libffi-dev \
    libgdbm-dev \
    libicu-dev \
    liblzma-dev \
    libncurses-dev \
    libreadline-dev \
    libsqlite3-dev \
    libssl-dev \
    libtool \
    libxml2-dev \
    libxslt1-dev \
    libyaml-dev \
    locales \
    ninja-build \
    pkg-config \
    python3 \
    python3-pip \
    python3-venv \
    rsync \
    sudo \
    uuid-dev \
    wget \
    xz-utils \
    zlib1g-dev \
    && sed -i 's/^# *\(en_US.UTF-8\)/\1/' /etc/locale.gen \
    && locale-gen

# A newer node than Debian has
RUN curl -fsSL https://packages.example.net/setup_20.x | bash - \
    && apt-get install -y nodejs \
    && npm install -g pnpm typescript

RUN pip3 install --break-system-packages black mypy pytest
RUN for tool in fmt vet; do echo "$tool" >> /etc/tools; done
RUN useradd -m -s /bin/bash dev && echo "dev ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/dev
USER dev
WORKDIR /home/dev
RUN git clone --depth 1 https://github.com/ohmyzsh/ohmyzsh.git ~/.oh-my-zsh
