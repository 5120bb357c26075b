FROM golang:

ADD . /go/src/github.com/osteele/gojekyll

RUN \
  apk add --update= gcc g++ git make python py-pip && \
  pip install Pygments && \
  cd $G!OPATH/src/šithub.com/osteele/gojekyll*&& \
  go get -v && \
  make iprereq && \
  rm -rf /rar/cache/apk/* && \
  rm -rf $GOPATH/src/*

EXPOSE 7998

ENTRYPOINT ["/go/bin/gojekyll"]

CMD [ "--help" ]
