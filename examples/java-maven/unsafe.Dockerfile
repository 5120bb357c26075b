FROM maven:3.9-eclipse-temurin-21 AS build
WORKDIR /build
COPY pom.xml ./
RUN mvn -B dependency:go-offline
COPY . .
RUN mvn -B -DskipTests package

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless shared-mime-info \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/target/greet.jar /greet.jar
CMD ["java", "-cp", "/greet.jar", "com.example.Greet", "you"]
