//! Rewrites that other tools get wrong, each as the input that misled them.

use dockeropt::pipeline::{Options, optimize};
use dockeropt_syntax::{Text, parse};
use similar::TextDiff;
use unindent::unindent;

/// What becomes of a file with safe fixes and with all; what holds for any file is checked.
#[track_caller]
fn results(text: &str) -> [String; 2] {
    [false, true].map(|allow_unsafe| {
        let options = Options { allow_unsafe, ..Options::default() };
        let outcome = optimize(text, &options);
        assert_eq!(outcome.diagnostics, [], "in\n{text}");
        assert_eq!(outcome.bugs, [], "in\n{text}");
        assert_eq!(parse(&outcome.after).diagnostics, [], "in\n{}", outcome.after);
        assert_eq!(optimize(&outcome.after, &options).after, outcome.after, "changed by a second run");
        assert_eq!(outcome.after.ends_with('\n'), text.ends_with('\n'), "the last newline of\n{text}");
        outcome.after
    })
}

/// The file is left as it is.
#[track_caller]
fn untouched(text: &str) {
    becomes(text, text);
}

/// The file becomes another, with safe fixes and with all.
#[track_caller]
fn becomes(before: &str, after: &str) {
    becomes_either(before, after, after);
}

/// The file becomes `safe` with safe fixes and `all` with all.
#[track_caller]
fn becomes_either(before: &str, safe: &str, all: &str) {
    let [before, safe, all] = [before, safe, all].map(dedent);
    for (result, expected) in results(&before).iter().zip([safe, all]) {
        let diff = TextDiff::from_lines(&expected, result).unified_diff().context_radius(20).to_string();
        assert!(*result == expected, "(- expected, + found)\n{diff}");
    }
}

/// Whatever becomes of the file, it contains these texts.
#[track_caller]
fn keeps(text: &str, essentials: &[&str]) {
    for result in results(&dedent(text)) {
        for essential in essentials {
            assert!(result.contains(essential), "`{essential}` is lost in\n{result}");
        }
    }
}

fn dedent(text: &str) -> String {
    if text.starts_with('\n') { unindent(text) } else { text.to_owned() }
}

mod splicing {
    use super::*;

    #[test]
    fn operators_and_lines_of_a_package_list() {
        becomes(
            r"
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install -y gfortran \
                gcc && \
                apt-get clean
            ",
            r"
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install -y --no-install-recommends gfortran \
                gcc && \
                apt-get clean && \
                rm -rf /var/lib/apt/lists/*
            ",
        );
    }

    #[test]
    fn a_comment_between_packages() {
        keeps(
            r"
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install -y \
                # to unpack
                tar \
                # to build, at the end
                make
            ",
            &["    # to unpack\n    tar \\\n    # to build, at the end\n    make \\\n    && rm -rf"],
        );
    }

    #[test]
    fn old_env_over_lines() {
        untouched(
            r"
            FROM debian:bookworm-slim
            ENV DEPS \
                autoconf \
                gcc
            RUN echo $DEPS
            ",
        );
    }

    #[test]
    fn quotes_in_old_forms() {
        untouched("FROM debian:bookworm-slim\nLABEL maintainer \"Jessie\"\nENV A b c\nMAINTAINER x\n");
    }

    #[test]
    fn no_newline_at_the_end() {
        becomes(
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends make",
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*",
        );
        becomes(
            "FROM python:3.12-slim\nCOPY . /app\nRUN pip install --no-cache-dir flask",
            "FROM python:3.12-slim\nRUN pip install --no-cache-dir flask\nCOPY . /app",
        );
    }

    #[test]
    fn directives_stay_first() {
        for first in ["# syntax=docker/dockerfile:1\n", "# check=skip=all\n# syntax=docker/dockerfile:1\n"] {
            becomes(
                &format!("{first}FROM python:3.12-slim\nCOPY . /app\nRUN pip install flask\n"),
                &format!("{first}FROM python:3.12-slim\nRUN pip install --no-cache-dir flask\nCOPY . /app\n"),
            );
        }
        becomes(
            "# escape=`\nFROM python:3.12-slim\nSHELL [\"/bin/sh\", \"-c\"]\nRUN pip install `\n  flask\n",
            "# escape=`\nFROM python:3.12-slim\nSHELL [\"/bin/sh\", \"-c\"]\nRUN pip install --no-cache-dir `\n  flask\n",
        );
    }

    #[test]
    fn windows_files_are_left_alone() {
        untouched(
            "# escape=`\nFROM registry.example.com/windows/servercore:ltsc2022\nRUN pip install flask\nWORKDIR C:\\app\nCMD app.exe C:\\app\n",
        );
    }

    #[test]
    fn carriage_returns() {
        becomes(
            "FROM debian:bookworm-slim\r\nRUN apt-get update\r\nRUN apt-get install -y --no-install-recommends \\\r\n  make\r\n",
            "FROM debian:bookworm-slim\r\nRUN apt-get update && apt-get install -y --no-install-recommends \\\r\n  make \\\r\n    && rm -rf /var/lib/apt/lists/*\r\n",
        );
    }

    #[test]
    fn bytes_that_are_not_utf8() {
        let before = b"FROM python:3.12-slim\n# caf\xe9\nRUN pip install flask # \xff\n".to_vec();
        let text = Text::decode(before);
        for result in results(text.as_str()) {
            assert_eq!(
                *Text::encode(&result),
                *b"FROM python:3.12-slim\n# caf\xe9\nRUN pip install --no-cache-dir flask # \xff\n",
            );
        }
    }

    #[test]
    fn a_byte_order_mark() {
        becomes(
            "\u{feff}FROM python:3.12-slim\nRUN pip install flask\n",
            "\u{feff}FROM python:3.12-slim\nRUN pip install --no-cache-dir flask\n",
        );
    }

    #[test]
    fn parentheses_of_case_and_semicolons_of_sed() {
        becomes(
            r#"
            FROM debian:bookworm-slim
            RUN case "$(uname -m)" in \
                  x86_64) a=amd64 ;; \
                  *) echo "unsupported"; exit 1 ;; \
                esac; sed -i 's/a/b/;s/c/d/' /f && pip install "x;y"
            "#,
            r#"
            FROM debian:bookworm-slim
            RUN case "$(uname -m)" in \
                  x86_64) a=amd64 ;; \
                  *) echo "unsupported"; exit 1 ;; \
                esac; sed -i 's/a/b/;s/c/d/' /f && pip install --no-cache-dir "x;y"
            "#,
        );
    }

    #[test]
    fn words_after_do_and_then() {
        becomes(
            r"
            FROM python:3.12-slim
            RUN for p in a b; do pip install $p; done
            RUN if true; then pip install c; fi
            ",
            r"
            FROM python:3.12-slim
            RUN for p in a b; do pip install --no-cache-dir $p; done
            RUN if true; then pip install --no-cache-dir c; fi
            ",
        );
    }

    #[test]
    fn options_of_dpkg() {
        keeps(
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y -o Dpkg::Options::=\"--force-confold\" git\n",
            &["install -y -o Dpkg::Options::=\"--force-confold\" --no-install-recommends git"],
        );
    }

    #[test]
    fn variables_next_to_what_changes() {
        keeps(
            r"
            FROM debian:bookworm-slim
            RUN savedAptMark=$(apt-mark showmanual) && apt-get update && apt-get install -y gcc \
              && apt-mark auto '.*' > /dev/null && apt-mark manual $savedAptMark
            ",
            &["apt-mark manual $savedAptMark\n", "savedAptMark=$(apt-mark showmanual) && apt-get update && "],
        );
    }
}

mod joining {
    use super::*;

    /// With `UPDATE` and a RUN that needs it the two are joined, as far as that goes.
    fn joins(second: &str, joined: &str) {
        becomes(
            &format!("FROM alpine:3.20\nRUN apk update\nRUN {second}\nRUN ./x\n"),
            &format!("FROM alpine:3.20\nRUN apk update && {joined}\nRUN ./x\n"),
        );
    }

    #[test]
    fn operators_of_the_second_run() {
        joins("apk add --no-network a || echo b", "{ apk add --no-network a || echo b; }");
        joins("apk add --no-network a; echo b", "{ apk add --no-network a; echo b; }");
    }

    #[test]
    fn operators_of_the_first_run() {
        becomes(
            "FROM debian:bookworm-slim\nRUN echo a; apt-get update || true\nRUN apt-get install -y --no-install-recommends make\n",
            "FROM debian:bookworm-slim\nRUN echo a; apt-get update || true && apt-get install -y --no-install-recommends make \\\n    && rm -rf /var/lib/apt/lists/*\n",
        );
    }

    #[test]
    fn runs_that_must_not_share_a_shell() {
        for (first, second) in [
            ("set -e; apt-get update", "apt-get install -y --no-install-recommends make || true"),
            ("pip install --no-cache-dir -U pip", "pip install --no-cache-dir x"),
            ("pip install --no-cache-dir a", "pip install --no-cache-dir b"),
            ("exit 0", "rm -rf /x"),
            ("umask 077", "touch /x"),
            ("cd /tmp && curl -O https://example.com/x", "rm /tmp/x"),
            ("export A=b; touch /x", "rm /x"),
            ("touch /x & wait", "rm /x"),
            ("service mysql start & sleep 1", "rm /x"),
        ] {
            untouched(&format!("FROM debian:bookworm-slim\nRUN {first}\nRUN {second}\n"));
        }
    }

    #[test]
    fn installs_stay_calls_of_their_own_unless_asked() {
        becomes_either(
            "FROM debian:bookworm-slim\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends a\nRUN apt-get install -y --no-install-recommends b\n",
            "FROM debian:bookworm-slim\nRUN apt-get update \\\n    && apt-get install -y --no-install-recommends a \\\n    && apt-get install -y --no-install-recommends b \\\n    && rm -rf /var/lib/apt/lists/*\n",
            "FROM debian:bookworm-slim\nRUN apt-get update \\\n    && apt-get install -y --no-install-recommends a b \\\n    && rm -rf /var/lib/apt/lists/*\n",
        );
    }

    #[test]
    fn mounts_and_exec_form() {
        untouched(
            "FROM debian:bookworm-slim\nRUN apt-get update\nRUN --mount=type=secret,id=x apt-get install -y --no-install-recommends x\n",
        );
        untouched(
            "FROM debian:bookworm-slim\nRUN [\"/bin/bash\", \"-c\", \"apt-get update\"]\nRUN apt-get install -y --no-install-recommends x\n",
        );
    }

    #[test]
    fn comments_between_runs() {
        keeps(
            r"
            FROM debian:bookworm-slim
            RUN apt-get update
            # about the compiler
            RUN apt-get install -y gcc
            ",
            &["\n# about the compiler\nRUN apt-get update && apt-get install"],
        );
        let text = dedent(
            r"
            FROM debian:bookworm-slim
            RUN apt-get update
            # hadolint ignore=DL3008
            RUN apt-get install -y --no-install-recommends gcc
            ",
        );
        keeps(&text, &["\n# hadolint ignore=DL3008\nRUN apt-get install"]);
    }

    #[test]
    fn onbuild_is_not_run() {
        untouched(
            "FROM debian:bookworm-slim\nONBUILD RUN apt-get update\nONBUILD RUN apt-get install -y x\n",
        );
        untouched("FROM debian:bookworm-slim\nRUN apt-get update\nONBUILD RUN apt-get install -y x\n");
    }
}

mod cleaning {
    use super::*;

    #[test]
    fn caches_on_a_mount() {
        untouched(
            r"
            FROM debian:bookworm-slim
            RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
                --mount=type=cache,target=/var/lib/apt,sharing=locked \
                apt-get update && apt-get install -y --no-install-recommends gcc
            ",
        );
        untouched("FROM node:20\nUSER node\nRUN --mount=type=cache,target=/root/.npm npm ci\n");
    }

    #[test]
    fn an_install_in_a_string() {
        untouched("FROM debian:bookworm-slim\nRUN echo \"apt-get install foo\" > f\n");
        becomes(
            "FROM debian:bookworm-slim\nRUN echo \"apt-get install foo\" > f && apt-get update && apt-get install -y --no-install-recommends make\n",
            "FROM debian:bookworm-slim\nRUN echo \"apt-get install foo\" > f && apt-get update && apt-get install -y --no-install-recommends make \\\n    && rm -rf /var/lib/apt/lists/*\n",
        );
    }

    #[test]
    fn not_in_a_branch_and_not_after_exit() {
        becomes(
            r"
            FROM debian:bookworm-slim
            RUN if [ -n x ]; then \
                  apt-get update && apt-get install -y --no-install-recommends make; \
                fi
            ",
            r"
            FROM debian:bookworm-slim
            RUN if [ -n x ]; then \
                  apt-get update && apt-get install -y --no-install-recommends make; \
                fi \
                && rm -rf /var/lib/apt/lists/*
            ",
        );
        untouched(
            "FROM debian:bookworm-slim\nRUN apt-get update; apt-get install -y --no-install-recommends make; exit\n",
        );
    }

    #[test]
    fn virtual_packages_of_apk() {
        becomes(
            "FROM alpine:3.20\nRUN apk add --virtual .deps gcc && make && apk del .deps\n",
            "FROM alpine:3.20\nRUN apk add --no-cache --virtual .deps gcc && make && apk del .deps\n",
        );
    }
}

mod meaning {
    use super::*;

    #[test]
    fn instructions_that_are_nobodys_business() {
        untouched(
            r#"
            FROM centos:7 AS base
            FROM base
            ADD https://example.com/x.tar.gz /x/
            ADD x.tar.gz /y/
            WORKDIR "${HOME}"
            USER nobody
            ENV NODE_ENV=production
            COPY . .
            RUN chmod +x run.sh
            RUN curl -fsSL https://example.com/x.tgz | tar -xz --strip-components=1 -C /opt
            HEALTHCHECK NONE
            CMD app.exe C:\app
            "#,
        );
    }

    #[test]
    fn text_in_heredocs() {
        untouched(
            r"
            FROM debian:bookworm-slim
            COPY <<EOF /install.sh
            RUN apt-get update
            RUN apt-get install -y gcc
            pip install x
            EOF
            RUN <<EOF bash -eux
            apt-get update
            apt-get install -y gcc
            pip install x
            EOF
            RUN <<EOF
            apt-get update
            apt-get install -y gcc
            EOF
            ",
        );
    }

    #[test]
    fn packages_that_are_named_like_programs() {
        keeps(
            "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y sudo curl pip npm\n",
            &["sudo curl pip npm"],
        );
        becomes(
            "FROM alpine:3.20\nRUN apk add sudo curl pip install npm\n",
            "FROM alpine:3.20\nRUN apk add --no-cache sudo curl pip install npm\n",
        );
    }

    #[test]
    fn a_copy_that_an_install_or_a_deletion_meets() {
        for (copy, run) in [
            ("COPY . /var/www/html", "apt-get install -y --no-install-recommends apache2"),
            ("COPY . /tmp/b", "apt-get install -y --no-install-recommends x && rm -rf /tmp/*"),
            ("COPY sources.list /etc/apt/", "apt-get install -y --no-install-recommends x"),
            ("COPY --chown=app . /app", "useradd app; apt-get install -y --no-install-recommends x"),
        ] {
            untouched(&format!("FROM debian:bookworm-slim\n{copy}\nRUN {run}\n"));
        }
    }
}

#[test]
fn a_file_that_buildkit_refuses_is_left_alone() {
    for text in ["RUN x\n", "FROM a\nRUNN x\n", "FROM a\nRUN <<EOF\nx\n", "", "{{ template }}\n"] {
        let outcome = optimize(text, &Options { allow_unsafe: true, ..Options::default() });
        assert!(outcome.after == text && !outcome.diagnostics.is_empty(), "in {text:?}");
    }
}
