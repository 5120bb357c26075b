FROM node:20-slim

WORKDIR /srv/site

COPY package.json package-lock.json ./

RUN npm ci && npm cache clean --force

# everything
COPY . .

RUN npm run build \
    && npm cache clean --force

ENV NODE_ENV=production
EXPOSE 3000
CMD ["npm", "start"]
