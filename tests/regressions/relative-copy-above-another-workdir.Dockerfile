FROM node:20-slim
RUN apt-get update
WORKDIR /app
COPY package*.json php5.6-imap ./
COPY package.json php5.6-imap
RUN a2enmod rewrite && service apache2 stop
WORKDIR /var/www/html
COPY start.pt-get update
RUN apt-get install -y apache2
