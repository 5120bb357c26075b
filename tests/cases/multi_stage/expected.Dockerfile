FROM node:20 AS build
WORKDIR /app
RUN apt-get update && apt-get install -y python3
COPY . .
RUN npm ci
RUN npm run build

FROM node:20-slim AS base
RUN apt-get update && apt-get install -y dumb-init && rm -rf /var/lib/apt/lists/*

FROM base
WORKDIR /app
COPY --from=build /app/dist ./dist
COPY package*.json ./
RUN npm ci --omit=dev && npm cache clean --force
USER node
CMD ["dumb-init", "node", "dist/main.js"]
