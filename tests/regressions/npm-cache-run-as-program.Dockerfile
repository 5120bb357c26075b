FROM debian:12
RUN npm install requirements.txt
RUN ~/.npm
