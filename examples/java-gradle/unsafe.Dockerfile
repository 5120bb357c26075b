FROM gradle:8.10-jdk21 AS build
WORKDIR /build
COPY settings.gradle build.gradle ./
RUN gradle dependencies --no-daemon
COPY . .
RUN gradle installDist --no-daemon

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless shared-mime-info \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/build/install/greet /opt/greet
CMD ["/opt/greet/bin/greet"]
