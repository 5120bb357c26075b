//! What holds for any Dockerfile: no panic, a stable and valid result, no comment lost, no byte lost.

use std::collections::BTreeSet;

use dockeropt::pipeline::{Options, Outcome, optimize};
use dockeropt_syntax::{Item, Text, Trivia, parse};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const TRANSFORMS: [&str; 4] = ["merge-run", "no-recommends", "clean-package-cache", "copy-after-install"];

/// Commands as they stand in RUNs.
const COMMANDS: [&str; 47] = [
    "apt-get update",
    "apt-get install -y gcc",
    "apt-get install -y --no-install-recommends make",
    "apt-get install -y curl \\\n    # for the certificates\n    git",
    "apt-get install -y \\\n  gcc \\\n  make",
    "sudo apt update",
    "sudo apt install git -y",
    "rm -rf /var/lib/apt/lists/*",
    "apt-get clean",
    "apk update",
    "apk add curl",
    "apk add --virtual .deps gcc",
    "apk del .deps",
    "yum install -y gcc",
    "yum clean all",
    "pip install flask",
    "pip install -U pip",
    "pip install -r requirements.txt",
    "npm ci",
    "npm install -g pm2",
    "gem install rails",
    "conda install -y numpy",
    "cd /app",
    "set -e",
    "export A=b",
    "umask 077",
    "exit 0",
    "true # end",
    "./setup.sh",
    "echo \"apt-get install foo\" > f",
    "if true; then apt-get install -y patch; fi",
    "case $x in *) echo 'no' ;; esac",
    "(apt-get update && pip install a)",
    "wget https://example.com/x.tar.gz",
    "rm x.tar.gz",
    "f() { apk add x; }",
    "apk add --update git",
    "apk add --no-cache make",
    "apk -U upgrade",
    "apk search x",
    "rm -rf /var/cache/apk/*",
    "echo edge >> /etc/apk/repositories",
    "mv x/apk /usr/local/bin",
    "mv x/rm /usr/local/bin",
    "npm cache clean --force",
    "cd",
    "echo $_",
];

const JOINERS: [&str; 9] =
    [" && ", " && \\\n    ", " \\\n  && ", " \\\n\t&& ", "; ", " || ", " & ", " | ", " \\\n# why\n  && "];

const OTHERS: [&str; 39] = [
    "# a comment",
    "",
    "# hadolint ignore=DL3008",
    "# dockeropt: skip=merge-run",
    "FROM debian:bookworm",
    "FROM alpine:3.20 AS one",
    "FROM one",
    "FROM ubuntu",
    "COPY . /app",
    "COPY . .",
    "COPY a \\\n  # b\n  c \\\n  /app/",
    "COPY --from=one /x /app/x",
    "COPY --chown=app . /app",
    "COPY sources.list /etc/apt/",
    "ADD x.tar.gz /app/",
    "COPY <<EOF /app/y\nRUN apt-get install x\nEOF",
    "WORKDIR /app",
    "USER app",
    "USER root",
    "ENV A b c",
    "ENV APP_VERSION=1",
    "ENV PATH=/app/bin:$PATH",
    "ARG GIT_SHA",
    "LABEL maintainer \"J\"",
    "EXPOSE 80",
    "VOLUME /app",
    "SHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]",
    "ONBUILD RUN apt-get install -y x",
    "ONBUILD COPY . /app",
    "RUN [\"apt-get\", \"install\", \"-y\", \"x\"]",
    "RUN <<EOF\napt-get update\napt-get install -y x\nEOF",
    "RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y x",
    "CMD [\"x\"]",
    "run pip install flask",
    "SHELL [\"/bin/sh\", \"-ec\"]",
    "CMD ls /var/cache/apk",
    "COPY --from=one /var/cache /x",
    "RUN --mount=type=bind,from=one,source=/,target=/m ls /m",
    "RUN --mount=type=cache,target=/x apk update && apk add git && make",
];

fn script() -> impl Strategy<Value = String> {
    let more = prop::collection::vec((select(&JOINERS[..]), select(&COMMANDS[..])), 0..4);
    (select(&COMMANDS[..]), more).prop_map(|(first, more)| {
        let more = more.into_iter().flat_map(|(joiner, command)| [joiner, command]);
        std::iter::once(first).chain(more).collect()
    })
}

fn dockerfile() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        3 => script().prop_map(|script| format!("RUN {script}")),
        2 => select(&OTHERS[..]).prop_map(str::to_owned),
    ];
    let start = select(&["FROM debian:bookworm", "FROM python:3.12 AS one", "# x\nFROM alpine:3.20"][..]);
    (start, prop::collection::vec(item, 0..8), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(start, items, ends, crlf)| {
            let mut text = start.to_owned();
            items.iter().for_each(|item| text.extend(["\n", item]));
            if ends {
                text.push('\n');
            }
            if crlf { text.replace('\n', "\r\n") } else { text }
        },
    )
}

fn options() -> impl Strategy<Value = Options> {
    let only = subsequence(&TRANSFORMS[..], 1..=TRANSFORMS.len());
    (only, any::<bool>(), any::<bool>()).prop_map(|(only, allow_unsafe, merge_always)| Options {
        only: only.into_iter().map(str::to_owned).collect(),
        allow_unsafe,
        merge_always,
        ..Options::default()
    })
}

/// The comments of a file, in any order.
fn comments(text: &str) -> Vec<String> {
    let file = parse(text);
    let mut found = Vec::new();
    for item in &file.items {
        match item {
            Item::Comment(span) => found.push(text[span.range()].trim().to_owned()),
            Item::Instruction(instruction) => {
                found.extend(instruction.trivia.iter().filter_map(|trivia| match trivia {
                    Trivia::Comment(span) => Some(text[span.range()].trim().to_owned()),
                    Trivia::Empty(_) => None,
                }));
            }
            _ => {}
        }
    }
    found.sort();
    found
}

fn holds(text: &str, options: &Options) -> Result<Outcome, TestCaseError> {
    let outcome = optimize(text, options);
    if !outcome.diagnostics.is_empty() {
        prop_assert_eq!(&outcome.after, text);
        return Ok(outcome);
    }
    let result = parse(&outcome.after);
    prop_assert_eq!(&result.diagnostics, &vec![], "in\n{}", outcome.after);
    prop_assert_eq!(comments(&outcome.after), comments(text), "in\n{}", outcome.after);
    prop_assert_eq!(outcome.after.ends_with('\n'), text.ends_with('\n'));
    // A fix that the check rejects may be accepted by itself.
    if outcome.bugs.is_empty() {
        let again = optimize(&outcome.after, options);
        prop_assert_eq!(&again.after, &outcome.after, "changed by a second run, from\n{}", text);
    }
    prop_assert_eq!(outcome.fixes.is_empty(), outcome.after == text, "fixes and text disagree");
    Ok(outcome)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_dockerfile_with_any_transforms(text in dockerfile(), options in options()) {
        holds(&text, &options)?;
    }

    #[test]
    #[ignore = "check"]
    fn the_check_agrees(text in dockerfile(), options in options()) {
        prop_assert_eq!(&optimize(&text, &options).bugs, &vec![], "in\n{}", text);
    }

    #[test]
    fn any_text(text in "(FROM a|RUN|COPY|\\\\|\n|\r\n|&&|apt-get update|<<EOF|EOF|#|'|\"| |.){0,40}") {
        let outcome = optimize(&text, &Options { allow_unsafe: true, ..Options::default() });
        prop_assert!(outcome.bugs.is_empty());
    }

    #[test]
    fn any_bytes_survive(text in dockerfile(), bytes in prop::collection::vec(any::<u8>(), 1..12)) {
        let bytes: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
        let comment = [b"# ".as_slice(), &bytes, b"|\n"].concat();
        let held = Text::decode([text.as_bytes(), b"\n", &comment, b"RUN pip install x\n"].concat());
        let outcome = holds(held.as_str(), &Options { allow_unsafe: true, ..Options::default() })?;
        let after = Text::encode(&outcome.after);
        prop_assert!(after.windows(comment.len()).any(|window| window == comment));
    }
}

#[test]
fn every_subset_of_the_transforms_converges() {
    let text = "FROM debian:bookworm\nCOPY . /app\nRUN apt-get update\nRUN apt-get install -y gcc\nRUN pip install x\n";
    for subset in 0..16_usize {
        let skip: BTreeSet<String> = TRANSFORMS
            .iter()
            .enumerate()
            .filter(|(at, _)| subset & (1 << at) == 0)
            .map(|(_, id)| (*id).to_owned())
            .collect();
        let skipped = skip.len();
        let outcome = optimize(text, &Options { skip, ..Options::default() });
        let used: BTreeSet<&str> = outcome.fixes.iter().map(|fix| fix.transform).collect();
        assert_eq!(used.len() + skipped, TRANSFORMS.len(), "{used:?} in\n{}", outcome.after);
        assert!(outcome.bugs.is_empty());
    }
}
