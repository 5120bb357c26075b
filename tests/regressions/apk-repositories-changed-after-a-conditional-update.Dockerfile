FROM alpine:3.20
RUN ./x || apk update
RUN echo edge >> /etc/apk/repositories
RUN apk add git
