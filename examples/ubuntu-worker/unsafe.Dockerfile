FROM ubuntu:22.04
ENV DEBIAN_FRONTEND=noninteractive

# Refresh the package index first, it is cached as a layer of its own
RUN apt-get update \
# --- build tools ---------------------------------------------------
# cmake is for dlib
    && apt-get install -y --no-install-recommends build-essential cmake ca-certificates \
# --- runtime -------------------------------------------------------
    && apt-get install -y --no-install-recommends \
      # fonts for the thumbnails
      fonts-dejavu-core \
      curl \
      imagemagick \
      python3-pip \
      python3-dev \
      python3-setuptools \
    && rm -rf /var/lib/apt/lists/*

RUN pip3 install --no-cache-dir --upgrade pip
ADD requirements.txt /worker/requirements.txt
RUN pip3 install --no-cache-dir -r /worker/requirements.txt
ADD . /worker
WORKDIR /worker

# dockeropt: skip=merge-run
RUN curl -fsS https://example.com/models/faces.tar.gz -o /tmp/faces.tar.gz && tar -C /worker -xzf /tmp/faces.tar.gz
RUN rm /tmp/faces.tar.gz

CMD python3 worker.py
