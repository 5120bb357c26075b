FROM php:7.3-apache
RUN apt-get update && apt-get install -y wget & gcrypt11-dev && rm -r /var/lib/apt/lists/*
