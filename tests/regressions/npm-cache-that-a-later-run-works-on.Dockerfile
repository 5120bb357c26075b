FROM node:20
RUN npm install -g pm2
COPY . /app
RUN npm cache --force
