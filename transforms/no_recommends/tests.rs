use super::NoRecommends;
use crate::testing::{declines, ignores, needs_unsafe, rewrites};

#[test]
fn the_option_goes_behind_the_options() {
    for (before, after) in [
        ("apt-get install -y g++", "apt-get install -y --no-install-recommends g++"),
        ("apt-get install g++", "apt-get install --no-install-recommends g++"),
        ("apt-get -y install g++", "apt-get -y install --no-install-recommends g++"),
        ("apt-get install g++ -y", "apt-get install --no-install-recommends g++ -y"),
        ("apt-get install -qq -y g++", "apt-get install -qq -y --no-install-recommends g++"),
        ("apt install -y g++", "apt install -y --no-install-recommends g++"),
        ("sudo apt-get install -y g++", "sudo apt-get install -y --no-install-recommends g++"),
        (
            "DEBIAN_FRONTEND=noninteractive apt-get -yqq install g++",
            "DEBIAN_FRONTEND=noninteractive apt-get -yqq install --no-install-recommends g++",
        ),
        (
            "apt-get install -y -o Dpkg::Options::=\"--force-confold\" g++",
            "apt-get install -y -o Dpkg::Options::=\"--force-confold\" --no-install-recommends g++",
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
        RUN apt-get update && apt-get install -y g++ && apt-get install -y make
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y --no-install-recommends g++ && apt-get install -y --no-install-recommends make
        ",
    );
}

#[test]
fn what_is_not_in_the_tables_is_unsafe() {
    needs_unsafe(
        &NoRecommends,
        "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y g++\n",
        "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y --no-install-recommends g++\n",
        "what packages recommend in",
    );
    needs_unsafe(
        &NoRecommends,
        "ARG TAG\nFROM debian:$TAG\nRUN apt-get update && apt-get install -y g++\n",
        "ARG TAG\nFROM debian:$TAG\nRUN apt-get update && apt-get install -y --no-install-recommends g++\n",
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
fn releases_without_a_table() {
    let unsafe_install = |image: &str, before: &str, after: &str, rest: &str, assumed: &str| {
        needs_unsafe(
            &NoRecommends,
            &format!("FROM {image}\nRUN apt-get update && apt-get install -y {before}\n{rest}"),
            &format!(
                "FROM {image}\nRUN apt-get update && apt-get install -y --no-install-recommends {after}\n{rest}"
            ),
            assumed,
        );
    };
    // A package of which the table knows nothing.
    unsafe_install(
        "ubuntu:16.04",
        "g++ php7.0-cli",
        "g++ php7.0-cli",
        "",
        "nothing needs what php7.0-cli recommends",
    );
    // What the releases without a table are known to recommend.
    let pip = "RUN pip install numpy\n";
    let with_compilers = "python-pip build-essential python-dev python-setuptools";
    unsafe_install("debian:stretch", "python-pip", with_compilers, pip, "what python-pip recommends");
    unsafe_install("ubuntu:16.04", "python-pip", with_compilers, pip, "what python-pip recommends");
    unsafe_install("ubuntu:16.04", "python-pip", "python-pip", "", "nothing needs build-essential");
    // What only a dependency recommends in Debian 12 is no reason to add it.
    unsafe_install("ubuntu:16.04", "supervisor", "supervisor", "", "nothing needs ca-certificates");
    let fetch = "RUN curl https://example.com\n";
    unsafe_install("ubuntu:16.04", "curl", "curl ca-certificates", fetch, "what packages recommend in");
}

#[test]
fn names_that_a_release_may_not_have() {
    declines(
        &NoRecommends,
        &[
            (
                "FROM ubuntu:16.04\nRUN apt-get update && apt-get install -y flex\n",
                "it relies on `libfl-dev`, which may have another name in a release",
            ),
            (
                "FROM debian:buster\nRUN apt-get update && apt-get install -y rustc\n",
                "it relies on `cargo`, which may have another name in a release",
            ),
        ],
    );
}

#[test]
fn nothing_to_leave_out() {
    let reason = "the packages recommend nothing of weight";
    declines(
        &NoRecommends,
        &[
            ("FROM debian:bookworm\nRUN apt-get update && apt-get install -y make patch\n", reason),
            ("FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y make\n", reason),
            ("FROM debian:bookworm\nRUN apt-get update && apt-get install -y autossh xauth\n", reason),
            ("FROM debian:bookworm\nRUN apt-get install -y xauth\nRUN apt-get install -y autossh\n", reason),
        ],
    );
}

#[test]
fn a_script_that_is_not_read_makes_it_unsafe() {
    needs_unsafe(
        &NoRecommends,
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y g++\nRUN ./build.sh\n",
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends g++\nRUN ./build.sh\n",
        "./build.sh",
    );
}

#[test]
fn neighbours_that_are_not_concerned_keep_every_byte() {
    rewrites(
        &NoRecommends,
        "
        FROM debian:bookworm
        RUN   apt-get  update &&   apt-get   install  -y  g++
        COPY <<'EOF' /x
          RUN apt-get install -y gcc
        EOF
        ONBUILD RUN apt-get install -y gcc
        ",
        "
        FROM debian:bookworm
        RUN   apt-get  update &&   apt-get   install  -y --no-install-recommends  g++
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

/// What may not be installed after all is not relied on: its dependencies are named again.
#[test]
fn what_is_installed_conditionally_or_removed_is_not_there() {
    for before in [
        "RUN if [ -n \"$DEV\" ]; then apt-get update && apt-get install -y --no-install-recommends git ca-certificates; fi",
        "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates || true",
        "RUN apt-get update && apt-get install -d --no-install-recommends ca-certificates",
        "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && apt-get purge -y ca-certificates",
    ] {
        rewrites(
            &NoRecommends,
            &format!("FROM debian:bookworm\n{before}\nRUN apt-get update && apt-get install -y curl\n"),
            &format!(
                "FROM debian:bookworm\n{before}\nRUN apt-get update && apt-get install -y --no-install-recommends curl ca-certificates\n"
            ),
        );
    }
}

#[test]
fn aptitude_has_another_option() {
    ignores(&NoRecommends, &["FROM debian:bookworm\nRUN apt-get update && aptitude install -y git\n"]);
}

#[test]
fn a_file_that_changes_the_release_is_not_taken_for_its_base() {
    needs_unsafe(
        &NoRecommends,
        "FROM debian:bookworm\nRUN sed -i s/bookworm/sid/ /etc/apt/sources.list.d/debian.sources && apt-get update && apt-get install -y curl\n",
        "FROM debian:bookworm\nRUN sed -i s/bookworm/sid/ /etc/apt/sources.list.d/debian.sources && apt-get update && apt-get install -y --no-install-recommends curl ca-certificates\n",
        "as in Debian 12",
    );
}
