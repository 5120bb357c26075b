FROM node:20

WORKDIR /app

COPY . .
RUN npm install && npm cache clean --force
RUN npm run build

# the server
RUN npm install -g serve@14.2.4 && npm cache clean --force

EXPOSE 3000
CMD ["serve", "-s", "dist", "-l", "3000"]
