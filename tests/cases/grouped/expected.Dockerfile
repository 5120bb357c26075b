FROM debian:bookworm
RUN apt-get update || (sleep 5; apt-get update) \
    && { apt-get install -y make || { sleep 5; apt-get install -y make; }; } \
    && rm -rf /var/lib/apt/lists/*
RUN ./configure; make
