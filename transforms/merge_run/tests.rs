use super::MergeRun;
use crate::Settings;
use crate::testing::{
    Around, declines, ignores, needs_unsafe, needs_unsafe_with, rewrites, rewrites_in, takes_all,
};

#[test]
fn an_install_joins_the_update_that_it_needs() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        ",
    );
}

#[test]
fn what_does_not_fit_on_one_line_goes_on_the_next() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y build-essential default-libmysqlclient-dev libpq-dev libxml2-dev libxslt1-dev
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update \
            && apt-get install -y build-essential default-libmysqlclient-dev libpq-dev libxml2-dev libxslt1-dev
        ",
    );
}

#[test]
fn a_list_with_a_package_on_each_line_keeps_its_lines() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y \
            # compiler
            gcc \
            make
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y \
            # compiler
            gcc \
            make
        ",
    );
}

#[test]
fn the_second_run_lends_its_leading_operators() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y gcc \
          && gcc --version \
          && rm -rf /var/lib/apt/lists/*
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update \
          && apt-get install -y gcc \
          && gcc --version \
          && rm -rf /var/lib/apt/lists/*
        ",
    );
}

#[test]
fn the_first_run_lends_its_trailing_operators() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN echo 'APT::Sandbox::User root;' > /etc/apt/apt.conf.d/50 && \
            apt-get update
        RUN apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN echo 'APT::Sandbox::User root;' > /etc/apt/apt.conf.d/50 && \
            apt-get update && \
            apt-get install -y gcc
        ",
    );
}

#[test]
fn tabs_stay_tabs() {
    rewrites(
        &MergeRun,
        "FROM debian:bookworm\nRUN apt-get update\nRUN apt-get install -y gcc \\\n\t&& gcc --version\n",
        "FROM debian:bookworm\nRUN apt-get update \\\n\t&& apt-get install -y gcc \\\n\t&& gcc --version\n",
    );
}

#[test]
fn the_layout_of_other_runs_is_taken_over() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN echo one && \
          echo two
        WORKDIR /app
        # first
        RUN apt-get update
        # second
        RUN apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN echo one && \
          echo two
        WORKDIR /app
        # first
        RUN apt-get update && \
        # second
          apt-get install -y gcc
        ",
    );
}

#[test]
fn empty_lines_between_the_lines_of_other_runs() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update

        RUN apt-get install -y build-essential default-libmysqlclient-dev libpq-dev libxml2-dev libxslt1-dev

        RUN echo one && \

            echo two
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && \
            apt-get install -y build-essential default-libmysqlclient-dev libpq-dev libxml2-dev libxslt1-dev

        RUN echo one && \

            echo two
        ",
    );
}

#[test]
fn comments_and_empty_lines_between_runs() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update

        # The compiler.
        # RUNs below need it.
        # COPY

        RUN apt-get install -y gcc

        CMD gcc
        ",
        r"
        FROM debian:bookworm
        # The compiler.
        # RUNs below need it.
        # COPY
        RUN apt-get update && apt-get install -y gcc

        CMD gcc
        ",
    );
}

#[test]
fn comments_that_say_what_is_joined_go_with_their_run() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        # The lists.
        RUN apt-get update
        # The compiler.
        RUN apt-get install -y gcc

        RUN apt-get update
        # More.
        RUN apt-get install -y make
        # Even more.
        RUN apt-get install -y bash
        ",
        r"
        FROM debian:bookworm
        # The lists.
        RUN apt-get update \
        # The compiler.
            && apt-get install -y gcc

        RUN apt-get update \
        # More.
            && apt-get install -y make \
        # Even more.
            && apt-get install -y bash
        ",
    );
}

#[test]
fn headings_stand_above_what_is_joined() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        # The lists.
        RUN apt-get update

        # ----------
        # For people
        # ----------
        RUN apt-get install -y vim

        WORKDIR /a
        # The lists.
        RUN apt-get update
        # Node.
        RUN apt-get install -y curl
        ADD https://example.com/x /x
        ",
        r"
        FROM debian:bookworm
        # The lists.
        # ----------
        # For people
        # ----------
        RUN apt-get update && apt-get install -y vim

        WORKDIR /a
        # The lists.
        # Node.
        RUN apt-get update && apt-get install -y curl
        ADD https://example.com/x /x
        ",
    );
    declines(
        &MergeRun,
        &[(
            "FROM debian:bookworm\nRUN touch /x && apt-get update\n#####\n# tools\n#####\nRUN apt-get install -y vim\n",
            "begin a part of the file",
        )],
    );
}

#[test]
fn several_installs_join_one_update() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y gcc
        RUN apt-get install -y make
        RUN make --version
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc && apt-get install -y make
        RUN make --version
        ",
    );
}

#[test]
fn several_runs_that_do_not_fit_on_one_line() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update -y
        RUN apt-get install -y build-essential default-libmysqlclient-dev
        RUN apt-get install -y language-pack-ja-base language-pack-ja
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update -y \
            && apt-get install -y build-essential default-libmysqlclient-dev \
            && apt-get install -y language-pack-ja-base language-pack-ja
        ",
    );
}

#[test]
fn sudo_apt_and_options_in_odd_places() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        USER admin
        RUN sudo apt -y -qq update
        RUN DEBIAN_FRONTEND=noninteractive sudo apt install gcc -y
        ",
        r"
        FROM debian:bookworm
        USER admin
        RUN sudo apt -y -qq update && DEBIAN_FRONTEND=noninteractive sudo apt install gcc -y
        ",
    );
}

#[test]
fn the_second_run_is_grouped_where_operators_would_bind_otherwise() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y gcc || apt-get install -y clang
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && { apt-get install -y gcc || apt-get install -y clang; }
        ",
    );
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update
        RUN apt-get install -y gcc; gcc --version;
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && { apt-get install -y gcc; gcc --version; }
        ",
    );
}

#[test]
fn the_first_run_needs_no_group() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update || apt-get update
        RUN apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update || apt-get update && apt-get install -y gcc
        ",
    );
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN echo start; apt-get update;
        RUN apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN echo start; apt-get update && apt-get install -y gcc
        ",
    );
}

#[test]
fn other_managers_with_an_index() {
    for (image, update, install) in [
        ("alpine:3.20", "apk update", "apk add curl"),
        ("opensuse/leap:15.6", "zypper refresh", "zypper install -y curl"),
        ("archlinux:latest", "pacman -Sy", "pacman -S --noconfirm curl"),
    ] {
        rewrites(
            &MergeRun,
            &format!("FROM {image}\nRUN {update}\nRUN {install}\n"),
            &format!("FROM {image}\nRUN {update} && {install}\n"),
        );
    }
}

#[test]
fn an_install_that_fetches_the_index_itself_stays_apart() {
    rewrites(
        &MergeRun,
        "FROM alpine:3.20\nRUN apk update\nRUN apk add curl\nRUN apk add gcc && make\n",
        "FROM alpine:3.20\nRUN apk update && apk add curl\nRUN apk add gcc && make\n",
    );
}

#[test]
fn a_deletion_joins_what_it_deletes() {
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        RUN rm -rf /var/lib/apt/lists/*
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
        ",
    );
    rewrites(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN curl -fsSLO https://example.com/tool.tar.gz
        RUN tar -xzf tool.tar.gz -C /opt
        RUN rm tool.tar.gz
        ",
        r"
        FROM debian:bookworm
        RUN curl -fsSLO https://example.com/tool.tar.gz && tar -xzf tool.tar.gz -C /opt && rm tool.tar.gz
        ",
    );
    rewrites(
        &MergeRun,
        r"
        FROM fedora:40
        RUN dnf install -y gcc
        RUN dnf clean all
        ",
        r"
        FROM fedora:40
        RUN dnf install -y gcc && dnf clean all
        ",
    );
}

#[test]
fn neighbours_that_are_not_concerned_keep_every_byte() {
    rewrites(
        &MergeRun,
        "
        FROM debian:bookworm
        RUN <<EOF
        apt-get update
          apt-get install -y x
        EOF
        RUN   apt-get   update
        RUN apt-get install  -y  gcc
        COPY <<EOF /etc/x
        RUN apt-get update
        RUN apt-get install -y y
        EOF
        ",
        "
        FROM debian:bookworm
        RUN <<EOF
        apt-get update
          apt-get install -y x
        EOF
        RUN   apt-get   update && apt-get install  -y  gcc
        COPY <<EOF /etc/x
        RUN apt-get update
        RUN apt-get install -y y
        EOF
        ",
    );
}

#[test]
fn one_call_for_several_installs_is_unsafe() {
    needs_unsafe(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc && apt-get install -y make g++ && make --version
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc make g++ && make --version
        ",
        "chooses all packages together",
    );
    needs_unsafe(
        &MergeRun,
        r"
        FROM debian:bookworm
        RUN apt-get update \
            && apt-get install -y \
                gcc \
                libc6-dev \
            && apt-get install -y \
                make \
            && rm -rf /var/lib/apt/lists/*
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update \
            && apt-get install -y \
                gcc \
                libc6-dev \
                make \
            && rm -rf /var/lib/apt/lists/*
        ",
        "chooses all packages together",
    );
}

#[test]
fn installs_that_stay_calls_of_their_own() {
    let first = "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc";
    for second in [
        "apt-get install -y --no-install-recommends make",
        "apt-get install -y make || true",
        "apt-get install -y $MORE",
        "apt-get install -y make > /dev/null",
        "apt-get install -y \\\n  # why\n  make",
        "echo between && apt-get install -y make",
        "apt-get install -y gcc make",
        "pip install flask && pip install django",
        "npm install -g yarn && npm install -g pnpm",
    ] {
        ignores(&MergeRun, &[&format!("{first} && {second}\n")]);
    }
}

#[test]
fn a_layer_less_is_no_gain_unless_it_is_asked_for() {
    let before = "FROM debian:bookworm\nRUN echo a > /a\nRUN echo b > /b\n";
    ignores(
        &MergeRun,
        &[
            before,
            "FROM debian:bookworm\nRUN apt-get update\nRUN curl https://x | bash - && apt-get install -y nodejs\n",
        ],
    );
    needs_unsafe_with(
        &MergeRun,
        &Settings { merge_always: true, ..Settings::default() },
        before,
        "FROM debian:bookworm\nRUN echo a > /a && echo b > /b\n",
        "cached apart",
    );
}

#[test]
fn what_pays_is_had_without_what_does_not() {
    let around = Around::settings(&Settings { merge_always: true, ..Settings::default() });
    let before = "FROM debian:bookworm\nRUN echo a > /a\nRUN apt-get update\nRUN apt-get install -y gcc\nRUN gcc --version\n";
    rewrites_in(
        &MergeRun,
        &around,
        before,
        "FROM debian:bookworm\nRUN echo a > /a\nRUN apt-get update && apt-get install -y gcc\nRUN gcc --version\n",
    );
    takes_all(
        &MergeRun,
        &around,
        before,
        "FROM debian:bookworm\nRUN echo a > /a && apt-get update && apt-get install -y gcc && gcc --version\n",
    );
}

#[test]
fn what_must_stay_apart() {
    let refusals = [
        ("RUN apt update", "RUN mv /opt/apt /bin && apt install -y gcc", "`apt`, which may have moved"),
        ("RUN apt-get update && cd /opt", "RUN apt-get install -y gcc", "working folder"),
        ("RUN apt-get update && export A=b", "RUN apt-get install -y gcc", "`export`"),
        ("RUN umask 077 && apt-get update", "RUN apt-get install -y gcc", "`umask`"),
        ("RUN set -e; apt-get update", "RUN apt-get install -y gcc", "`set`"),
        ("RUN apt-get update", "RUN set -ex; apt-get install -y gcc", "`set`"),
        ("RUN trap 'echo x' EXIT; apt-get update", "RUN apt-get install -y gcc", "`trap`"),
        ("RUN apt-get update; exit 0", "RUN apt-get install -y gcc", "`exit`"),
        ("RUN apt-get update & wait", "RUN apt-get install -y gcc", "`&`"),
        ("RUN apt-get update", "RUN apt-get install -y gcc &", "`&`"),
        ("RUN apt-get update; f() { echo x; }", "RUN apt-get install -y gcc", "function"),
        ("RUN alias ll=ls; apt-get update", "RUN apt-get install -y gcc", "`alias`"),
        ("RUN shopt -s nullglob; apt-get update", "RUN apt-get install -y gcc", "`shopt`"),
        ("RUN exec apt-get update", "RUN apt-get install -y gcc", "`exec`"),
        ("RUN P=gcc; apt-get update", "RUN apt-get install -y $P", "variable P"),
        ("RUN echo 127.0.0.1 x >> /etc/hosts; apt-get update", "RUN apt-get install -y gcc", "/etc/hosts"),
        ("RUN [\"apt-get\", \"update\"]", "RUN apt-get install -y gcc", ""),
        (
            "RUN apt-get update",
            "RUN --mount=type=cache,target=/var/cache/apt apt-get install -y gcc",
            "flags",
        ),
        ("RUN --network=host apt-get update", "RUN apt-get install -y gcc", "flags"),
        ("RUN apt-get update", "USER app\nRUN apt-get install -y gcc", ""),
        ("RUN apt-get update", "# hadolint ignore=DL3008\nRUN apt-get install -y gcc", "hadolint"),
        ("RUN apt-get update", "# RUN apt-get upgrade -y\nRUN apt-get install -y gcc", "left out for now"),
        ("RUN apt-get update", "#COPY . /app\n\nRUN apt-get install -y gcc", "left out for now"),
        ("RUN apt-get update", "# The list.\n##\tARG x=y\nRUN apt-get install -y gcc", "left out for now"),
        ("RUN apt-get update # lists", "RUN apt-get install -y gcc", "comment"),
        ("RUN apt-get update", "RUN apt-get install -y gcc || true # or not", "comment"),
    ];
    let mut wrong = Vec::new();
    for (first, second, reason) in refusals {
        let dockerfile = format!("FROM debian:bookworm\n{first}\n{second}\n");
        let result = std::panic::catch_unwind(|| {
            if reason.is_empty() {
                ignores(&MergeRun, &[&dockerfile]);
            } else {
                declines(&MergeRun, &[(&dockerfile, reason)]);
            }
        });
        if let Err(error) = result {
            wrong.push(error.downcast_ref::<String>().cloned().unwrap_or_default());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_asks_what_ran_before_stays_apart() {
    declines(
        &MergeRun,
        &[
            (
                "FROM debian:12\nRUN apt-get update\nRUN echo $? > /status && apt-get install -y nano\n",
                "asks for what ran before",
            ),
            (
                "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y nano && echo $!\n",
                "asks for what ran before",
            ),
        ],
    );
}
