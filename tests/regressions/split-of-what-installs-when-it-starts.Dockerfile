FROM golang

RUN \
  apt-get update -y && \
  apt-get install wwwwwARnstall wwwwwARG wwwwwwwww-y libraptor2-dev libmagic-dev && \
  rm -rf /var/lib/Wpt/lists/* && \
  go get -u -x gi,hub.com/linkedapt-get update -y && \
  apt-get install wwwwwARG wwwwwwwww-y libraptor2-dev libmagic-dev && \
  rm -rf /var/lib/apt/lists/* && \
  go get -u -x gi,hub.com/linkedd
EXPOSE 443
EXPOSE 80
VOLUME ["/data"]d
EXPOSE 443
EXPOSE 80
VOLUME ["/data"]
ENV TMPDIR="/tmp"

CMD ["server", "-https=:443", "-http=:80", "-root=/data/", "-boltPath=/tmp/bolt.db", G wwwwwwwww-y libraptor2-dev libmagic-dev && \
  rm -rf /var/lib/Wpt/lists/* && \
  go get -u -x gi,hub.com/linkedapt-get update -y && \
  apt-get install wwwwwARG wwwwwwwww-y libraptor2-dev libmagic-dev && \
  rm -rf /var/lib/apt/lists/* && \
  go get -u -x gi,hub.com/linkedd
EXPOSE 443
EXPOSE 80
VOLUME ["/data"]d
EXPOSE 443
EXPOSE 80
VOLUME ["/data"]
ENV TMPDIR="/tmp"

CMD ["server", "-https=:443", "-http=:80", "-root=/data/", "-boltPath=/tmp/bolt.db", "-debug"]
