//! The report for programs: one JSON object, written as the files are done.
//!
//! The schema is versioned: within a version, keys are only added.

use std::borrow::Cow;

use dockeropt_facts::Knowledge;
use serde::Serialize;

use super::gains::Rebuilds;
use super::{Closing, FileReport, Report, append_json, plain, word};
use crate::diff::{Texts, unified};
use crate::palette::Palette;
use crate::pipeline::{ReportedDiagnostic, ReportedFix, ReportedRefusal};
use crate::problem::Problem;
use crate::redact::{Redacted, redact};

/// The format.
pub struct Json;

impl Report for Json {
    fn head(&self) -> Vec<u8> {
        b"{\"version\":1,\"files\":[".to_vec()
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        print(file, out);
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"],\"errors\":");
        append_json(&closing.problems.iter().map(|located| error(located.problem)).collect::<Vec<_>>(), out);
        out.extend_from_slice(b",\"tables\":");
        append_json(&Knowledge::provenance().collect::<Vec<_>>(), out);
        out.extend_from_slice(b"}\n");
    }
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    changed: bool,
    /// What was applied, in that order.
    fixes: Vec<Fix<'a>>,
    /// What needs `--unsafe`.
    held_back: Vec<Fix<'a>>,
    declined: Vec<Declined<'a>>,
    /// Comments to tools that mean nothing.
    warnings: Vec<Warning<'a>>,
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
    /// How many RUNs a change in the context runs again, before the fix and after it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    rebuilds: Option<Rebuilds>,
}

#[derive(Serialize)]
struct Declined<'a> {
    transform: &'a str,
    line: usize,
    reason: Cow<'a, str>,
}

#[derive(Serialize)]
struct Warning<'a> {
    line: usize,
    column: usize,
    message: Cow<'a, str>,
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

fn print(file: &FileReport<'_>, out: &mut Vec<u8>) {
    let secrets = redact(file.before);
    let secrets_after = redact(&file.outcome.after);
    let texts = Texts {
        before: file.before,
        after: &file.outcome.after,
        shown_before: &secrets.text,
        shown_after: &secrets_after.text,
    };
    let mut diff = Vec::new();
    unified(&file.location.bytes, texts, &Palette::default(), &mut diff);
    super::diff::print_ignore(file, &Palette::default(), &mut diff);
    let outcome = file.outcome;
    let object = File {
        path: file.path,
        changed: file.is_changed(),
        fixes: outcome.fixes.iter().map(|fix| fix_object(fix, &secrets)).collect(),
        held_back: outcome.held_back.iter().map(|fix| fix_object(fix, &secrets)).collect(),
        declined: outcome.declined.iter().map(|declined| declined_object(declined, &secrets)).collect(),
        warnings: outcome.warnings.iter().map(|warning| warning_object(warning, &secrets)).collect(),
        diff: Cow::Owned(match String::from_utf8(diff) {
            Ok(diff) => diff,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        redacted: secrets.is_redacted(),
    };
    append_json(&object, out);
}

/// The fixes of a file, for a report in which the text is shown in full.
pub(crate) fn fixes<'a>(fixes: &'a [ReportedFix], secrets: &Redacted<'_>) -> Vec<impl Serialize + use<'a>> {
    fixes.iter().map(|fix| fix_object(fix, secrets)).collect()
}

/// The refusals of a file.
pub(crate) fn refusals<'a>(
    declined: &'a [ReportedRefusal],
    secrets: &Redacted<'_>,
) -> Vec<impl Serialize + use<'a>> {
    declined.iter().map(|declined| declined_object(declined, secrets)).collect()
}

/// The warnings about a file.
pub(crate) fn warnings<'a>(
    warnings: &'a [ReportedDiagnostic],
    secrets: &Redacted<'_>,
) -> Vec<impl Serialize + use<'a>> {
    warnings.iter().map(|warning| warning_object(warning, secrets)).collect()
}

fn fix_object<'a>(fix: &'a ReportedFix, secrets: &Redacted<'_>) -> Fix<'a> {
    Fix {
        transform: fix.transform,
        title: plain(secrets.scrub(&fix.title)),
        applicability: word(fix.applicability),
        fingerprint: &fix.fingerprint,
        start_line: fix.start_line,
        end_line: fix.end_line,
        claims: plain_all(&fix.claims, secrets),
        assumes: plain_all(&fix.assumes, secrets),
        notes: plain_all(&fix.notes, secrets),
        saves_bytes: fix.saves,
        rebuilds: Rebuilds::of(fix),
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

fn warning_object<'a>(warning: &'a ReportedDiagnostic, secrets: &Redacted<'_>) -> Warning<'a> {
    let message = plain(secrets.scrub(&warning.message));
    Warning { line: warning.line, column: warning.column, message }
}

fn error(problem: &Problem) -> Error<'_> {
    Error {
        path: &problem.path,
        message: &problem.message,
        line: problem.place.map(|(line, _)| line),
        column: problem.place.map(|(_, column)| column),
    }
}
