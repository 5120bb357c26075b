FROM php:7.1-apache
RUN apt-get update && apt-get install -y libpq-dev
ENTRYPOINT ["sh", "-c", "apt-get install -y libpng-dev"]
