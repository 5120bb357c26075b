# The web service. Build with: docker build --build-arg VERSION=1.4.2 .
FROM node:20-bookworm-slim

ENV NODE_ENV=production
WORKDIR /usr/src/app

# curl is for the health check, tini reaps the workers
RUN apt-get update && apt-get install -y --no-install-recommends curl tini ca-certificates \
    && rm -rf /var/lib/apt/lists/*

ARG VERSION=unknown

RUN npm install -g pm2@5 && npm cache clean --force
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
# Sources and manifests
COPY . .

LABEL org.opencontainers.image.version=$VERSION

USER node
EXPOSE 3000
HEALTHCHECK CMD curl --fail --silent http://localhost:3000/health || exit 1
ENTRYPOINT ["tini", "--"]
CMD ["pm2-runtime", "server.js"]
