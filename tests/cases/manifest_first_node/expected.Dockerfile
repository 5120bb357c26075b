# All of them at the same lines: the update is joined, the COPY passes it, the rest of the RUN stays below.
FROM node:20-bookworm-slim AS site
WORKDIR /site

# for the version
RUN apt-get update && apt-get install -y git

RUN npm install -g pnpm@9
COPY package.json package-lock.json ./
RUN npm ci
# the whole site
COPY . .
RUN npm run build

FROM node:20-bookworm-slim
WORKDIR /site
COPY package.json package-lock.json ./
RUN npm install --omit=dev && npm cache clean --force
COPY . .
COPY --from=site /site/public public
