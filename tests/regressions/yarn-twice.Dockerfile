FROM node:10-alpine
RUN yarn --prefer-offline
RUN yarn --prefer-offline
