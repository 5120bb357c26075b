//! The report for people: the source lines with what is done to them and why under them.

use std::borrow::Cow;
use std::io::Write;

use dockeropt_syntax::Text;

use super::FileReport;
use crate::palette::Palette;
use crate::pipeline::{Applicability, ReportedFix};
use crate::problem::{printable, printable_path};
use crate::redact::{Redacted, redact};
use crate::summary::megabytes;

/// How many source lines are shown of a fix; of a longer one the first and last.
const SHOWN: usize = 12;

/// Fewer bytes would be shown as no megabytes.
const LEAST_SHOWN: i64 = 50_000;

/// Appends what is to be said of a file; nothing if there is nothing.
pub fn print(file: &FileReport<'_>, palette: &Palette, out: &mut Vec<u8>) {
    let outcome = file.outcome;
    let declined: &[_] = if file.why_not { &outcome.declined } else { &[] };
    if outcome.fixes.is_empty() && outcome.held_back.is_empty() && declined.is_empty() {
        return;
    }
    let secrets = redact(file.before);
    let path = printable_path(file.path);
    let source = Source { path, lines: secrets.text.lines().collect(), secrets: &secrets, palette };
    let mut order: Vec<_> = outcome.fixes.iter().chain(&outcome.held_back).collect();
    order.sort_by_key(|fix| fix.start_line);
    for fix in order {
        source.print_fix(fix, out);
    }
    for place in declined {
        source.print_heading(place.line, place.transform, "left alone", out);
        source.print_lines(place.line, place.line, out);
        source.print_note("because", &place.reason, out);
        out.push(b'\n');
    }
}

struct Source<'a> {
    path: Cow<'a, str>,
    lines: Vec<&'a str>,
    secrets: &'a Redacted<'a>,
    palette: &'a Palette,
}

impl Source<'_> {
    fn print_fix(&self, fix: &ReportedFix, out: &mut Vec<u8>) {
        let title = match fix.applicability {
            Applicability::Safe => fix.title.clone(),
            Applicability::Unsafe => format!("{} (unsafe)", fix.title),
            Applicability::Display => format!("{} (by hand)", fix.title),
        };
        self.print_heading(fix.start_line, fix.transform, &title, out);
        self.print_lines(fix.start_line, fix.end_line, out);
        for (word, texts) in [("why", &fix.notes), ("changes", &fix.claims), ("assumes", &fix.assumes)] {
            for text in texts {
                self.print_note(word, text, out);
            }
        }
        if let Some(saves) = fix.saves.filter(|saves| saves.abs() >= LEAST_SHOWN) {
            let text = match saves {
                0.. => format!("about {}", megabytes(saves)),
                _ => format!("about {} more", megabytes(-saves)),
            };
            self.print_note(if saves < 0 { "adds" } else { "saves" }, &text, out);
        }
        self.print_note("fix", &fix.fingerprint, out);
        out.push(b'\n');
    }

    fn print_heading(&self, line: usize, transform: &str, title: &str, out: &mut Vec<u8>) {
        let Palette { header, hunk, .. } = self.palette;
        let title = self.secrets.scrub(title);
        let title = printable(&title);
        let _ = writeln!(out, "{header}{}:{line}:{header:#} {hunk}{transform}{hunk:#}: {title}", self.path);
    }

    /// The source lines from `start` to `end`, both from 1.
    fn print_lines(&self, start: usize, end: usize, out: &mut Vec<u8>) {
        let faint = self.palette.faint;
        let end = end.min(self.lines.len());
        let left_out = (end + 1).saturating_sub(start).saturating_sub(SHOWN);
        let gap = if left_out > 1 { start + SHOWN / 2..start + SHOWN / 2 + left_out } else { 0..0 };
        for number in start..=end {
            if number == gap.start && !gap.is_empty() {
                let _ = writeln!(out, "{faint}  ... | {left_out} more lines{faint:#}");
            }
            let Some(line) = number.checked_sub(1).and_then(|at| self.lines.get(at)) else { continue };
            if !gap.contains(&number) {
                let _ = write!(out, "{faint}{number:>5} |{faint:#} ");
                out.extend_from_slice(&Text::encode(&printable(line)));
                out.push(b'\n');
            }
        }
    }

    fn print_note(&self, word: &str, text: &str, out: &mut Vec<u8>) {
        let faint = self.palette.faint;
        let text = self.secrets.scrub(text);
        let text = printable(&text);
        let _ = writeln!(out, "{faint}      = {word}:{faint:#} {text}");
    }
}
