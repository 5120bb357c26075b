FROM php:8.3-apache-bookworm
COPY php.ini /usr/local/etc/php/
RUN apt-get update && apt-get install -y \
    libfreetype-dev \
    libicu-dev \
    libjpeg62-turbo-dev \
    libpng-dev \
    && rm -rf /var/lib/apt/lists/*
RUN docker-php-ext-configure gd --with-freetype --with-jpeg \
    && docker-php-ext-install -j$(nproc) gd intl pdo_mysql \
    && a2enmod rewrite
COPY src/ /var/www/html/
