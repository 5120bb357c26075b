//! `fix --jsonl`: a file from each line of standard input, a result in each line of standard output.
//! `docs/JSONL.md` has the schema.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write, stderr, stdin, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use dockeropt_facts::project::Project;
use dockeropt_syntax::Text;
use dockeropt_transforms::Surroundings;
use serde::{Deserialize, Serialize};

use crate::choices::Choices;
use crate::cli::FixArgs;
use crate::fix::{caught, describe_bug};
use crate::ordered::stream;
use crate::pipeline::{Options, Outcome, optimize_in};
use crate::problem::describe;
use crate::read::LIMIT;
use crate::redact::redact;
use crate::report::json;
use crate::rewriting::jobs;
use crate::run::WOULD_CHANGE;
use crate::summary::Summary;

/// The longest line that is read, in bytes: it may hold a text as long as a file may be, escaped, and files
/// beside it.
const LONGEST: u64 = 8 * LIMIT;
/// How many bytes are read at a time.
const BUFFER: usize = 256 << 10;
/// How many lines a thread takes at a time, at most.
const BLOCK: usize = 16;

/// A line of the input.
#[derive(Deserialize)]
struct Input<'i> {
    #[serde(borrow)]
    path: Cow<'i, str>,
    #[serde(borrow)]
    text: Cow<'i, str>,
    /// The build context: the content of its files, by path.
    files: Option<BTreeMap<String, String>>,
}

/// What became of a line.
struct Answer {
    line: Vec<u8>,
    summary: Summary,
}

#[derive(Serialize)]
struct Failure<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Serialize)]
struct Success<'a, F, R, W> {
    path: &'a str,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore: Option<Ignore<'a>>,
    fixes: F,
    held_back: F,
    #[serde(skip_serializing_if = "Option::is_none")]
    declined: Option<R>,
    warnings: W,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bugs: Vec<String>,
}

/// The new text of the ignore file.
#[derive(Serialize)]
struct Ignore<'a> {
    path: &'a str,
    text: &'a str,
}

/// Runs it.
pub(crate) fn run(arguments: &FixArgs, choices: &Choices) -> anyhow::Result<ExitCode> {
    // A wrong configuration is told at once.
    choices.options_of_text(Path::new(""))?;
    let mut lines = Lines { reader: BufReader::with_capacity(BUFFER, stdin()), failure: None };
    let mut out = stdout().lock();
    let mut summary = Summary { written: true, ..Summary::default() };
    let mut failure = None;
    let answer = |block: Vec<Line>| {
        block.into_iter().map(|line| answer(line, choices, arguments.why_not)).collect::<Vec<Answer>>()
    };
    stream(
        || lines.block(),
        jobs(arguments),
        answer,
        |answers| {
            let mut bytes = Vec::new();
            for answer in answers {
                summary.add(&answer.summary);
                bytes.extend_from_slice(&answer.line);
            }
            match out.write_all(&bytes).and_then(|()| out.flush()) {
                Ok(()) => ControlFlow::Continue(()),
                // Another thread may wait for input that never comes.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        },
    );
    if let Some(error) = failure {
        bail!("can't write the results: {}", describe(&error));
    }
    if let Some(error) = lines.failure {
        bail!("standard input: {}", describe(&error));
    }
    if !arguments.quiet {
        let _ = writeln!(stderr(), "{summary}");
    }
    let would_change = arguments.check && summary.changed > 0;
    Ok(if would_change { WOULD_CHANGE.into() } else { ExitCode::SUCCESS })
}

/// The bytes of a line; `None` if it is too long.
type Line = Option<Vec<u8>>;

struct Lines<R> {
    reader: BufReader<R>,
    failure: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    /// The next lines: one, and as many more as are there already.
    fn block(&mut self) -> Option<Vec<Line>> {
        let mut block = Vec::new();
        while block.is_empty() || block.len() < BLOCK && self.reader.buffer().contains(&b'\n') {
            match self.line() {
                Ok(Some(line)) => block.push(line),
                Ok(None) => break,
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        (!block.is_empty()).then_some(block)
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        if self.reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        let is_too_long = bytes.len() as u64 > LONGEST;
        let mut is_open = is_too_long && !bytes.ends_with(b"\n");
        while is_open {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            is_open = end.is_none() && !buffer.is_empty();
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(used);
        }
        Ok(Some((!is_too_long).then_some(bytes)))
    }
}

fn answer(line: Line, choices: &Choices, why_not: bool) -> Answer {
    let refuse = |error: String| failed(Failure { path: None, error, line: None, column: None });
    let Some(bytes) = line else {
        return refuse(format!("is longer than {} MiB", LONGEST >> 20));
    };
    let input: Input<'_> = match serde_json::from_slice(&bytes) {
        Ok(input) => input,
        Err(error) => return refuse(explained(&error)),
    };
    let path = &*input.path;
    let refuse = |error: String| failed(Failure { path: Some(path), error, line: None, column: None });
    if input.text.len() as u64 > LIMIT {
        return refuse(format!("is larger than {} MiB, which no Dockerfile is", LIMIT >> 20));
    }
    if let Some(at) = input.text.bytes().position(|byte| byte == 0) {
        return refuse(format!("is a binary file: byte {} is zero", at + 1));
    }
    let text = Text::decode(input.text.into_owned().into_bytes());
    let surroundings = match input.files {
        Some(files) => Surroundings::of(Project::from_texts(files)),
        None => Surroundings::unknown(),
    };
    let options = match choices.options_of_text(Path::new(path)) {
        Ok(options) => options,
        Err(error) => return refuse(format!("{error:#}")),
    };
    let options = if why_not { Arc::new(Options { why_not, ..(*options).clone() }) } else { options };
    match caught(|| optimize_in(text.as_str(), &options, &surroundings)) {
        Ok(outcome) => told(path, text.as_str(), &outcome, why_not),
        Err(message) => refuse(message),
    }
}

/// A message of the reader without its line, which is always the first. The place of the line among the others
/// is left out: whoever splits the input to work on its parts gets the same answers.
fn explained(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    format!("{message} at column {}", error.column())
}

fn failed(failure: Failure<'_>) -> Answer {
    let summary = Summary { errors: 1, ..Summary::default() };
    Answer { line: json_line(&failure), summary }
}

fn told(path: &str, before: &str, outcome: &Outcome, why_not: bool) -> Answer {
    if let Some(diagnostic) = outcome.diagnostics.first() {
        return failed(Failure {
            path: Some(path),
            error: redact(&diagnostic.message).text.into_owned(),
            line: Some(diagnostic.line),
            column: Some(diagnostic.column),
        });
    }
    let Outcome { fixes, held_back, declined, warnings, .. } = outcome;
    let is_said =
        !(fixes.is_empty() && held_back.is_empty() && warnings.is_empty()) || why_not && !declined.is_empty();
    // To look for secrets takes time; most files have nothing to say.
    let secrets = redact(if is_said { before } else { "" });
    let changed = before != outcome.after;
    let line = json_line(&Success {
        path,
        changed: changed || outcome.ignore.is_some(),
        text: changed.then(|| decoded(&outcome.after)),
        ignore: outcome.ignore.as_ref().map(|change| Ignore { path: &change.path, text: &change.after }),
        fixes: json::fixes(&outcome.fixes, &secrets),
        held_back: json::fixes(&outcome.held_back, &secrets),
        declined: why_not.then(|| json::refusals(&outcome.declined, &secrets)),
        warnings: json::warnings(&outcome.warnings, &secrets),
        bugs: outcome.bugs.iter().map(describe_bug).collect(),
    });
    let summary = Summary {
        files: 1,
        changed: usize::from(changed || outcome.ignore.is_some()),
        fixes: outcome.fixes.len(),
        held_back: outcome.held_back.len(),
        uncounted: outcome.held_back.len(),
        errors: outcome.bugs.len(),
        ..Summary::default()
    };
    Answer { line, summary }
}

/// The text as it came: it was UTF-8, so it is again.
fn decoded(text: &str) -> Cow<'_, str> {
    match Text::encode(text) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::with_capacity(1024);
    // Writing strings and numbers to memory does not fail.
    let _ = serde_json::to_writer(&mut line, value);
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = io::repeat(b'x').take(LONGEST + 5).chain(&b"\nnext\nlast"[..]);
        let mut lines = Lines { reader: BufReader::new(long), failure: None };
        assert_eq!(lines.line().unwrap(), Some(None));
        let rest: Vec<_> = std::iter::from_fn(|| lines.block()).flatten().collect();
        assert_eq!(rest, [Some(b"next\n".to_vec()), Some(b"last".to_vec())]);
    }
}
