//! Markdown for a comment or the page of a job.

use std::io::Write;

use super::diff::print_ignore;
use super::gains::gains;
use super::{Closing, FileReport, Located, Report, plain, sentence};
use crate::diff::{Texts, unified};
use crate::palette::Palette;
use crate::problem::{printable, printable_path};
use crate::redact::redact;

/// The format.
pub struct Markdown;

/// GitHub takes 65,536 characters in a comment.
const LIMIT: usize = 60_000;

impl Report for Markdown {
    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let declined: &[_] = if file.why_not { &file.outcome.declined } else { &[] };
        let fixes = file.fixes();
        if fixes.is_empty() && declined.is_empty() {
            return;
        }
        let secrets = redact(file.before);
        // Writing to memory does not fail.
        let _ = writeln!(out, "#### {}\n", code(&file.location.shown()));
        for fix in fixes {
            let mut title = escaped(&sentence(fix, &secrets));
            for (word, text) in gains(fix) {
                title.push_str(&format!("; {word}{} {text}", if word == "rebuilds" { ":" } else { "" }));
            }
            let mark = if file.is_applied(fix) { "" } else { " (with `--unsafe`)" };
            let _ = writeln!(out, "- line {}: **{}**{mark}: {title}", fix.start_line, fix.transform);
        }
        for refusal in declined {
            let reason = escaped(&plain(secrets.scrub(&refusal.reason)));
            let _ = writeln!(out, "- line {}: {} left it alone: {reason}", refusal.line, refusal.transform);
        }
        if file.is_changed() {
            print_diff(file, &secrets.text, out);
        }
        out.push(b'\n');
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        for (word, problems) in [("error", closing.problems), ("warning", closing.warnings)] {
            for Located { problem, location } in problems {
                let place = problem.place.map_or_else(String::new, |(line, _)| format!(" line {line}"));
                let (path, message) = (code(&location.shown()), escaped(&problem.message));
                let _ = writeln!(out, "- {word}: {path}{place}: {message}");
            }
            if !problems.is_empty() {
                out.push(b'\n');
            }
        }
        if closing.left_out > 0 {
            let files = if closing.left_out == 1 { "file is" } else { "files are" };
            let _ =
                writeln!(out, "{} more {files} left out here, as this gets too long.\n", closing.left_out);
        }
        let _ = writeln!(out, "dockeropt: {}", escaped(&closing.summary.to_string()));
    }

    fn limit(&self) -> Option<usize> {
        Some(LIMIT)
    }
}

fn print_diff(file: &FileReport<'_>, shown_before: &str, out: &mut Vec<u8>) {
    let shown_after = redact(&file.outcome.after);
    let texts = Texts {
        before: file.before,
        after: &file.outcome.after,
        shown_before,
        shown_after: &shown_after.text,
    };
    let mut diff = Vec::new();
    unified(&file.location.bytes, texts, &Palette::default(), &mut diff);
    print_ignore(file, &Palette::default(), &mut diff);
    let diff = String::from_utf8_lossy(&diff);
    let fence = "`".repeat(longest_run(&diff).max(2) + 1);
    let diff = printable(&diff);
    let _ = write!(out, "\n<details><summary>Diff</summary>\n\n{fence}diff\n{diff}{fence}\n\n</details>\n");
}

/// How many backticks stand together, at most.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

/// A path as code.
fn code(path: &str) -> String {
    let path = printable_path(path);
    let fence = "`".repeat(longest_run(&path) + 1);
    let space = if path.starts_with('`') || path.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{path}{space}{fence}")
}

/// A text that means nothing in Markdown. What stands behind `@` is no one to be told of it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '@' => escaped.push_str("@<!-- -->"),
            '\n' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '!' => {
                escaped.extend(['\\', character]);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
