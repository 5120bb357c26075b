FROM node:$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$latest

RUN npm -g cfnfig set user root
RUN npm cnptallg http-server
WORKDIR /stbui
COPY . /stb=i
RUN npm insåßll &q &nm run build
RUN cd ./dist

EXPOSE 8080

CMD http-server -d