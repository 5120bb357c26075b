//! The report for people: the source lines, what they become, and why.

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

use anstyle::Style;
use dockeropt_syntax::Text;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::gains::gains;
use super::{FileReport, Report};
use crate::diff::lines;
use crate::palette::Palette;
use crate::pipeline::{Applicability, ReportedFix, Step};
use crate::problem::{printable, printable_path};
use crate::redact::{Redacted, redact};

/// How many source lines are shown of a fix; of a longer one the first and last.
const SHOWN: usize = 12;

/// The format.
pub struct PlainText(pub Palette);

impl Report for PlainText {
    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        print(file, &self.0, out);
    }
}

fn print(file: &FileReport<'_>, palette: &Palette, out: &mut Vec<u8>) {
    let outcome = file.outcome;
    let declined: &[_] = if file.why_not { &outcome.declined } else { &[] };
    if outcome.fixes.is_empty() && outcome.held_back.is_empty() && declined.is_empty() {
        return;
    }
    let secrets = redact(file.before);
    let path = printable_path(file.path);
    let lines = secrets.text.lines().collect();
    let source = Source { path, text: file.before, lines, secrets: &secrets, palette };
    // In the order in which they are made, as one may go on where another left off.
    for fix in outcome.fixes.iter().chain(&outcome.held_back) {
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
    text: &'a str,
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
        match fix.step.as_ref().filter(|step| !step.edits.is_empty()) {
            Some(step) => self.print_step(step, out),
            None => self.print_lines(fix.start_line, fix.end_line, out),
        }
        for (word, texts) in [("why", &fix.notes), ("changes", &fix.claims), ("assumes", &fix.assumes)] {
            for text in texts {
                self.print_note(word, text, out);
            }
        }
        for (word, text) in gains(fix) {
            self.print_note(word, &text, out);
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

    /// The lines that a fix changes, and what they become. Those that are in the file have their number;
    /// others are the work of fixes before it.
    fn print_step(&self, step: &Step, out: &mut Vec<u8>) {
        let after = step.edits.apply(&step.before);
        let (old, new) = (lines(&step.before), lines(&after));
        let changes = capture_diff_slices(Algorithm::Myers, &old, &new);
        let is_change = |change: &DiffOp| !matches!(change, DiffOp::Equal { .. });
        let Some(first) = changes.iter().position(is_change) else { return };
        let last = changes.iter().rposition(is_change).unwrap_or(first);
        let numbers = self.numbers(&step.before);
        let (shown_old, shown_new) = (redact(&step.before), redact(&after));
        let (old, new) = (lines(&shown_old.text), lines(&shown_new.text));
        for change in &changes[first..=last] {
            let numbered = |range: Range<usize>| {
                range.map(|at| (numbers[at], old.get(at).copied().unwrap_or_default())).collect::<Vec<_>>()
            };
            if is_change(change) {
                self.print_marked('-', self.palette.removed, &numbered(change.old_range()), out);
                let added = new.get(change.new_range()).unwrap_or_default();
                let added: Vec<_> = added.iter().map(|line| (None, *line)).collect();
                self.print_marked('+', self.palette.added, &added, out);
            } else {
                self.print_marked('|', Style::new(), &numbered(change.old_range()), out);
            }
        }
    }

    /// The numbers that the lines of a text have in the file, where they are those of the file.
    fn numbers(&self, text: &str) -> Vec<Option<usize>> {
        let (old, new) = (lines(self.text), lines(text));
        let mut numbers = vec![None; new.len()];
        for same in capture_diff_slices(Algorithm::Myers, &old, &new) {
            if matches!(same, DiffOp::Equal { .. }) {
                for (from, to) in same.old_range().zip(same.new_range()) {
                    numbers[to] = Some(from + 1);
                }
            }
        }
        numbers
    }

    /// Lines with a sign, and their number if they have one; of many the first and last.
    fn print_marked(&self, sign: char, style: Style, lines: &[(Option<usize>, &str)], out: &mut Vec<u8>) {
        let faint = self.palette.faint;
        let left_out = lines.len().saturating_sub(SHOWN);
        let gap = if left_out > 1 { SHOWN / 2..SHOWN / 2 + left_out } else { 0..0 };
        for (at, (number, line)) in lines.iter().enumerate() {
            if at == gap.start && !gap.is_empty() {
                let _ = writeln!(out, "{faint}  ... {sign} {left_out} more lines{faint:#}");
            }
            if gap.contains(&at) {
                continue;
            }
            let number = number.map(|number| number.to_string()).unwrap_or_default();
            let line = self.secrets.scrub(line.trim_end_matches(['\n', '\r']));
            let _ = write!(out, "{faint}{number:>5}{faint:#} {style}{sign}");
            out.extend_from_slice(&Text::encode(format!(" {}", printable(&line)).trim_end()));
            let _ = writeln!(out, "{style:#}");
        }
    }

    fn print_note(&self, word: &str, text: &str, out: &mut Vec<u8>) {
        let faint = self.palette.faint;
        let text = self.secrets.scrub(text);
        let text = printable(&text);
        let _ = writeln!(out, "{faint}      = {word}:{faint:#} {text}");
    }
}
