FROM debian:12
COPY a /b
RUN apt-get install -y gcc & apt-get dist-clean
