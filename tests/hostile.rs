//! Hostile files: each ends, and soon. Nothing is timed here, but a file that takes more than linear
//! time hangs the test. `cargo test --release --test hostile -- --nocapture --test-threads 1` prints
//! the seconds of each.

#![allow(clippy::print_stdout, missing_docs, unreachable_pub, reason = "a test may print")]
#![allow(dead_code, reason = "not every property is checked here")]

#[path = "support/properties.rs"]
mod properties;

use std::time::Instant;

use dockeropt::pipeline::{Options, optimize};

/// BuildKit refuses lines of 65,536 bytes and more.
const LONGEST_LINE: usize = 65_535;

/// Runs a file through everything; if lines are so long that it is refused, also with those continued.
fn ends(name: &str, text: &str) {
    end(name, text);
    if text.lines().any(|line| line.len() > LONGEST_LINE) {
        end(&format!("{name}, continued"), &continued(text));
    }
}

/// The text with long lines cut by continuations.
fn continued(text: &str) -> String {
    let mut result = String::new();
    let mut length = 0;
    for character in text.chars() {
        if length >= 1000 && !matches!(character, '\n' | '\\' | '\r') && !result.ends_with('\\') {
            result.push_str("\\\n");
            length = 0;
        }
        result.push(character);
        length = if character == '\n' { 0 } else { length + 1 };
    }
    result
}

/// Runs a file through everything, with safe fixes and with all.
fn end(name: &str, text: &str) {
    let start = Instant::now();
    assert_eq!(properties::lossless(text.as_bytes()), Ok(()));
    let read = start.elapsed().as_secs_f64();
    for (kind, options) in ["safe", "unsafe"].into_iter().zip(properties::both()) {
        let start = Instant::now();
        let outcome = optimize(text, &options);
        let time = start.elapsed().as_secs_f64();
        println!(
            "{name}\t{kind}\t{:.1} MB\tread {read:.3} s\toptimize {time:.3} s\t{} fixes\t{} diagnostics",
            text.len() as f64 / 1e6,
            outcome.fixes.len(),
            outcome.diagnostics.len()
        );
        assert_eq!(outcome.bugs.first().map(|bug| &bug.message), None, "{name} {kind}");
        assert_eq!(optimize(&outcome.after, &Options::default()).bugs.len(), 0, "{name} {kind}, again");
    }
}

fn repeat(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// A test of the file that an expression makes.
macro_rules! hostile {
    ($($(#[$doc:meta])* $name:ident: $text:expr;)*) => {
        $($(#[$doc])* #[test] fn $name() { ends(stringify!($name), &$text); })*
    };
}

hostile! {
    deep_parentheses: format!("FROM a\nRUN {}true{}\n", "(".repeat(50_000), ")".repeat(50_000));
    deep_unclosed_parentheses: format!("FROM a\nRUN {}\n", "( ".repeat(100_000));
    deep_substitutions: format!("FROM a\nRUN echo {}x{}\n", "$(echo ".repeat(50_000), ")".repeat(50_000));
    deep_quoted_substitutions: format!("FROM a\nRUN echo {}x{}\n", "\"$(echo ".repeat(20_000), ")\"".repeat(20_000));
    deep_backticks: format!("FROM a\nRUN echo {}\n", "`echo \\".repeat(20_000));
    deep_ifs: format!("FROM a\nRUN {}true;{}\n", "if true; then ".repeat(20_000), " fi;".repeat(20_000));
    deep_parameters: format!("FROM a\nRUN echo {}x{}\n", "${a:-".repeat(50_000), "}".repeat(50_000));
    deep_parameters_in_env: format!("FROM a\nENV x={}x{}\n", "${a:-".repeat(20_000), "}".repeat(20_000));
    deep_arithmetic: format!("FROM a\nRUN echo $(({}1{}))\n", "(".repeat(50_000), ")".repeat(50_000));
    deep_groups: format!("FROM a\nRUN {}true;{}\n", "{ ".repeat(20_000), " };".repeat(20_000));
    capped_substitutions: format!("FROM a\nRUN {}\n", format!("echo {}x{} && ", "$(echo ".repeat(90), ")".repeat(90)).repeat(500) + "true");
    deep_json: format!("FROM a\nRUN {}\n", "[".repeat(100_000));
    nested_onbuild: format!("FROM a\n{}RUN true\n", "ONBUILD ".repeat(50_000));
    continuation_lines: format!("FROM a\nRUN echo \\\n{}  x\n", "  word \\\n".repeat(100_000));
    continuation_lines_with_comments: format!("FROM a\nRUN echo \\\n{}  x\n", "# why\n  word \\\n\n".repeat(50_000));
    continued_install: format!("FROM debian:12\nRUN apt-get update && apt-get install -y \\\n{}  curl\n", repeat(50_000, |at| format!("  package{at} \\\n")));
    many_onbuild: format!("FROM debian:12\n{}", "ONBUILD RUN apt-get install -y curl\n".repeat(20_000));
    onbuild_after_install: format!("FROM debian:12\nRUN apt-get update && apt-get install -y gcc\n{}", "ONBUILD RUN make\n".repeat(20_000));
    many_runs: format!("FROM debian:12\n{}", repeat(20_000, |at| format!("RUN make step{at}\n")));
    many_equal_runs: format!("FROM debian:12\n{}", "RUN make\n".repeat(20_000));
    many_updates_and_installs: format!("FROM debian:12\n{}", "RUN apt-get update\nRUN apt-get install -y curl\n".repeat(10_000));
    installs_and_copies: format!("FROM debian:12\n{}", repeat(20_000, |at| format!("COPY . /app{at}\nRUN apt-get update && apt-get install -y package{at}\n")));
    equal_installs_and_copies: format!("FROM debian:12\n{}", "COPY . /app\nRUN apt-get update && apt-get install -y curl\n".repeat(20_000));
    installs_and_unknown: format!("FROM debian:12\n{}", repeat(10_000, |at| format!("RUN apt-get update && apt-get install -y package{at}\nRUN ./script{at}\n")));
    manifests_and_copies: format!("FROM node:20\nWORKDIR /app\n{}", "COPY . .\nRUN npm ci && npm run build\n".repeat(10_000));
    manifests_in_chained_stages: format!("FROM node:20 AS s0\nWORKDIR /app\n{}", repeat(5_000, |at| format!("FROM s{at} AS s{}\nCOPY . .\nRUN npm ci\n", at + 1)));
    pip_installs: format!("FROM python:3.12\n{}", repeat(20_000, |at| format!("RUN pip install package{at}\n")));
    apk_adds: format!("FROM alpine:3.20\n{}", repeat(20_000, |at| format!("RUN apk update && apk add package{at}\n")));
    made_and_deleted: format!("FROM debian:12\n{}", repeat(10_000, |at| format!("RUN curl -o /tmp/{at} https://a.example/{at}\nRUN rm /tmp/{at}\n")));
    environment_then_runs: format!("FROM debian:12\n{}{}", repeat(10_000, |at| format!("ENV NAME{at}=value{at}\n")), repeat(10_000, |at| format!("RUN echo $NAME{at}\n")));
    growing_environment: format!("FROM debian:12\nENV A=x\n{}RUN echo $A\n", "ENV A=$A$A\n".repeat(60));
    many_arguments: format!("{}FROM debian:12\n{}", repeat(10_000, |at| format!("ARG NAME{at}=$NAME{}\n", at.max(1) - 1)), repeat(10_000, |at| format!("ARG NAME{at}\n")));
    environment_in_one_line: format!("FROM debian:12\nENV {}\nRUN true\n", repeat(20_000, |at| format!("NAME{at}=value ")));
    many_folders: format!("FROM debian:12\n{}RUN true\n", "WORKDIR deeper\n".repeat(20_000));
    long_word: format!("FROM a\nRUN echo {}\n", "x".repeat(1_000_000));
    long_quoted_word: format!("FROM a\nRUN echo \"{}\"\n", "x\\\"".repeat(300_000));
    long_braces: format!("FROM a\nRUN rm -rf /var/{}\n", "{a,b}".repeat(2_000));
    nested_braces: format!("FROM a\nRUN rm -rf /var/{}x{}\n", "{a,".repeat(20_000), "}".repeat(20_000));
    long_pattern: format!("FROM a\nARG X={}\nENV Y=${{X#{}b}}\n", "a".repeat(20_000), "*a".repeat(5_000));
    instructions_10_mb: format!("FROM debian:12\n{}", repeat(120_000, |at| format!("ENV NAME{}=value\nCOPY src{at} /app/{at}\nRUN make target{at} && echo done with the work > /log\n", at % 50)));
    many_comments: format!("FROM debian:12\nRUN apt-get update\n{}RUN apt-get install -y curl\n", repeat(50_000, |at| format!("# comment {at}\n")));
    many_equal_comments: format!("{}FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n", "# ---------\n\n".repeat(50_000));
    chained_stages: format!("FROM debian:12 AS s0\nRUN apt-get update && apt-get install -y curl\n{}", repeat(5_000, |at| format!("FROM s{at} AS s{}\nRUN true\n", at + 1)));
    chained_stages_with_installs: format!("FROM debian:12 AS s0\n{}", repeat(5_000, |at| format!("FROM s{at} AS s{}\nRUN apt-get update && apt-get install -y curl\n", at + 1)));
    branching_stages: format!("FROM debian:12 AS base\nRUN apt-get update && apt-get install -y curl\n{}", repeat(5_000, |at| format!("FROM base AS s{at}\nRUN true\nCOPY --from=base /a /b\n")));
    many_commands: format!("FROM debian:12\nRUN true{}\n", repeat(20_000, |at| format!(" && echo {at}")));
    many_installs_in_one_run: format!("FROM debian:12\nRUN apt-get update{}\n", repeat(20_000, |at| format!(" && apt-get install -y package{at}")));
    many_cleanups_in_one_run: format!("FROM debian:12\nRUN apt-get update{}\n", " && apt-get install -y curl && rm -rf /var/lib/apt/lists/*".repeat(10_000));
    many_packages: format!("FROM debian:12\nRUN apt-get update && apt-get install -y{}\n", repeat(10_000, |at| format!(" package{at}")));
    many_packages_in_two_calls: format!("FROM debian:12\nRUN apt-get update && apt-get install -y{0} && apt-get install -y{0}\n", repeat(10_000, |at| format!(" package{at}")));
    many_heredocs: format!("FROM debian:12\n{}", repeat(5_000, |at| format!("RUN <<EOF{at}\napt-get update\napt-get install -y curl\nEOF{at}\n")));
    many_heredocs_in_one_run: format!("FROM debian:12\nRUN cat{}\n{}", repeat(5_000, |at| format!(" <<E{at}")), repeat(5_000, |at| format!("text\nE{at}\n")));
    unclosed_heredocs: format!("FROM debian:12\n{}", "RUN <<EOF\n".repeat(20_000));
    many_flags: format!("FROM debian:12\nRUN {}true\n", repeat(10_000, |at| format!("--mount=type=cache,target=/c{at} ")));
    many_errors: format!("FROM debian:12\n{}", "NOSUCH instruction\n".repeat(50_000));
    many_equal_errors_like_runs: format!("FROM debian:12\n{}", "RUNN true\n".repeat(50_000));
    only_quotes: format!("FROM a\nRUN {}\nENV a={}\nLABEL {}\n", "\"".repeat(99_999), "'".repeat(99_998), "\"".repeat(99_998));
    carriage_returns: format!("FROM debian:12\r\n{}", "RUN apt-get update\r\n\r\r\n".repeat(5_000));
}
