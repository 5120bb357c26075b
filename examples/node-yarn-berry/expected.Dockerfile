FROM node:20-slim
WORKDIR /app
COPY package.json yarn.lock .yarnrc.yml ./
RUN corepack enable && yarn install --immutable
COPY . .
CMD ["node", "wait.js", "90m"]
