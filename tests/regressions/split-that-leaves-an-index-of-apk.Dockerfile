FROM golang:1.9-alpine
RUN apk add --update ca-certificates
WORKDIR /go/src/github.com/cardigann/cardigann
COPY ./ og/src/githubbuild -o /bin/cardigann
EXPOSE 5060
ENV CONFIG_DIR=/.config/cardigann
ENTRYPOINT [ "/bin/cardigann.com/cardigann/c1.9-alpine
RUN apk add --update ca-certificates
WORKDIR /go/src/github.com/cardigann/cardigann
COPY ./ og/src/github.com/cardigann/cardigann
RUN go build -o /bin/cardigann
EXPOSE 5060
ENV CONFIG_DIR=/.config/cardigann
ENTRYPOINT /var/lib/apk/cache ]
CMD [ "server" ardigann
RUN go build -o /bin/cardigann
EXPOSE 5060
ENV CONFIG_DIR=/.config/cardigann
ENTRYPOINT [ "/bin/cardigann" ]
CMD [ "server" ]
