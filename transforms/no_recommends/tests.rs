use super::NoRecommends;
use crate::testing::{declines, ignores, needs_unsafe, rewrites};

#[test]
fn the_option_goes_behind_the_options() {
    for (before, after) in [
        ("apt-get install -y make", "apt-get install -y --no-install-recommends make"),
        ("apt-get install make", "apt-get install --no-install-recommends make"),
        ("apt-get -y install make", "apt-get -y install --no-install-recommends make"),
        ("apt-get install make -y", "apt-get install --no-install-recommends make -y"),
        ("apt-get install -qq -y make", "apt-get install -qq -y --no-install-recommends make"),
        ("apt install -y make", "apt install -y --no-install-recommends make"),
        ("sudo apt-get install -y make", "sudo apt-get install -y --no-install-recommends make"),
        (
            "DEBIAN_FRONTEND=noninteractive apt-get -yqq install make",
            "DEBIAN_FRONTEND=noninteractive apt-get -yqq install --no-install-recommends make",
        ),
        (
            "apt-get install -y -o Dpkg::Options::=\"--force-confold\" make",
            "apt-get install -y -o Dpkg::Options::=\"--force-confold\" --no-install-recommends make",
        ),
    ] {
        rewrites(
            &NoRecommends,
            &format!("FROM debian:bookworm\nRUN apt-get update && {before}\n"),
            &format!("FROM debian:bookworm\nRUN apt-get update && {after}\n"),
        );
    }
}

#[test]
fn what_the_file_relies_on_is_named() {
    rewrites(
        &NoRecommends,
        r"
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y curl && curl https://example.com/x
        ",
        r"
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends curl ca-certificates && curl https://example.com/x
        ",
    );
}

#[test]
fn named_packages_stand_on_lines_of_their_own() {
    rewrites(
        &NoRecommends,
        r"
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y \
                make \
                # to fetch
                curl \
            && curl https://example.com/x
        ",
        r"
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends \
                make \
                # to fetch
                curl \
                ca-certificates \
            && curl https://example.com/x
        ",
    );
    rewrites(
        &NoRecommends,
        "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y \\\n\tcurl\n",
        "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends \\\n\tcurl \\\n\tca-certificates\n",
    );
}

#[test]
fn trailing_operators() {
    rewrites(
        &NoRecommends,
        r"
        FROM debian:bookworm-slim
        RUN apt-get update && \
            apt-get install -y \
                make \
                curl && \
            rm -rf /var/lib/apt/lists/*
        ",
        r"
        FROM debian:bookworm-slim
        RUN apt-get update && \
            apt-get install -y --no-install-recommends \
                make \
                curl \
                ca-certificates && \
            rm -rf /var/lib/apt/lists/*
        ",
    );
}

#[test]
fn two_installs_in_one_run() {
    rewrites(
        &NoRecommends,
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y make && apt-get install -y patch
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y --no-install-recommends make && apt-get install -y --no-install-recommends patch
        ",
    );
}

#[test]
fn what_is_not_in_the_tables_is_unsafe() {
    needs_unsafe(
        &NoRecommends,
        "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y make\n",
        "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y --no-install-recommends make\n",
        "what packages recommend in",
    );
    needs_unsafe(
        &NoRecommends,
        "ARG TAG\nFROM debian:$TAG\nRUN apt-get update && apt-get install -y make\n",
        "ARG TAG\nFROM debian:$TAG\nRUN apt-get update && apt-get install -y --no-install-recommends make\n",
        "what packages recommend in",
    );
    needs_unsafe(
        &NoRecommends,
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y no-such-package\n",
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends no-such-package\n",
        "nothing needs what no-such-package recommends",
    );
}

#[test]
fn a_script_that_is_not_read_makes_it_unsafe() {
    needs_unsafe(
        &NoRecommends,
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y make\nRUN ./build.sh\n",
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends make\nRUN ./build.sh\n",
        "./build.sh",
    );
}

#[test]
fn neighbours_that_are_not_concerned_keep_every_byte() {
    rewrites(
        &NoRecommends,
        "
        FROM debian:bookworm
        RUN   apt-get  update &&   apt-get   install  -y  make
        COPY <<'EOF' /x
          RUN apt-get install -y gcc
        EOF
        ONBUILD RUN apt-get install -y gcc
        ",
        "
        FROM debian:bookworm
        RUN   apt-get  update &&   apt-get   install  -y --no-install-recommends  make
        COPY <<'EOF' /x
          RUN apt-get install -y gcc
        EOF
        ONBUILD RUN apt-get install -y gcc
        ",
    );
}

#[test]
fn nothing_to_do() {
    ignores(
        &NoRecommends,
        &[
            "FROM debian:bookworm\nRUN apt-get install -y --no-install-recommends gcc\n",
            "FROM debian:bookworm\nRUN apt-get install -y gcc --no-install-recommends\n",
            "FROM debian:bookworm\nRUN apt-get install -y --install-recommends gcc\n",
            "FROM debian:bookworm\nRUN aptitude install -R -y gcc\n",
            "FROM debian:bookworm\nRUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/x\nRUN apt-get install -y gcc\n",
            "FROM debian:bookworm\nRUN apt-get -o APT::Install-Recommends=false install -y gcc\n",
            "FROM debian:bookworm\nRUN apt-get upgrade -y\n",
            "FROM debian:bookworm\nRUN apt-get build-dep -y gcc\n",
            "FROM debian:bookworm\nRUN echo \"apt-get install foo\" > f\n",
            "FROM debian:bookworm\nRUN apt-get install -f -y\n",
            "FROM debian:bookworm\nONBUILD RUN apt-get install -y gcc\n",
            "FROM fedora:40\nRUN dnf install -y gcc\n",
            "FROM debian:bookworm\nRUN pip install apt-get install\n",
            "FROM debian:bookworm\nRUN <<EOF\napt-get install -y gcc\nEOF\n",
        ],
    );
}

#[test]
fn what_keeps_its_recommended_packages() {
    declines(
        &NoRecommends,
        &[
            (
                "FROM debian:bookworm\nRUN apt-get install -y -t bookworm-backports gcc\n",
                "a release that an option names",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get install -y --target-release=sid gcc\n",
                "a release that an option names",
            ),
            ("FROM debian:bookworm\nRUN apt-get -t=sid install -y gcc\n", "a release that an option names"),
            ("FROM debian:bookworm\nRUN apt-get install -y $PACKAGES\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y gcc \"$MORE\"\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y $(cat packages)\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y ./x.deb\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y /tmp/x.deb\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y 'python3.*'\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y gcc/sid\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y build-essential^\n", "not all named literally"),
            ("FROM debian:bookworm\nRUN apt-get install -y libreoffice\n", "recommends too much"),
            (
                "FROM debian:bookworm AS build\nRUN apt-get install -y gcc\nFROM debian:bookworm\nCOPY --from=build /x /x\n",
                "don't end up in the image",
            ),
        ],
    );
}
