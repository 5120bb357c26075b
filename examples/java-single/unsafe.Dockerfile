FROM maven:3.9-eclipse-temurin-21 AS builder
WORKDIR /app
COPY pom.xml ./
RUN mvn -B dependency:go-offline
COPY . .
RUN mvn -B -DskipTests package

FROM eclipse-temurin:21-jre
WORKDIR /app
COPY . .
COPY --from=builder /app/target /app/target
CMD ["java", "-cp", "target/greet.jar", "com.example.Greet", "you"]
