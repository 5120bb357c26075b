use super::super::SplitStages;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, needs_unsafe_in};

fn go_project() -> Around {
    Around::files(&[
        ("go.mod", "module example.com/team/serve/v2\n\ngo 1.22\n"),
        ("go.sum", ""),
        ("main.go", ""),
        ("README.md", ""),
    ])
}

#[test]
fn a_program_of_go_needs_certificates() {
    needs_unsafe_in(
        &SplitStages,
        &go_project(),
        r#"
        FROM golang:1.22-bookworm
        WORKDIR /app
        ENV CGO_ENABLED=0
        COPY go.mod go.sum ./
        RUN go mod download
        COPY . .
        RUN go build -ldflags "-s -w" -o /usr/local/bin/serve .
        EXPOSE 8080
        CMD ["serve"]
        "#,
        r#"
        FROM golang:1.22-bookworm AS builder
        WORKDIR /app
        ENV CGO_ENABLED=0
        COPY go.mod go.sum ./
        RUN go mod download
        COPY . .
        RUN go build -ldflags "-s -w" -o /usr/local/bin/serve .

        FROM debian:bookworm-slim
        WORKDIR /app
        COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
        COPY --from=builder /usr/local/bin/serve /usr/local/bin/serve
        EXPOSE 8080
        CMD ["serve"]
        "#,
        "debian:bookworm-slim lacks",
    );
}

#[test]
fn files_that_are_read_when_it_runs_are_copied_again() {
    needs_unsafe(
        &SplitStages,
        r#"
        FROM golang:1.11-alpine3.8
        RUN apk add --no-cache git tzdata
        ADD . /go/src/example.com/team/serve
        WORKDIR /go/src/example.com/team/serve
        RUN go get -d ./... && go build
        CMD ["./serve"]
        "#,
        r#"
        FROM golang:1.11-alpine3.8 AS builder
        RUN apk add --no-cache git tzdata
        ADD . /go/src/example.com/team/serve
        WORKDIR /go/src/example.com/team/serve
        RUN go get -d ./... && go build

        FROM alpine:3.8
        RUN apk add --no-cache tzdata
        COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
        COPY --from=builder /usr/local/go/lib/time/zoneinfo.zip /usr/local/go/lib/time/zoneinfo.zip
        ADD . /go/src/example.com/team/serve
        WORKDIR /go/src/example.com/team/serve
        COPY --from=builder /go/src/example.com/team/serve/serve /go/src/example.com/team/serve/serve
        CMD ["./serve"]
        "#,
        "does not need go, git when it runs",
    );
}

#[test]
fn what_is_installed_is_found_in_its_folder() {
    needs_unsafe(
        &SplitStages,
        r#"
        FROM golang:1.22-bookworm
        ADD . /go/src/app
        RUN go install app
        ENTRYPOINT ["app"]
        "#,
        r#"
        FROM golang:1.22-bookworm AS builder
        ADD . /go/src/app
        RUN go install app

        FROM debian:bookworm-slim
        ENV PATH="/go/bin:$PATH"
        WORKDIR /go
        COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
        ADD . /go/src/app
        COPY --from=builder /go/bin/app /go/bin/app
        ENTRYPOINT ["app"]
        "#,
        "go when it runs",
    );
}

const LOCK: &str = "version = 3\n\n[[package]]\nname = \"shout\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"openssl-sys\"\nversion = \"0.9.1\"\n";

fn rust_project(lock: &str) -> Around {
    Around::files(&[
        ("Cargo.toml", "[package]\nname = \"shout\"\n"),
        ("Cargo.lock", lock),
        ("src/main.rs", ""),
        ("Rocket.toml", ""),
    ])
}

#[test]
fn a_program_of_rust_needs_what_its_crates_are_linked_to() {
    needs_unsafe_in(
        &SplitStages,
        &rust_project(LOCK),
        r#"
        FROM rust:1.83-bookworm AS shout
        WORKDIR /src
        COPY . .
        RUN cargo build --release --locked && cp target/release/shout /usr/local/bin/shout
        USER nobody
        CMD ["shout"]
        "#,
        r#"
        FROM rust:1.83-bookworm AS builder
        WORKDIR /src
        COPY . .
        RUN cargo build --release --locked && cp target/release/shout /usr/local/bin/shout

        FROM debian:bookworm-slim AS shout
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 \
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /src
        COPY . .
        COPY --from=builder /usr/local/bin/shout /usr/local/bin/shout
        USER nobody
        CMD ["shout"]
        "#,
        "cargo when it runs",
    );
}

#[test]
fn java_runs_without_the_compiler() {
    needs_unsafe_in(
        &SplitStages,
        &Around::files(&[
            ("pom.xml", "<plugin>spring-boot-maven-plugin</plugin>"),
            ("src/main/java/A.java", ""),
        ]),
        r#"
        FROM maven:3.9-eclipse-temurin-21
        WORKDIR /app
        COPY . .
        RUN mvn -B package
        EXPOSE 8080
        ENTRYPOINT ["java", "-jar", "target/app-1.0.jar"]
        "#,
        r#"
        FROM maven:3.9-eclipse-temurin-21 AS builder
        WORKDIR /app
        COPY . .
        RUN mvn -B package

        FROM eclipse-temurin:21-jre
        WORKDIR /app
        COPY --from=builder /app/target/app-1.0.jar /app/target/app-1.0.jar
        EXPOSE 8080
        ENTRYPOINT ["java", "-jar", "target/app-1.0.jar"]
        "#,
        "none of the tools of the JDK",
    );
}

#[test]
fn nothing_is_built() {
    ignores(
        &SplitStages,
        &[
            "FROM golang:1.22-bookworm\nCOPY . .\nCMD [\"bash\"]\n",
            "FROM golang:1.22 AS a\nRUN go build -o /a .\nFROM a\n",
        ],
    );
}

fn dotnet_project(sdk: &str) -> Around {
    Around::files(&[
        ("Greet.csproj", &format!("<Project Sdk=\"{sdk}\"/>")),
        ("Program.cs", ""),
        ("appsettings.json", ""),
    ])
}

#[test]
fn dotnet_runs_without_the_sdk() {
    needs_unsafe_in(
        &SplitStages,
        &dotnet_project("Microsoft.NET.Sdk"),
        r#"
        FROM registry.example.com/dotnet/sdk:8.0
        WORKDIR /src
        COPY . .
        RUN dotnet publish Greet.csproj -c Release -o /app
        WORKDIR /app
        ENTRYPOINT ["dotnet", "Greet.dll"]
        "#,
        r#"
        FROM registry.example.com/dotnet/sdk:8.0 AS builder
        WORKDIR /src
        COPY . .
        RUN dotnet publish Greet.csproj -c Release -o /app

        FROM registry.example.com/dotnet/aspnet:8.0
        WORKDIR /src
        COPY . .
        COPY --from=builder /app /app
        WORKDIR /app
        ENTRYPOINT ["dotnet", "Greet.dll"]
        "#,
        "nothing of the SDK",
    );
}

#[test]
fn dotnet_refusals() {
    let file = |build: &str, start: &str| {
        format!("FROM registry.example.com/dotnet/sdk:8.0\nWORKDIR /src\nCOPY . .\nRUN {build}\n{start}")
    };
    const START: &str = "CMD [\"dotnet\", \"out/Greet.dll\"]\n";
    const BUILD: &str = "dotnet publish -o out";
    let console = dotnet_project("Microsoft.NET.Sdk");
    let cases = [
        (BUILD, "", "nothing says what the container starts"),
        (BUILD, "CMD [\"dotnet\", \"run\"]\n", "line 5 starts something of the SDK"),
        (BUILD, "CMD dotnet watch\n", "line 5 starts something of the SDK"),
        (BUILD, "CMD [\"dotnet\", \"/other/Greet.dll\"]\n", "which of the files that are built"),
        (
            BUILD,
            "RUN dotnet ef database update\nCMD [\"dotnet\", \"out/Greet.dll\"]\n",
            "it is not known what ef of dotnet",
        ),
        ("dotnet publish -c Release", START, "a folder that it doesn't name"),
        ("dotnet publish -o .", START, "into the folder of the project"),
        ("dotnet publish -o $OUT", START, "it is not known what line 4 builds"),
        ("dotnet run", START, "line 4 runs the program"),
        ("dotnet pack", START, "it is not known what pack of dotnet does"),
        ("msbuild", START, "it is not known what line 4 builds"),
        ("dotnet publish -o out && curl example.com", START, "line 4 does more than to build"),
        ("npm ci && dotnet publish -o out", START, "line 4 does more than to build"),
        (
            BUILD,
            "USER app\nRUN npm ci\nCMD [\"dotnet\", \"out/Greet.dll\"]\n",
            "it is not known what the RUN at line 6 needs",
        ),
        (BUILD, "ENTRYPOINT [\"./start\"]\n", "which of the files that are built"),
    ];
    for (build, start, reason) in cases {
        declines_in(&SplitStages, &console, &file(build, start), reason);
    }
    declines_in(&SplitStages, &dotnet_project("Microsoft.NET.Sdk.Web"), &file(BUILD, START), "another port");
    declines(&SplitStages, &[(&file(BUILD, START), "the project can't be read")]);
    for tag in ["8.0.100", "8.0-alpine", "latest"] {
        let file = file(BUILD, START).replace("sdk:8.0", &format!("sdk:{tag}"));
        declines_in(&SplitStages, &console, &file, "no runtime of the same version");
    }
}

#[test]
fn words_that_are_no_programs_of_the_build() {
    let file = |behind: &str| {
        format!("FROM golang:1.22-bookworm\nRUN go install example.com/serve@latest\n{behind}")
    };
    declines(
        &SplitStages,
        &[
            (&file("CMD tar cvzf - .\n"), "which of the files that are built"),
            (&file("CMD S\"server\"]\n"), "in which COPY reads more than a name"),
            (&file("USER nobody\nCMD [\"serve\"]\n"), "may write to the folder that the base sets"),
            (&file("RUN mkdir x\nCMD [\"serve\"]\n"), "works in a folder that only the base knows"),
            (&file("WORKDIR /app\nADD tool.sh .\nCMD [\"tool.sh\"]\n"), "which of the files that are built"),
            (&file("CMD [\"echo\", \"serve\"]\n"), "which of the files that are built"),
        ],
    );
    needs_unsafe(
        &SplitStages,
        &file(
            "\nLABEL a=b\n\nRUN go install example.com/other@latest\nWORKDIR /go/bin\nENTRYPOINT [\"serve\", \"-at\", \"0.0.0.0:80\"]\n",
        ),
        "FROM golang:1.22-bookworm AS builder\nRUN go install example.com/serve@latest\n\nRUN go install example.com/other@latest\n\n\
         FROM debian:bookworm-slim\nLABEL a=b\nENV PATH=\"/go/bin:$PATH\"\n\
         COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\n\
         COPY --from=builder /go/bin/serve /go/bin/serve\nWORKDIR /go/bin\nENTRYPOINT [\"serve\", \"-at\", \"0.0.0.0:80\"]\n",
        "go when it runs",
    );
}

/// A file for Go with a step before the build, and what it starts.
fn go(before: &str, build: &str, behind: &str) -> String {
    format!("FROM golang:1.22-bookworm\nWORKDIR /app\n{before}COPY . .\nRUN {build}\n{behind}")
}

#[test]
fn go_refusals() {
    const START: &str = "CMD [\"./serve\"]\n";
    let cases = [
        (go("", "go build -o serve .", ""), "nothing says what the container starts"),
        (
            go("", "go build -o serve .", "CMD [\"go\", \"run\", \".\"]\n"),
            "line 5 starts go, which only the builder has",
        ),
        (
            go("", "go build -o serve .", "CMD go test ./...\n"),
            "line 5 starts go, which only the builder has",
        ),
        (
            go("", "go install example.com/air@latest && go build -o serve .", "CMD [\"air\"]\n"),
            "line 5 starts air",
        ),
        (go("", "go build -o serve .", "CMD [\"./other\"]\n"), "which of the files that are built"),
        (
            go("", "go build -o serve .", "ENTRYPOINT [\"./entrypoint.sh\"]\nCMD [\"./serve\"]\n"),
            "what ./entrypoint.sh is",
        ),
        (go("", "go generate ./... && go build -o serve .", START), "line 4 generates files"),
        (go("", "go build -buildmode=plugin -o serve .", START), "something else than a program"),
        (go("", "go build -o $OUT .", START), "it is not known what line 4 builds"),
        (go("", "go build -o bin/ ./...", START), "a folder that may hold other files"),
        (go("", "go build -C cmd -o serve .", START), "in an unusual way"),
        (
            go("", "make build", &format!("RUN go build -o serve .\n{START}")),
            "line 4 does more than to build",
        ),
        (go("", "go build -o serve . && ./serve --init", START), "line 4 does more than to build"),
        (
            go("RUN curl -o /data/x https://example.com/x\n", "go build -o serve .", START),
            "line 3 does more than to build",
        ),
        (go("RUN mkdir /data\n", "go build -o serve .", START), "line 3 does more than to build"),
        (go("RUN go version > /go.txt\n", "go build -o serve .", START), "line 3 does more than to build"),
        (go("RUN usermod -aG audio games\n", "go build -o serve .", START), "line 3 does more than to build"),
        (go("USER app\n", "go build -o serve .", START), "line 3 stands before the build"),
        (go("VOLUME /data\n", "go build -o serve .", START), "line 3 stands before the build"),
        (
            go("COPY --from=example.com/tool /x /x\n", "go build -o serve .", START),
            "line 3 copies from another image",
        ),
        (go("", "go build -o serve .", "CMD $GOPATH/bin/serve\n"), "it is not known what line 5 starts"),
        (go("", "go build -o serve .", "ENV DATA=$GOPATH/data\nCMD [\"./serve\"]\n"), "line 5 reads GOPATH"),
        (
            go("", "go build -o serve .", "RUN go vet ./...\nCMD [\"./other\"]\n"),
            "which of the files that are built",
        ),
        (
            go("RUN apt-get update && apt-get install -y libfoo-dev\n", "go build -o serve .", START),
            "which library libfoo-dev is for",
        ),
        (
            "FROM golang:1.22\nWORKDIR /app\nCOPY . .\nRUN go build\nCMD [\"./app\"]\n".to_owned(),
            "is in a go.mod that can't be read",
        ),
        (
            "FROM golang:nightly\nWORKDIR /app\nCOPY . .\nRUN go build -o x\nCMD [\"./x\"]\n".to_owned(),
            "which release of Debian",
        ),
        (
            "FROM golang:1.22-bookworm\nWORKDIR src\nCOPY . .\nRUN go build -o /x\nCMD [\"/x\"]\n".to_owned(),
            "it is not known",
        ),
        (go("", "go build -o serve .", "RUN gcc x.c\nCMD [\"./serve\"]\n"), "it is not known what gcc needs"),
        (
            go(
                "RUN apt-get update && apt-get install -y sqlite3\n",
                "go build -o serve .",
                "RUN ./serve --init\nCMD [\"./serve\"]\n",
            ),
            "which can't be read",
        ),
    ];
    for (file, reason) in cases {
        declines(&SplitStages, &[(&file, reason)]);
    }
}

#[test]
fn scripts_are_read() {
    let around = |script: &str| {
        Around::files(&[
            ("go.mod", "module example.com/serve\n"),
            ("main.go", ""),
            ("run.sh", script),
            ("Makefile", "all:\n\tgit push\n"),
        ])
    };
    let file = go("", "go build", "CMD [\"./run.sh\"]\n");
    for (script, reason) in [
        ("#!/bin/sh\nexec go run .\n", "calls go, which only the builder has"),
        ("#!/bin/sh\nif (\n", "can't be read"),
        ("#!/bin/sh\nexec ./other\n", "which of the files that are built"),
    ] {
        declines_in(&SplitStages, &around(script), &file, reason);
    }
    needs_unsafe_in(
        &SplitStages,
        &around("#!/bin/sh\ncurl -f http://db.example.com || exit 1\nexec ./serve\n"),
        &file,
        "FROM golang:1.22-bookworm AS builder\nWORKDIR /app\nCOPY . .\nRUN go build\n\nFROM debian:bookworm-slim\n\
         RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl \\\n    && rm -rf /var/lib/apt/lists/*\n\
         WORKDIR /app\nCOPY . .\nCOPY --from=builder /app/serve /app/serve\nCMD [\"./run.sh\"]\n",
        "go when it runs",
    );
}

#[test]
fn rust_refusals() {
    let file = |build: &str, start: &str| {
        format!("FROM rust:1.83-bookworm\nWORKDIR /src\nCOPY . .\nRUN {build}\n{start}")
    };
    const START: &str = "CMD [\"./target/release/shout\"]\n";
    const BUILD: &str = "cargo build --release";
    let unknown = LOCK.replace("openssl-sys", "strange-sys");
    let cases = [
        (BUILD, "", "nothing says what the container starts", LOCK),
        (BUILD, "CMD [\"cargo\", \"run\"]\n", "line 5 starts cargo", LOCK),
        (BUILD, "CMD cargo run --release\n", "line 5 starts cargo", LOCK),
        (BUILD, "CMD [\"./target/debug/shout\"]\n", "which of the files that are built", LOCK),
        (BUILD, START, "it is not known what strange-sys is linked to", &unknown),
        (BUILD, START, "the Cargo.lock can't be read", ""),
        ("cargo build --release --target-dir /x", START, "in an unusual way", LOCK),
        ("cargo build --release --manifest-path a/Cargo.toml", START, "in an unusual way", LOCK),
        ("cargo build --release --target wasm32-unknown-unknown", START, "another machine", LOCK),
        ("cargo run --release", START, "line 4 runs the program", LOCK),
        ("cargo make all", START, "it is not known what make of cargo does", LOCK),
        ("rustc main.rs", START, "line 4 calls the compiler itself", LOCK),
        ("CARGO=x make && cargo build --release", START, "line 4 does more than to build", LOCK),
        (
            "cargo build --release && ./target/release/shout init",
            START,
            "line 4 does more than to build",
            LOCK,
        ),
        (BUILD, "ENV X=$CARGO_HOME\nCMD [\"./target/release/shout\"]\n", "line 5 reads CARGO_HOME", LOCK),
        (BUILD, "RUN cargo clean\nCMD [\"./run\"]\n", "which of the files that are built", LOCK),
    ];
    for (build, start, reason, lock) in cases {
        declines_in(&SplitStages, &rust_project(lock), &file(build, start), reason);
    }
    let configured = Around::files(&[("Cargo.toml", ""), ("Cargo.lock", LOCK), (".cargo/config.toml", "")]);
    declines_in(&SplitStages, &configured, &file(BUILD, START), "may decide where line 4 builds");
    for from in ["rust:1.83-alpine", "rust:nightly"] {
        let file = file(BUILD, START).replace("rust:1.83-bookworm", from);
        declines_in(&SplitStages, &rust_project(LOCK), &file, "");
    }
}

#[test]
fn java_refusals() {
    let file = |build: &str, start: &str| {
        format!("FROM maven:3.9-eclipse-temurin-21\nWORKDIR /app\nCOPY . .\nRUN {build}\n{start}")
    };
    const START: &str = "CMD [\"java\", \"-jar\", \"target/a.jar\"]\n";
    let cases = [
        ("mvn package", "", "nothing says what the container starts"),
        ("mvn package", "CMD [\"mvn\", \"exec:java\"]\n", "line 5 starts mvn"),
        ("mvn package", "CMD mvn spring-boot:run\n", "line 5 starts mvn"),
        ("mvn package", "CMD [\"java\", \"-jar\", \"/other/a.jar\"]\n", "which of the files that are built"),
        ("mvn package", "ENTRYPOINT [\"./start.sh\"]\n", "which of the files that are built"),
        ("mvn -f a/pom.xml package", START, "in an unusual way"),
        ("mvn deploy", START, "it is not known what line 4 builds"),
        ("mvn package && java -jar target/a.jar --init", START, "line 4 does more than to build"),
        ("mvn package && curl example.com", START, "line 4 does more than to build"),
        ("mvn $GOALS", START, "it is not known what line 4 builds"),
        (
            "mvn package",
            "RUN jmap 1\nCMD [\"java\", \"-jar\", \"target/a.jar\"]\n",
            "it is not known what line 5 builds",
        ),
        (
            "mvn package",
            "HEALTHCHECK CMD jcmd 1 VM.version\nCMD [\"java\", \"-jar\", \"target/a.jar\"]\n",
            "line 5 starts jcmd",
        ),
        (
            "mvn package",
            "HEALTHCHECK CMD nc -z localhost 1\nCMD [\"java\", \"-jar\", \"target/a.jar\"]\n",
            "it is not known what nc is",
        ),
        (
            "mvn package",
            "RUN ./setup\nCMD [\"java\", \"-jar\", \"target/a.jar\"]\n",
            "it is not known what the RUN at line 5 needs",
        ),
        (
            "mvn package",
            "RUN git clone https://example.com/x\nCMD [\"java\", \"-jar\", \"target/a.jar\"]\n",
            "it is not known what the RUN at line 5 needs",
        ),
    ];
    for (build, start, reason) in cases {
        declines(&SplitStages, &[(&file(build, start), reason)]);
    }
    for from in
        ["maven:3.9", "maven:3-jdk-8", "maven:3.9-amazoncorretto-21", "gradle:8", "eclipse-temurin:latest"]
    {
        let file = file("mvn package", START).replace("maven:3.9-eclipse-temurin-21", from);
        declines(&SplitStages, &[(&file, "no runtime of the same version is known")]);
    }
}

#[test]
fn a_container_that_is_asked_for_its_health() {
    let builder = "FROM golang:1.22-bookworm AS builder\nWORKDIR /app\nCOPY . .\nRUN go build -o serve .\n\nFROM debian:bookworm-slim\n";
    let curl = "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl \\\n    && rm -rf /var/lib/apt/lists/*\n";
    let certificates =
        "COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\n";
    let program = "COPY --from=builder /app/serve /app/serve\n";
    for (health, install, certificates) in [
        ("HEALTHCHECK CMD curl -f http://localhost:8080/ || exit 1\n", curl, ""),
        ("HEALTHCHECK --interval=5s CMD [\"curl\", \"-f\", \"http://localhost:8080/\"]\n", curl, ""),
        ("HEALTHCHECK CMD [\"/app/serve\", \"-health\"]\n", "", certificates),
    ] {
        let end = format!("{health}CMD [\"./serve\"]\n");
        needs_unsafe_in(
            &SplitStages,
            &go_project(),
            &format!("FROM golang:1.22-bookworm\nWORKDIR /app\nCOPY . .\nRUN go build -o serve .\n{end}"),
            &format!("{builder}{install}WORKDIR /app\n{certificates}{program}{end}"),
            "does not need go when it runs",
        );
    }
    let alpine = "FROM golang:1.22-alpine\nWORKDIR /app\nCOPY . .\nRUN go build -o serve .\nHEALTHCHECK CMD wget -qO- http://localhost:8080/\nCMD [\"./serve\"]\n";
    needs_unsafe_in(
        &SplitStages,
        &go_project(),
        alpine,
        &format!(
            "FROM golang:1.22-alpine AS builder\nWORKDIR /app\nCOPY . .\nRUN go build -o serve .\n\nFROM alpine:3\nWORKDIR /app\n{certificates}COPY --from=builder /usr/local/go/lib/time/zoneinfo.zip /usr/local/go/lib/time/zoneinfo.zip\n{program}HEALTHCHECK CMD wget -qO- http://localhost:8080/\nCMD [\"./serve\"]\n"
        ),
        "does not need go when it runs",
    );
    let sdk = "FROM maven:3.9-eclipse-temurin-17\nWORKDIR /app\nCOPY . .\nRUN mvn package\nHEALTHCHECK CMD curl -f http://localhost:8080/\nCMD [\"java\", \"-jar\", \"target/x-1.jar\"]\n";
    let pom = "<project><artifactId>x</artifactId><version>1</version></project>";
    let around = Around::files(&[("pom.xml", pom), ("src/main/java/A.java", "")]);
    declines_in(&SplitStages, &around, sdk, "line 5 calls curl, and it is not known whether");
}

#[test]
fn what_was_installed_to_be_called_stays() {
    needs_unsafe_in(
        &SplitStages,
        &go_project(),
        "FROM golang:1.22-bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends curl git procps unzip\nWORKDIR /app\nCOPY . .\nRUN go build -o serve .\nCMD [\"./serve\"]\n",
        "FROM golang:1.22-bookworm AS builder\nRUN apt-get update && apt-get install -y --no-install-recommends curl git procps unzip\nWORKDIR /app\nCOPY . .\nRUN go build -o serve .\n\nFROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl procps unzip \\\n    && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nCOPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\nCOPY --from=builder /app/serve /app/serve\nCMD [\"./serve\"]\n",
        "does not need go, git when it runs",
    );
    let around = Around::files(&[
        ("go.mod", "module example.com/serve\n"),
        ("main.go", ""),
        ("start.sh", "#!/bin/sh\nset -e\ngoose -dir migrations up\nexec ./serve\n"),
    ]);
    needs_unsafe_in(
        &SplitStages,
        &around,
        "FROM golang:1.22-bookworm\nRUN go install example.com/goose/v3/cmd/goose@v3.20.0\nWORKDIR /app\nCOPY . .\nRUN go build\nENTRYPOINT [\"./start.sh\"]\n",
        "FROM golang:1.22-bookworm AS builder\nRUN go install example.com/goose/v3/cmd/goose@v3.20.0\nWORKDIR /app\nCOPY . .\nRUN go build\n\nFROM debian:bookworm-slim\nWORKDIR /app\nENV PATH=\"/go/bin:$PATH\"\nCOPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\nCOPY . .\nCOPY --from=builder /app/serve /app/serve\nCOPY --from=builder /go/bin/goose /go/bin/goose\nENTRYPOINT [\"./start.sh\"]\n",
        "does not need go when it runs",
    );
}
