//! A file does what it does itself: real files, built ones, and long ones, in linear time.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail")]

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_syntax::parse;
use flate2::read::GzDecoder;
use proptest::prelude::*;

/// Whether a file is accepted as a rewrite of itself, if it has no diagnostics.
fn is_itself(text: &str) -> Result<(), String> {
    let file = parse(text);
    let facts = Facts::new(&file);
    let checked = check(&facts, &facts, &Licence::default()).map_err(|difference| difference.message);
    if file.diagnostics.is_empty() { checked } else { Ok(()) }
}

#[test]
fn real_files() {
    let Ok(path) = std::env::var("DOCKEROPT_CORPUS") else {
        println!("skipped: DOCKEROPT_CORPUS is not set");
        return;
    };
    for line in BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())).lines() {
        let entry: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = entry["text"].as_str().unwrap();
        let start = Instant::now();
        assert_eq!(is_itself(text), Ok(()), "{}\n{text}", entry["id"]);
        assert!(start.elapsed() < Duration::from_secs(2), "{} is slow", entry["id"]);
    }
}

#[test]
fn long_files() {
    let many = |line: &str| format!("FROM debian AS s0\n{}", line.repeat(20_000));
    let numbered = |line: &str| {
        let lines = (0..20_000).map(|number| line.replace('%', &number.to_string()));
        format!("FROM debian AS s0\n{}", lines.collect::<String>())
    };
    let files = [
        ("ONBUILD", many("ONBUILD RUN apt-get update && rm -rf /var/lib/apt/lists/*\n")),
        ("RUN", many("RUN apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*\n")),
        ("RUN that differ", numbered("RUN make %\n")),
        ("apk update", many("RUN apk update\n")),
        ("one RUN", format!("FROM debian\nRUN true{}\n", " && true".repeat(5_000))),
        ("one RUN with variables", format!("FROM debian\nRUN true{}\n", " && export A=b".repeat(4_000))),
        ("one RUN with subshells", format!("FROM debian\nRUN true{}\n", " && (cd a; b)".repeat(4_000))),
        ("comments", many("# note\nRUN x\n")),
        ("CMD", many("CMD x\n")),
        (
            "ENV and RUN",
            numbered("ENV A%=b\nRUN x\n").lines().take(1_401).map(|line| format!("{line}\n")).collect(),
        ),
        ("LABEL", numbered("LABEL a%=b\n")),
        ("COPY", numbered("COPY a /a%\n")),
        ("WORKDIR", many("WORKDIR /a\n")),
        (
            "stages",
            (0..5_000).fold("FROM debian AS s0\n".to_owned(), |text, number| {
                text + &format!("FROM s{number} AS s{}\nRUN apk update && rm -rf ~/.npm\n", number + 1)
            }),
        ),
    ];
    for (name, text) in files {
        let file = parse(&text);
        let start = Instant::now();
        let facts = Facts::new(&file);
        let difference = check(&facts, &facts, &Licence::default());
        println!("{name}: {:?}", start.elapsed());
        assert_eq!(difference, Ok(()), "{name}");
        // Unoptimised code is some twenty times slower.
        assert!(start.elapsed() < Duration::from_secs(60), "{name}: {:?}", start.elapsed());
    }
}

const INSTRUCTIONS: [&str; 34] = [
    "FROM debian",
    "FROM alpine AS build",
    "FROM build",
    "FROM ${BASE}",
    "FROM scratch",
    "ARG BASE=debian",
    "ARG V",
    "ARG V=$A",
    "ENV A=1 B=$A",
    "ENV A b c",
    "ENV A=$V",
    "USER app",
    "USER $A",
    "WORKDIR a",
    "WORKDIR $A/b",
    "SHELL [\"/bin/bash\", \"-ec\"]",
    "SHELL [\"powershell\"]",
    "COPY . .",
    "COPY --from=0 /x /y",
    "COPY --from=build /var/lib/apt/lists /x",
    "COPY <<EOF /x\n$A\nEOF",
    "ADD a b c /d/",
    "VOLUME /v",
    "VOLUME [\"/v\"]",
    "EXPOSE 1 2",
    "LABEL a=b \"c\"=\"d e\"",
    "CMD x",
    "CMD [\"x\"]",
    "ENTRYPOINT x",
    "HEALTHCHECK CMD x",
    "ONBUILD RUN x && y",
    "STOPSIGNAL 9",
    "MAINTAINER x",
    "# hadolint ignore=DL1",
];

const FRAGMENTS: [&str; 40] = [
    "a",
    "&&",
    "||",
    ";",
    "|",
    "&",
    "(",
    ")",
    "{",
    "}",
    "!",
    "cd x",
    "export A=1",
    "A=1",
    "$A",
    "${A:=b}",
    "$(a)",
    "`b`",
    "'q'",
    "\"q\"",
    "> f",
    "2>&1",
    "apt-get update",
    "apt-get install -y x",
    "rm -rf /var/lib/apt/lists/*",
    "apk add --no-cache x",
    "pip install -U pip",
    "if a; then b; fi",
    "for i in a b; do c; done",
    "case $A in a) b;; esac",
    "[[ a ]]",
    "\\\n",
    "\n",
    "f() { a; }",
    "set -e",
    "~/.npm",
    "npm cache clean --force",
    "sudo -E",
    "env -i",
    "xargs",
];

fn line() -> impl Strategy<Value = String> {
    let run = prop::collection::vec(prop::sample::select(&FRAGMENTS[..]), 0..8)
        .prop_map(|fragments| format!("RUN {}", fragments.join(" ")));
    let instruction = prop::sample::select(&INSTRUCTIONS[..]).prop_map(str::to_owned);
    prop_oneof![run, instruction]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn built_files(lines in prop::collection::vec(line(), 0..12)) {
        for start in ["", "FROM debian\n", "# escape=`\nFROM debian\n"] {
            let text = format!("{start}{}\n", lines.join("\n"));
            prop_assert_eq!(is_itself(&text), Ok(()), "{}", text);
        }
    }

    #[test]
    fn any_two_files_are_compared(a in prop::collection::vec(line(), 0..9), b in prop::collection::vec(line(), 0..9)) {
        let (a, b) = (format!("FROM x\n{}\n", a.join("\n")), format!("FROM x\n{}\n", b.join("\n")));
        let (a, b) = (parse(&a), parse(&b));
        let _ = check(&Facts::new(&a), &Facts::new(&b), &Licence::default());
    }
}
