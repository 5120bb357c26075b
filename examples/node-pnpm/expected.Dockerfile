FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
RUN corepack enable && corepack prepare pnpm@9.15.9 --activate
COPY --chown=node:node package.json pnpm-lock.yaml ./
RUN pnpm install --frozen-lockfile --ignore-scripts
COPY --chown=node:node . .
USER node
CMD ["node", "wait.js", "90m"]
