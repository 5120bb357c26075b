use super::SplitStages;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, needs_unsafe_in};

const APT: &str = "RUN apt-get update && apt-get install -y --no-install-recommends cmake gcc libc6-dev libssl-dev make \\\n    && rm -rf /var/lib/apt/lists/*";
const LIBRARY: &str = "RUN apt-get update && apt-get install -y --no-install-recommends libssl3 \\\n    && rm -rf /var/lib/apt/lists/*";
const MAKEFILE: &str = "CFLAGS = -O2\nserver: server.o\n\t$(CC) -o $@ $^ -lssl\n\n%.o: %.c\n\t$(CC) $(CFLAGS) -c $<\n\ninstall: server\n\tinstall -m 755 server $(DESTDIR)/usr/bin\n";

fn project(makefile: &str) -> Around {
    Around::files(&[
        ("Makefile", makefile),
        ("server.c", ""),
        ("CMakeLists.txt", "project(x)\nadd_executable(server server.c)\n"),
    ])
}

#[test]
fn a_program_that_is_named() {
    needs_unsafe(
        &SplitStages,
        r#"
        FROM debian:bookworm-slim
        # To compile.
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev libssl-dev && rm -rf /var/lib/apt/lists/*
        WORKDIR /app
        COPY server.c server.h ./
        RUN gcc -O2 -c tls.c && gcc -Wall -o server server.c tls.o -lssl
        COPY config.ini .
        EXPOSE 8080
        CMD ["./server"]
        "#,
        r#"
        FROM debian:bookworm-slim AS builder
        # To compile.
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev libssl-dev && rm -rf /var/lib/apt/lists/*
        WORKDIR /app
        COPY server.c server.h ./
        RUN gcc -O2 -c tls.c && gcc -Wall -o server server.c tls.o -lssl

        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 \
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /app
        COPY --from=builder /app/server /app/server
        COPY config.ini .
        EXPOSE 8080
        CMD ["./server"]
        "#,
        "only /app/server is in the image",
    );
}

#[test]
fn a_file_of_the_project_does_not_take_its_place() {
    needs_unsafe(
        &SplitStages,
        &format!(
            "FROM debian:bookworm\n{APT}\nCOPY . /app\nRUN cd /app && gcc src/main.c -o/usr/local/bin/run -lssl\nENTRYPOINT [\"run\"]\n"
        ),
        &format!(
            "FROM debian:bookworm AS builder\n{APT}\nCOPY . /app\nRUN cd /app && gcc src/main.c -o/usr/local/bin/run -lssl\n\n\
             FROM debian:bookworm\n{LIBRARY}\nCOPY . /app\nCOPY --from=builder /usr/local/bin/run /usr/local/bin/run\nENTRYPOINT [\"run\"]\n"
        ),
        "/usr/local/bin/run",
    );
}

#[test]
fn the_folder_of_a_project() {
    for build in [
        "make -j$(nproc)",
        "cmake -S . -B build && cmake --build build -j4",
        "mkdir build && cd build && cmake -DCMAKE_BUILD_TYPE=Release .. && make",
    ] {
        needs_unsafe_in(
            &SplitStages,
            &project(MAKEFILE),
            &format!(
                "FROM debian:bookworm-slim\n{APT}\nWORKDIR /app\nCOPY . .\nRUN {build}\nCOPY motd /etc/motd\nCMD [\"/app/server\"]\n"
            ),
            &format!(
                "FROM debian:bookworm-slim AS builder\n{APT}\nWORKDIR /app\nCOPY . .\nRUN {build}\n\n\
                 FROM debian:bookworm-slim\n{LIBRARY}\nWORKDIR /app\nCOPY --from=builder /app /app\nCOPY motd /etc/motd\nCMD [\"/app/server\"]\n"
            ),
            "what is built lies in /app",
        );
    }
}

#[test]
fn nothing_to_gain() {
    ignores(
        &SplitStages,
        &[
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y gcc\nCMD [\"gcc\"]\n",
            "FROM debian:bookworm-slim\nCOPY . /app\nRUN make -C /app\nCMD [\"/app/x\"]\n",
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y nginx\nCMD [\"nginx\"]\n",
            "FROM alpine:3.20\nRUN apk add gcc\nRUN gcc -o x x.c\nCMD [\"./x\"]\n",
        ],
    );
}

/// A file with a step before the program is compiled, and one behind it.
fn with(before: &str, compile: &str, behind: &str) -> String {
    let behind =
        if behind.contains("CMD") { behind.to_owned() } else { format!("{behind}CMD [\"./server\"]\n") };
    format!("FROM debian:bookworm-slim\n{APT}\nWORKDIR /app\nCOPY . .\n{before}{compile}\n{behind}")
}

#[test]
fn refusals() {
    let gcc = "RUN gcc -o server server.c";
    let table = [
        (with("RUN ./setup.sh\n", gcc, ""), "does more than to install"),
        (with("RUN git clone https://example.com/x\n", gcc, ""), "does more than to install"),
        (with("RUN useradd app\n", gcc, ""), "does more than to install"),
        (with("RUN ./configure\n", gcc, ""), "does more than to install"),
        (with("", "RUN gcc -o server server.c || true", ""), "does more than to install"),
        (with("", "RUN gcc -o server server.c && cp server /usr/bin", ""), "does more than to install"),
        (with("", "RUN gcc -o server server.c > log", ""), "does more than to install"),
        (with("RUN mkdir -p /data\n", gcc, ""), "/data is not part of what is built"),
        (with("", "RUN gcc server.c", "CMD [\"./a.out\"]\n"), "does not say what it compiles to"),
        (with("", "RUN gcc -o $NAME server.c", ""), "computes $NAME"),
        (with("", "RUN gcc -fopenmp -o server server.c", ""), "needs a library of the compiler"),
        (with("", "RUN gcc -fsanitize=address -o server server.c", ""), "needs a library of the compiler"),
        (with("", "RUN gcc -L/usr/local/lib -o server server.c", ""), "names /usr/local/lib"),
        (with("", "RUN gcc -o server server.c && ldconfig", ""), "names ldconfig"),
        (with("ENV LD_LIBRARY_PATH=/app\n", gcc, ""), "names LD_LIBRARY_PATH"),
        (with("USER app\n", gcc, ""), "stands before the install"),
        (with("VOLUME /app\n", gcc, ""), "stands before the install"),
        (with("ONBUILD COPY . /app\n", gcc, ""), "stands before the install"),
        (with("COPY --from=example.com/x /a /b\n", gcc, ""), "copies from another image"),
        (with("", gcc, "CMD [\"bash\"]\n"), "bash, which line 7 starts, is not what is built"),
        (with("", gcc, "CMD [\"/app/other\"]\n"), "is not what is built"),
        (with("", gcc, "CMD [\"/app/start.sh\"]\n"), "is not what is built"),
        (with("", gcc, "RUN ./server --init\n"), "which may need what builds"),
        (with("", gcc, "RUN python3 x.py\n"), "which may need what builds"),
        (with("", gcc, "HEALTHCHECK CMD gcc -v\n"), "a program of gcc is called"),
        (with("", "RUN make", ""), "the Makefile of line 6 can't be read"),
        (with("", "RUN make && make install", ""), "the Makefile of line 6 can't be read"),
        (with("", "RUN cmake . && make", ""), "the CMakeLists.txt of line 6 can't be read"),
        (with("", "RUN cmake --install build", ""), "is not known of cmake"),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&SplitStages, &table);
    let file = with("", gcc, "").replace("CMD [\"./server\"]\n", "");
    declines(&SplitStages, &[(&file, "which program the container starts")]);
    let file = with("", gcc, "").replace("debian:bookworm-slim", "ubuntu:24.04");
    declines(&SplitStages, &[(&file, "which packages of Ubuntu have")]);
}

#[test]
fn makefiles_that_build_elsewhere() {
    let rule = |command: &str| format!("all: x\n\t{command}\n");
    let table = [
        (MAKEFILE.to_owned(), "make install", "where `make install` at line 6 puts files"),
        (MAKEFILE.to_owned(), "make OUT=/usr/bin", "may name a place to build in"),
        (MAKEFILE.to_owned(), "make CFLAGS=-fopenmp", "needs a library of the compiler"),
        (MAKEFILE.to_owned(), "make -f other.mk", "is not known of make"),
        (rule("cp x /usr/local/bin"), "make", "names /usr/local/bin in a command"),
        (rule("cp x $(DESTDIR)/bin"), "make", "names DESTDIR in a command"),
        (format!("BIN = /opt/bin\nTO = $(BIN)/x\n{}", rule("cp x $(TO)")), "make", "names TO in a command"),
        (format!("all: build install\n{MAKEFILE}"), "make", "installs what it builds"),
        (rule("install -m 755 x bin"), "make", "calls install"),
        (rule("sudo ldconfig"), "make", "calls sudo"),
        (format!("LDFLAGS = -lgomp\n{MAKEFILE}"), "make", "has -lgomp"),
        (format!("include ../common.mk\n{MAKEFILE}"), "make", "includes another file"),
    ];
    for (makefile, build, reason) in table {
        declines_in(&SplitStages, &project(&makefile), &with("", &format!("RUN {build}"), ""), reason);
    }
    let around = Around::files(&[("Makefile", MAKEFILE), ("GNUmakefile", "")]);
    declines_in(&SplitStages, &around, &with("", "RUN make", ""), "the Makefile of line 6 can't be read");
    let file = with("", "RUN make", "")
        .replace("WORKDIR /app", "WORKDIR /usr/local")
        .replace("COPY . .", "COPY . /usr/local");
    declines_in(&SplitStages, &project(MAKEFILE), &file, "which has other files, too");
}

#[test]
fn cmake_that_builds_elsewhere() {
    let cmake = |text| Around::files(&[("CMakeLists.txt", text)]);
    let file = with("", "RUN cmake -B build && cmake --build build", "CMD [\"./build/server\"]\n");
    declines_in(&SplitStages, &cmake("find_package(OpenMP)\n"), &file, "has OpenMP");
    declines_in(&SplitStages, &cmake("include(ExternalProject)\n"), &file, "builds other projects");
    let output = "set(CMAKE_RUNTIME_OUTPUT_DIRECTORY /usr/bin)\n";
    declines_in(&SplitStages, &cmake(output), &file, "says where to build");
    let file = with("", "RUN cmake -DOUT=/opt/x -B build && cmake --build build", "");
    declines_in(&SplitStages, &cmake("project(x)\n"), &file, "may name a place to build in");
}

#[test]
fn scripts_that_compile() {
    let file = with("", "RUN gcc -o server server.c", "CMD [\"/app/start.sh\"]\n");
    let around = Around::files(&[("start.sh", "#!/bin/sh\ncc -o x x.c && ./x\n")]);
    declines_in(&SplitStages, &around, &file, "a program of gcc is called");
}
