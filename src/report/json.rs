//! The report for programs: one JSON object, written as the files are done.
//!
//! The schema is versioned: within a version, keys are only added.

use std::borrow::Cow;
use std::io::{self, Write};

use dockeropt_syntax::Text;
use serde::Serialize;

use super::FileReport;
use crate::diff::{Texts, unified};
use crate::palette::Palette;
use crate::pipeline::{Applicability, ReportedFix, ReportedRefusal};
use crate::problem::Problem;
use crate::redact::{Redacted, redact};

/// What stands before the first file.
pub const HEAD: &[u8] = b"{\"version\":1,\"files\":[";
/// What stands between files.
pub const SEPARATOR: &[u8] = b",\n";

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    changed: bool,
    /// What was applied, in that order.
    fixes: Vec<Fix<'a>>,
    /// What needs `--unsafe`.
    held_back: Vec<Fix<'a>>,
    declined: Vec<Declined<'a>>,
    diff: Cow<'a, str>,
    /// Whether a secret was hidden, so that the diff can't be applied.
    redacted: bool,
}

#[derive(Serialize)]
struct Fix<'a> {
    transform: &'a str,
    title: Cow<'a, str>,
    applicability: &'a str,
    fingerprint: &'a str,
    start_line: usize,
    end_line: usize,
    claims: Vec<Cow<'a, str>>,
    assumes: Vec<Cow<'a, str>>,
    notes: Vec<Cow<'a, str>>,
    /// How many bytes the image is expected to lose, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    saves_bytes: Option<i64>,
}

#[derive(Serialize)]
struct Declined<'a> {
    transform: &'a str,
    line: usize,
    reason: Cow<'a, str>,
}

#[derive(Serialize)]
struct Error<'a> {
    path: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

/// Appends the object of one file.
pub fn print(file: &FileReport<'_>, out: &mut Vec<u8>) {
    let secrets = redact(file.before);
    let secrets_after = redact(&file.outcome.after);
    let texts = Texts {
        before: file.before,
        after: &file.outcome.after,
        shown_before: &secrets.text,
        shown_after: &secrets_after.text,
    };
    let mut diff = Vec::new();
    unified(file.name, texts, &Palette::default(), &mut diff);
    if let Some((change, name)) = file.outcome.ignore.as_ref().zip(file.ignore_name) {
        super::diff::print_ignore(change, name, &Palette::default(), &mut diff);
    }
    let outcome = file.outcome;
    let object = File {
        path: file.path,
        changed: file.is_changed(),
        fixes: outcome.fixes.iter().map(|fix| fix_object(fix, &secrets)).collect(),
        held_back: outcome.held_back.iter().map(|fix| fix_object(fix, &secrets)).collect(),
        declined: outcome.declined.iter().map(|declined| declined_object(declined, &secrets)).collect(),
        diff: Cow::Owned(match String::from_utf8(diff) {
            Ok(diff) => diff,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        redacted: secrets.is_redacted(),
    };
    // Writing strings to memory does not fail.
    let _ = serde_json::to_writer(out, &object);
}

fn fix_object<'a>(fix: &'a ReportedFix, secrets: &Redacted<'_>) -> Fix<'a> {
    Fix {
        transform: fix.transform,
        title: plain(secrets.scrub(&fix.title)),
        applicability: match fix.applicability {
            Applicability::Safe => "safe",
            Applicability::Unsafe => "unsafe",
            Applicability::Display => "display",
        },
        fingerprint: &fix.fingerprint,
        start_line: fix.start_line,
        end_line: fix.end_line,
        claims: plain_all(&fix.claims, secrets),
        assumes: plain_all(&fix.assumes, secrets),
        notes: plain_all(&fix.notes, secrets),
        saves_bytes: fix.saves,
    }
}

fn declined_object<'a>(declined: &'a ReportedRefusal, secrets: &Redacted<'_>) -> Declined<'a> {
    Declined {
        transform: declined.transform,
        line: declined.line,
        reason: plain(secrets.scrub(&declined.reason)),
    }
}

fn plain_all<'a>(texts: &'a [String], secrets: &Redacted<'_>) -> Vec<Cow<'a, str>> {
    texts.iter().map(|text| plain(secrets.scrub(text))).collect()
}

/// A message without the characters that stand for bytes that are not UTF-8, which mean nothing to
/// other programs.
fn plain(text: Cow<'_, str>) -> Cow<'_, str> {
    match Text::encode(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Ends the object with what went wrong.
pub fn finish(problems: &[Problem], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"],\"errors\":")?;
    let errors: Vec<_> = problems
        .iter()
        .map(|problem| Error {
            path: &problem.path,
            message: &problem.message,
            line: problem.place.map(|(line, _)| line),
            column: problem.place.map(|(_, column)| column),
        })
        .collect();
    serde_json::to_writer(&mut *out, &errors)?;
    out.write_all(b"}\n")
}
