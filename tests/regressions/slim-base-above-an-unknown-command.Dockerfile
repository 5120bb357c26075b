FROM ruby:3.3
ARG APP_VERSION=7
RUN apt- install -y gcc \
# not make

