FROM composer:2
WORKDIR /app
COPY composer.json composer.lock ./
RUN composer install --no-dev --no-interaction --prefer-dist && composer clear-cache
COPY . .
CMD ["php", "greet.php"]
