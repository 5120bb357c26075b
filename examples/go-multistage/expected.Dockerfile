# syntax=docker/dockerfile:1

FROM golang:1.22-bookworm AS build
RUN apt-get update && apt-get install -y libsqlite3-dev
WORKDIR /src
COPY go.mod ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=1 go build -o /out/notes .

FROM debian:bookworm-slim
COPY --from=build /out/notes /usr/local/bin/notes
RUN apt-get update && apt-get install -y libsqlite3-0 ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home notes
USER notes
CMD ["notes"]
