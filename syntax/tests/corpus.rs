//! Real files: `DOCKEROPT_CORPUS` names a gzipped file with one JSON object a line, the file in `text`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail")]

use std::io::{BufRead, BufReader};

use dockeropt_syntax::{Text, parse};
use flate2::read::GzDecoder;

fn corpus() -> Option<Vec<(String, String)>> {
    let Ok(path) = std::env::var("DOCKEROPT_CORPUS") else {
        println!("skipped: DOCKEROPT_CORPUS is not set");
        return None;
    };
    let lines = BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    let entry = |line: std::io::Result<String>| {
        let entry: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        (entry["id"].to_string(), entry["text"].as_str().unwrap().to_owned())
    };
    Some(lines.map(entry).collect())
}

#[test]
fn real_files_are_kept() {
    for (id, text) in corpus().unwrap_or_default() {
        let text = Text::decode(text.into_bytes());
        assert_eq!(parse(text.as_str()).print(), text.as_str(), "{id}");
    }
}

/// The crate `parse-dockerfile` finds the same instructions at the same places. Files are left out
/// where it is known to differ: with a byte order mark its spans are off.
#[test]
fn another_parser_agrees() {
    let mut compared = 0;
    let mut differences = Vec::new();
    for (id, text) in corpus().unwrap_or_default() {
        let ours = parse(&text);
        if text.starts_with('\u{feff}') || !ours.diagnostics.is_empty() {
            continue;
        }
        let Ok(theirs) = parse_dockerfile::parse(&text) else { continue };
        compared += 1;
        let ours: Vec<_> = ours
            .instructions()
            .map(|found| {
                let keyword = found.logical.source_span(found.operation.keyword_span);
                (found.keyword().name(), keyword.range())
            })
            .collect();
        let theirs: Vec<_> = theirs.instructions.iter().map(keyword).collect();
        if ours != theirs {
            differences.push(format!("{id}: {:?}", ours.iter().zip(&theirs).find(|(a, b)| a != b)));
        }
    }
    println!("{compared} files compared");
    assert!(differences.len() * 500 <= compared, "{}\n{}", differences.len(), differences.join("\n"));
}

fn keyword(found: &parse_dockerfile::Instruction<'_>) -> (&'static str, std::ops::Range<usize>) {
    use parse_dockerfile::Instruction as I;
    match found {
        I::Add(found) => ("ADD", found.add.span.clone()),
        I::Arg(found) => ("ARG", found.arg.span.clone()),
        I::Cmd(found) => ("CMD", found.cmd.span.clone()),
        I::Copy(found) => ("COPY", found.copy.span.clone()),
        I::Entrypoint(found) => ("ENTRYPOINT", found.entrypoint.span.clone()),
        I::Env(found) => ("ENV", found.env.span.clone()),
        I::Expose(found) => ("EXPOSE", found.expose.span.clone()),
        I::From(found) => ("FROM", found.from.span.clone()),
        I::Healthcheck(found) => ("HEALTHCHECK", found.healthcheck.span.clone()),
        I::Label(found) => ("LABEL", found.label.span.clone()),
        I::Maintainer(found) => ("MAINTAINER", found.maintainer.span.clone()),
        I::Onbuild(found) => ("ONBUILD", found.onbuild.span.clone()),
        I::Run(found) => ("RUN", found.run.span.clone()),
        I::Shell(found) => ("SHELL", found.shell.span.clone()),
        I::Stopsignal(found) => ("STOPSIGNAL", found.stopsignal.span.clone()),
        I::User(found) => ("USER", found.user.span.clone()),
        I::Volume(found) => ("VOLUME", found.volume.span.clone()),
        I::Workdir(found) => ("WORKDIR", found.workdir.span.clone()),
        _ => ("?", 0..0),
    }
}
