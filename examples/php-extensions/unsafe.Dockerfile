FROM php:8.3-apache-bookworm AS builder
COPY php.ini /usr/local/etc/php/
RUN apt-get update && apt-get install -y --no-install-recommends \
    libfreetype-dev \
    libicu-dev \
    libjpeg62-turbo-dev \
    libpng-dev \
    && rm -rf /var/lib/apt/lists/*
RUN docker-php-ext-configure gd --with-freetype --with-jpeg \
    && docker-php-ext-install -j$(nproc) gd intl pdo_mysql \
    && a2enmod rewrite

FROM php:8.3-apache-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends \
    libfreetype6 \
    libjpeg62-turbo \
    libpng16-16 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local/lib/php/extensions /usr/local/lib/php/extensions
COPY --from=builder /usr/local/etc/php/conf.d /usr/local/etc/php/conf.d
COPY --from=builder /etc/apache2/mods-enabled /etc/apache2/mods-enabled
COPY php.ini /usr/local/etc/php/
COPY src/ /var/www/html/
