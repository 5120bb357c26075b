use super::CopyAfterInstall;
use crate::testing::{declines, ignores, rewrites};

const INSTALL: &str = "RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*";

/// A Dockerfile whose `above` moves below the install.
#[track_caller]
fn moves(above: &str) {
    rewrites(
        &CopyAfterInstall,
        &format!("FROM debian:bookworm\nWORKDIR /app\n{above}\n{INSTALL}\nCMD [\"app\"]\n"),
        &format!("FROM debian:bookworm\nWORKDIR /app\n{INSTALL}\n{above}\nCMD [\"app\"]\n"),
    );
}

#[test]
fn copies_of_the_context() {
    moves("COPY . /app");
    moves("COPY . .");
    moves("ADD . /app");
    moves("COPY [\".\", \"/app\"]");
    moves("COPY src/ /usr/src/app/");
    moves("COPY --chown=1000:1000 . /app");
    moves("copy . /app");
    moves("COPY \\\n  a \\\n  # the second\n  b \\\n  /app/");
}

#[test]
fn a_comment_goes_with_its_copy() {
    rewrites(
        &CopyAfterInstall,
        r"
        FROM python:3.12-slim

        # The program.
        # All of it.
        COPY . /app

        # The compiler.
        RUN apt-get update && apt-get install -y gcc

        # Its packages.
        RUN pip install -r /app/requirements.txt
        ",
        r"
        FROM python:3.12-slim

        # The compiler.
        RUN apt-get update && apt-get install -y gcc

        # The program.
        # All of it.
        COPY . /app

        # Its packages.
        RUN pip install -r /app/requirements.txt
        ",
    );
}

#[test]
fn several_copies_keep_their_order() {
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        COPY a /app/a
        COPY b /app/b
        RUN apt-get update && apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        COPY a /app/a
        COPY b /app/b
        ",
    );
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        COPY . /app
        COPY b /app/b
        RUN apt-get update && apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        COPY . /app
        COPY b /app/b
        ",
    );
}

#[test]
fn a_copy_moves_with_the_one_that_stands_in_its_way() {
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        COPY . /app
        RUN apt-get update && apt-get install -y gcc
        COPY config /app
        RUN apt-get update && apt-get install -y make
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        RUN apt-get update && apt-get install -y make
        COPY . /app
        COPY config /app
        ",
    );
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        ARG VERSION
        COPY app-$VERSION.tar /app/
        RUN apt-get update && apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        ARG VERSION
        COPY app-$VERSION.tar /app/
        ",
    );
}

#[test]
fn a_copy_passes_several_installs() {
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        COPY . /app
        RUN apt-get update && apt-get install -y gcc
        ENV LANG=C.UTF-8
        EXPOSE 80
        RUN apt-get update && apt-get install -y make
        RUN make -C /app
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        ENV LANG=C.UTF-8
        EXPOSE 80
        RUN apt-get update && apt-get install -y make
        COPY . /app
        RUN make -C /app
        ",
    );
}

#[test]
fn the_folder_is_made_by_whoever_comes_first() {
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        COPY src /app/src
        WORKDIR /app
        RUN apt-get update && apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        WORKDIR /app
        RUN apt-get update && apt-get install -y gcc
        COPY src /app/src
        ",
    );
}

#[test]
fn other_installs() {
    for (image, install) in [
        ("alpine:3.20", "apk add --no-cache curl"),
        ("fedora:40", "dnf install -y gcc"),
        ("python:3.12", "pip install flask==3.0"),
    ] {
        rewrites(
            &CopyAfterInstall,
            &format!("FROM {image}\nCOPY . /app\nRUN {install}\n"),
            &format!("FROM {image}\nRUN {install}\nCOPY . /app\n"),
        );
    }
}

#[test]
fn what_npm_installs_for_all_is_passed_outside_its_folder() {
    rewrites(
        &CopyAfterInstall,
        "FROM node:20\nWORKDIR /srv\nCOPY . /app\nRUN npm install -g pm2\n",
        "FROM node:20\nWORKDIR /srv\nRUN npm install -g pm2\nCOPY . /app\n",
    );
}

#[test]
fn a_version_that_nobody_reads() {
    moves("ENV APP_VERSION=1.2.3");
    moves("ARG GIT_SHA");
    moves("ARG BUILD_DATE=unknown");
}

#[test]
fn nothing_to_gain() {
    ignores(
        &CopyAfterInstall,
        &[
            "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc\nCOPY . /app\n",
            "FROM debian:bookworm\nCOPY . /app\nRUN make -C /app\n",
            "FROM debian:bookworm\nCOPY --from=nginx:1 /x /app\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nADD https://example.com/x /app/\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nENV LANG=C.UTF-8\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nENV DEBIAN_FRONTEND=noninteractive\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nENV PATH=/app/bin:$PATH\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nARG HTTP_PROXY\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nARG GCC_VERSION=12\nRUN apt-get update && apt-get install -y gcc-$GCC_VERSION\n",
            "FROM debian:bookworm\nARG APP_VERSION\nRUN ./x && apt-get update && apt-get install -y gcc\n",
            "FROM debian:bookworm\nONBUILD COPY . /app\nRUN apt-get update && apt-get install -y gcc\n",
            "FROM node:20\nCOPY . /app\nRUN npm install\n",
            "FROM debian:bookworm\nCOPY <<EOF /app/x\ny\nEOF\nRUN apt-get update && apt-get install -y gcc\n",
        ],
    );
}

#[test]
fn what_stays_above_the_install() {
    let refusals = [
        ("COPY sources.list /etc/apt/", INSTALL, "packages may own or read /etc/apt"),
        ("COPY apt.conf /etc/apt/apt.conf.d/90x", INSTALL, "packages may own"),
        ("COPY ca.crt /usr/local/share/ca-certificates/", INSTALL, "packages may own"),
        ("COPY . /var/www/html", INSTALL, "packages may own"),
        ("COPY . /", INSTALL, "packages may own"),
        ("COPY entrypoint.sh /usr/local/bin/", INSTALL, "packages may own"),
        ("COPY pip.conf /root/.pip/", INSTALL, "packages may own"),
        ("COPY . /tmp/build", INSTALL, "packages may own"),
        ("COPY . /lib/app", INSTALL, "packages may own"),
        ("COPY . /opt/thing", INSTALL, "packages may own"),
        ("COPY --chown=app:app . /app", INSTALL, "its owner"),
        ("COPY --chown=app . /app", INSTALL, "its owner"),
        ("ARG WHERE\nCOPY . $WHERE", INSTALL, "when the image is built"),
        ("COPY . /app", "RUN dpkg -i /app/x.deb && apt-get install -y gcc", "may read or write"),
        ("COPY . /app", "RUN apt-get install -y /app/x.deb", "may read or write"),
        ("WORKDIR /app\nCOPY . .", "RUN apt-get install -y ./x.deb", "may read or write"),
        ("COPY . /app", "RUN pip install -r /app/requirements.txt && pip install flask", "may read or write"),
        ("WORKDIR /app\nCOPY . .", "RUN pip install -e . && apt-get install -y gcc", "may read or write"),
        (
            "COPY . /app",
            "RUN apt-get install -y $(cat /app/packages.txt) gcc\nRUN apt-get install -y x",
            "may read",
        ),
        (
            "COPY . /app",
            "RUN xargs apt-get install -y < /app/packages.txt\nRUN apt-get install -y x",
            "may read",
        ),
        ("COPY . /app", "RUN /app/setup.sh && apt-get install -y gcc", "may read or write"),
        ("COPY . /app", "RUN ./setup.sh\nRUN apt-get install -y gcc", "may read or write"),
        ("COPY . /app", "RUN rm -rf /app/* && apt-get install -y gcc", "may read or write"),
        (
            "COPY . /app",
            "RUN --mount=type=cache,target=/var/cache/apt apt-get install -y gcc\nRUN apt-get install -y x",
            "flags",
        ),
        ("COPY . /app", "RUN <<EOF\napt-get install -y gcc\nEOF\nRUN apt-get install -y x", "not modelled"),
        ("COPY . /app", "RUN for f in /app/*; do echo $f; done; apt-get install -y gcc", "not modelled"),
        (
            "COPY . /app",
            "RUN while read f; do echo $f; done < /app/x; apt-get install -y gcc",
            "not modelled",
        ),
        ("COPY . /app", "VOLUME /app\nRUN apt-get install -y gcc", "VOLUME"),
        ("COPY . /app", "COPY other /app\nRUN apt-get install -y x /app", ""),
        ("COPY . /app", "WORKDIR /app\nRUN apt-get install -y gcc", "WORKDIR"),
        ("WORKDIR /app\nCOPY x y", "WORKDIR /srv\nRUN apt-get install -y gcc", "relative to the folder"),
        ("COPY . /app", "USER app\nWORKDIR /app\nRUN sudo apt-get install -y gcc", "WORKDIR"),
        ("ARG D=x\nCOPY $D /app", "ARG D=y\nRUN apt-get install -y gcc", "variable"),
        ("COPY . /app", "ONBUILD RUN x\nRUN apt-get install -y gcc", "not passed"),
        ("ENV PATH=/app/bin:$PATH\nCOPY . /app", INSTALL, "PATH names its destination"),
        ("ENV LD_LIBRARY_PATH=/app/lib\nCOPY . /app", INSTALL, "LD_LIBRARY_PATH names its destination"),
    ];
    let files: Vec<(String, &str)> = refusals
        .iter()
        .map(|(above, below, reason)| (format!("FROM debian:bookworm\n{above}\n{below}\n"), *reason))
        .collect();
    let table: Vec<(&str, &str)> = files.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&CopyAfterInstall, &table);
}

#[test]
fn an_install_below_keeps_its_new_lists() {
    const FETCH: &str = "RUN apt-get update && apt-get install -y curl";
    let files: Vec<String> = [
        ("COPY . /app", FETCH, "RUN /app/setup.sh\nRUN apt-get install -y nginx"),
        ("COPY . /app", FETCH, "RUN make -C /app && apt-get install -y make"),
        ("COPY . /app", FETCH, "RUN pip install -r /app/x\nRUN apt-get install -y nano"),
        ("COPY . /app", FETCH, "RUN make -C /app\nFROM base\nRUN apt-get install -y nano"),
        ("COPY . /app", FETCH, "RUN make -C /app || apt-get update\nRUN apt-get install -y nano"),
        ("COPY . /app", FETCH, "ONBUILD RUN apt-get install -y make"),
        ("COPY . /app", FETCH, "RUN /app/setup.sh"),
        ("COPY . /app", FETCH, "RUN puppet apply /app/site.pp"),
        ("COPY . /app", "RUN apk update && apk add curl", "RUN make -C /app && apk add make"),
        ("ENV APP_VERSION=1", FETCH, "RUN ./get $APP_VERSION"),
    ]
    .map(|(above, install, below)| format!("FROM debian:bookworm AS base\n{above}\n{install}\n{below}\n"))
    .into();
    let reason = "may install from package lists that would no longer be fetched anew";
    let table: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), reason)).collect();
    declines(&CopyAfterInstall, &table);
}

#[test]
fn an_install_below_that_fetches_its_own_lists() {
    for (install, below) in [
        (
            "apt-get update && apt-get install -y curl",
            "apt-get update && /app/setup.sh && apt-get install -y x",
        ),
        ("apt-get update && apt-get install -y curl", "pip install -r /app/requirements.txt"),
        ("apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*", "/app/setup.sh"),
        ("apk add --no-cache curl", "make -C /app && apk add --no-cache make"),
    ] {
        rewrites(
            &CopyAfterInstall,
            &format!("FROM debian:bookworm\nCOPY . /app\nRUN {install}\nRUN {below}\n"),
            &format!("FROM debian:bookworm\nRUN {install}\nCOPY . /app\nRUN {below}\n"),
        );
    }
    // Down to the last install that leaves no lists.
    rewrites(
        &CopyAfterInstall,
        "
        FROM debian:bookworm
        COPY . /app
        RUN pip install flask
        RUN apt-get update && apt-get install -y curl
        RUN /app/setup.sh
        ",
        "
        FROM debian:bookworm
        RUN pip install flask
        COPY . /app
        RUN apt-get update && apt-get install -y curl
        RUN /app/setup.sh
        ",
    );
}

/// A path that a script, a heredoc, a SHELL or a variable names may be read by any later install.
#[test]
fn what_is_named_elsewhere_stays() {
    let named = "names its destination, or brings settings that may";
    let install = "RUN apt-get update && apt-get install -y mypkg\n";
    let cases = [
        ("COPY debs /debs\nRUN echo 'deb [trusted=yes] file:/debs ./' > /etc/apt/sources.list.d/l.list && apt-get update && apt-get install -y mypkg\n".to_owned(), named),
        ("COPY keys /keys\nRUN echo 'deb [signed-by=/keys/key.asc] https://example.net ./' > /etc/apt/sources.list && apt-get update && apt-get install -y mypkg\n".to_owned(), named),
        (format!("RUN echo 'Proxy-Auto-Detect \"/tools/proxy.sh\";' > /etc/apt/apt.conf.d/p\nCOPY tools /tools\n{install}"), named),
        (format!("RUN echo /app/lib > /etc/ld.so.conf.d/app.conf\nCOPY . /app\n{install}"), named),
        (format!("RUN ln -s /app/apt.conf /etc/apt/apt.conf\nCOPY . /app\n{install}"), named),
        (format!("RUN ln -s /etc /app\nCOPY . /app\n{install}"), named),
        ("COPY bin /tools\nRUN PATH=/tools:$PATH apt-get install -y mypkg\n".to_owned(), named),
        ("COPY apt /apt\nRUN export APT_CONFIG=/apt/apt.conf && apt-get update && apt-get install -y mypkg\n".to_owned(), named),
        (format!("COPY local.list /etc/apt/sources.list.d/\nCOPY debs /debs\n{install}"), named),
        ("RUN pip config set global.find-links /wheels\nCOPY wheels /wheels\nRUN pip install mypkg\n".to_owned(), named),
        ("WORKDIR /app\nENV PIP_CONSTRAINT=constraints.txt\nCOPY . .\nRUN pip install flask\n".to_owned(), "may read files of the working folder"),
        ("WORKDIR /app\nENV PIP_CONFIG_FILE=./pip.conf\nCOPY . .\nRUN pip install flask\n".to_owned(), "may read files of the working folder"),
        ("COPY . /app\nRUN apt-get install -y gcc \\\n# not make\n\n".to_owned(), "goes on at the end of the file"),
        ("COPY . /app\nRUN cd && apt-get install -y gcc\n".to_owned(), "may read or write /app"),
        ("COPY . /app\nRUN apt-get install -y gcc & apt-get install -y make\n".to_owned(), "may read or write /app"),
        ("WORKDIR /app\nCOPY . .\nRUN PIP_CONSTRAINT=constraints.txt pip install flask\n".to_owned(), "may read files of the working folder"),
        ("WORKDIR /app\nCOPY . .\nRUN echo * > /x && apt-get update && apt-get install -y git\n".to_owned(), "may read files of the working folder"),
    ];
    let table: Vec<(String, &str)> =
        cases.into_iter().map(|(text, reason)| (format!("FROM python:3.12\n{text}"), reason)).collect();
    let table: Vec<(&str, &str)> = table.iter().map(|(text, reason)| (text.as_str(), *reason)).collect();
    declines(&CopyAfterInstall, &table);
}

/// Making a folder, or saying whose it is, is no reason to look there.
#[test]
fn a_folder_that_is_only_made_is_passed() {
    rewrites(
        &CopyAfterInstall,
        r"
        FROM debian:bookworm
        RUN mkdir -p /app && chown 1000 /app
        COPY . /app
        RUN apt-get update && apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN mkdir -p /app && chown 1000 /app
        RUN apt-get update && apt-get install -y gcc
        COPY . /app
        ",
    );
}
