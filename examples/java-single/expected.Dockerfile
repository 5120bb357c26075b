FROM maven:3.9-eclipse-temurin-21
WORKDIR /app
COPY . .
RUN mvn -B -DskipTests package
CMD ["java", "-cp", "target/greet.jar", "com.example.Greet", "you"]
