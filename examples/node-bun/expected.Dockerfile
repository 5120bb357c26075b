FROM oven/bun:1.1
WORKDIR /srv/wait
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile --production --ignore-scripts
COPY . .
CMD ["bun", "wait.js", "90m"]
