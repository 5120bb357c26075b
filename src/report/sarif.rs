//! SARIF 2.1.0, the format of code scanning: each fix is a result, with the change that makes it.

use std::borrow::Cow;
use std::fmt::Write;

use dockeropt_transforms::ALL;
use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Closing, FileReport, Located, Report, append_json, plain, sentence, word};
use crate::diff::{Location, lines};
use crate::pipeline::{Outcome, ReportedFix, ReportedRefusal};
use crate::redact::{Redacted, redact};

/// Beyond so many bytes times fixes, a file has its results without the changes.
const MOST_WORK: usize = 32 << 20;

/// The format.
pub struct Sarif;

impl Report for Sarif {
    fn head(&self) -> Vec<u8> {
        let driver = json!({
            "name": env!("CARGO_PKG_NAME"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules(),
        });
        let schema = "https://json.schemastore.org/sarif-2.1.0.json";
        format!(
            "{{\"$schema\":\"{schema}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\
             \"columnKind\":\"unicodeCodePoints\",\"results\":["
        )
        .into_bytes()
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let secrets = redact(file.before);
        let fixes = file.fixes().into_iter().map(|fix| fix_result(file, fix, &secrets));
        let declined: &[_] = if file.why_not { &file.outcome.declined } else { &[] };
        let declined = declined.iter().map(|refusal| refusal_result(file, refusal, &secrets));
        for (at, result) in fixes.chain(declined).enumerate() {
            if at > 0 {
                out.extend_from_slice(self.separator());
            }
            append_json(&result, out);
        }
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        let notifications = |level: &'static str, problems: &[Located<'_>]| {
            problems.iter().map(move |problem| notification(level, problem)).collect::<Vec<_>>()
        };
        let all =
            [notifications("error", closing.problems), notifications("warning", closing.warnings)].concat();
        let invocation = json!({
            "executionSuccessful": closing.problems.is_empty(),
            "toolExecutionNotifications": all,
        });
        out.extend_from_slice(format!("],\"invocations\":[{invocation}]}}]}}\n").as_bytes());
    }
}

/// What the transforms are.
fn rules() -> Vec<Value> {
    let rule = |transform: &&dyn dockeropt_transforms::Transform| {
        let meta = transform.meta();
        let doc = meta.doc();
        json!({
            "id": meta.id,
            "shortDescription": { "text": meta.summary },
            "fullDescription": { "text": doc.split("\n\n").next().unwrap_or_default().trim() },
            "help": { "text": doc, "markdown": doc },
            "defaultConfiguration": { "enabled": meta.on_by_default, "level": "warning" },
        })
    };
    ALL.iter().map(rule).collect()
}

fn fix_result(file: &FileReport<'_>, fix: &ReportedFix, secrets: &Redacted<'_>) -> Value {
    let level = if file.is_applied(fix) { "warning" } else { "note" };
    let mut result = result(file, fix.transform, fix.start_line..=fix.end_line);
    result["level"] = level.into();
    result["message"] = json!({ "text": sentence(fix, secrets) });
    result["partialFingerprints"] = json!({ "dockeropt/v1": fix.fingerprint });
    result["properties"] = json!({ "applicability": word(fix.applicability) });
    // Each change is a rewrite of its own, which takes long where there are very many.
    let fixes = file.outcome.fixes.len() + file.outcome.held_back.len();
    let alone = if fixes * file.before.len() > MOST_WORK { None } else { (file.alone)(fix) };
    if let Some(change) = alone.and_then(|alone| change(file, fix, &alone)) {
        result["fixes"] = json!([change]);
    }
    result
}

fn refusal_result(file: &FileReport<'_>, refusal: &ReportedRefusal, secrets: &Redacted<'_>) -> Value {
    let mut result = result(file, refusal.transform, refusal.line..=refusal.line);
    result["kind"] = "informational".into();
    result["level"] = "none".into();
    result["message"] = json!({ "text": plain(secrets.scrub(&refusal.reason)) });
    result
}

fn result(file: &FileReport<'_>, transform: &str, lines: std::ops::RangeInclusive<usize>) -> Value {
    let mut result = json!({
        "ruleId": transform,
        "locations": [{ "physicalLocation": {
            "artifactLocation": artifact(file.location),
            "region": { "startLine": lines.start(), "endLine": lines.end() },
        }}],
    });
    if let Some(at) = ALL.iter().position(|known| known.meta().id == transform) {
        result["ruleIndex"] = at.into();
    }
    result
}

/// The change that makes a fix, as `alone` has it; none if it can't be told without bytes that are not
/// UTF-8 or are secret.
fn change(file: &FileReport<'_>, fix: &ReportedFix, alone: &Outcome) -> Option<Value> {
    let mut changes = Vec::new();
    if alone.after != file.before {
        changes.push(artifact_change(file.location, &replacements(file.before, &alone.after)?));
    }
    if let Some(change) = &alone.ignore {
        // A file that isn't there can't be made by replacing parts of it.
        let before = change.before.as_ref()?;
        changes.push(artifact_change(file.ignore_location?, &replacements(before, &change.after)?));
    }
    let with: Vec<_> = alone.fixes.iter().filter(|other| other.fingerprint != fix.fingerprint).collect();
    let mut text = fix.title.clone();
    for (at, other) in with.iter().enumerate() {
        let _ = write!(text, "{}{}", if at == 0 { ", with: " } else { "; " }, other.title);
    }
    Some(json!({
        "description": { "text": plain(redact(file.before).scrub(&text)) },
        "artifactChanges": changes,
    }))
}

fn artifact_change(location: &Location, replacements: &[Value]) -> Value {
    json!({ "artifactLocation": artifact(location), "replacements": replacements })
}

/// What makes one text the other: whole lines of it by others.
fn replacements(before: &str, after: &str) -> Option<Vec<Value>> {
    let shown = redact(after);
    let (old, new, shown) = (lines(before), lines(after), lines(&shown.text));
    let changes = capture_diff_slices(Algorithm::Myers, &old, &new);
    changes
        .iter()
        .filter(|change| !matches!(change, DiffOp::Equal { .. }))
        .map(|change| {
            let inserted = &new[change.new_range()];
            if inserted != shown.get(change.new_range())? {
                return None;
            }
            let text = inserted.concat();
            if !matches!(plain(Cow::Borrowed(&text)), Cow::Borrowed(_)) {
                return None;
            }
            let mut replacement = json!({ "deletedRegion": region(&old, change.old_range()) });
            if !text.is_empty() {
                // The mark at the start of a file is not part of its first column.
                replacement["insertedContent"] = json!({ "text": text.trim_start_matches('\u{feff}') });
            }
            Some(replacement)
        })
        .collect()
}

/// Lines, given from 0 and without the last, with the ends of all but the last line of the file.
fn region(lines: &[&str], range: std::ops::Range<usize>) -> Value {
    let (end_line, end_column) = match lines.get(range.end.wrapping_sub(1)) {
        Some(last) if range.end == lines.len() && !last.ends_with('\n') => {
            (range.end, last.chars().count() + 1)
        }
        _ => (range.end + 1, 1),
    };
    let start_line = (range.start + 1).min(end_line);
    let start_column = if range.start + 1 > end_line { end_column } else { 1 };
    json!({
        "startLine": start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column,
    })
}

fn notification(level: &str, Located { problem, location: file }: &Located<'_>) -> Value {
    let mut location = json!({ "artifactLocation": artifact(file) });
    if let Some((line, column)) = problem.place {
        location["region"] = json!({ "startLine": line, "startColumn": column });
    }
    json!({
        "level": level,
        "message": { "text": plain(Cow::Borrowed(&problem.message)) },
        "locations": [{ "physicalLocation": location }],
    })
}

fn artifact(location: &Location) -> Value {
    let uri = uri(&location.bytes);
    if location.is_inside {
        json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
    } else {
        json!({ "uri": format!("file://{uri}") })
    }
}

/// A path as a reference in URIs.
fn uri(path: &[u8]) -> String {
    let mut text = String::new();
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
