//! What is printed about a run: one module for each format.

pub mod diff;
pub(crate) mod gains;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod junit;
pub mod markdown;
mod printer;
pub mod sarif;
pub mod text;

use std::borrow::Cow;

use dockeropt_syntax::Text;

use crate::cli::Format;
use crate::diff::Location;
use crate::palette::Palette;
use crate::pipeline::{Applicability, IgnoreChange, Outcome, ReportedFix};
use crate::problem::Problem;
use crate::redact::Redacted;
use crate::summary::Summary;

pub use printer::Printer;

/// A format: what stands around the files, and what is said of one.
///
/// Files are printed as they are done, so that a report of any length takes little memory.
pub trait Report: Sync {
    /// What stands before the first file.
    fn head(&self) -> Vec<u8> {
        Vec::new()
    }

    /// What stands between files.
    fn separator(&self) -> &'static [u8] {
        b""
    }

    /// Appends what is to be said of a file; nothing if there is nothing. Threads may do this at once.
    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>);

    /// Appends the change of an ignore file, which several Dockerfiles may have led to, for a format that
    /// has it apart from them.
    fn print_ignore(&self, _: &IgnoreChange, _: &Location, _: &mut Vec<u8>) {}

    /// Appends what ends the report.
    fn finish(&self, _: &Closing<'_>, _: &mut Vec<u8>) {}

    /// Whether the report shows where transforms held back; otherwise that goes to standard error.
    fn shows_refusals(&self) -> bool {
        true
    }

    /// After so many bytes no more files are printed, but counted.
    fn limit(&self) -> Option<usize> {
        None
    }
}

/// The report of a format; `palette` has the colours for those that use any.
pub fn of(format: Format, palette: Palette) -> Box<dyn Report> {
    match format {
        Format::Diff => Box::new(diff::Diff(palette)),
        Format::Text => Box::new(text::PlainText(palette)),
        Format::Json => Box::new(json::Json),
        Format::Sarif => Box::new(sarif::Sarif),
        Format::Github => Box::new(github::Github),
        Format::Gitlab => Box::new(gitlab::Gitlab),
        Format::Markdown => Box::new(markdown::Markdown),
        Format::Junit => Box::new(junit::Junit),
        Format::Html => Box::new(crate::migrate::Html::new()),
    }
}

/// What became of one file, for printing.
#[derive(Clone, Copy)]
pub struct FileReport<'a> {
    /// Its path as the user knows it; bytes that are not UTF-8 are replaced.
    pub path: &'a str,
    /// Where it is for those who only know the repository, and its name in diffs.
    pub location: &'a Location,
    /// The same of the ignore file, if that changes.
    pub ignore_location: Option<&'a Location>,
    /// What was read.
    pub before: &'a str,
    /// What was made of it.
    pub outcome: &'a Outcome,
    /// Whether to print where transforms held back.
    pub why_not: bool,
    /// What the file becomes by one fix and as few others as it needs.
    pub alone: &'a dyn Fn(&ReportedFix) -> Option<Outcome>,
}

impl FileReport<'_> {
    /// Whether the file is, or would be, changed.
    pub fn is_changed(&self) -> bool {
        self.before != self.outcome.after || self.outcome.ignore.is_some()
    }

    /// The fixes that are applied, and those that need `--unsafe`, in the order of their lines.
    fn fixes(&self) -> Vec<&ReportedFix> {
        let mut fixes: Vec<_> = self.outcome.fixes.iter().chain(&self.outcome.held_back).collect();
        fixes.sort_by_key(|fix| fix.start_line);
        fixes
    }

    /// Whether a fix is, or would be, applied.
    fn is_applied(&self, fix: &ReportedFix) -> bool {
        self.outcome.fixes.iter().any(|applied| applied.fingerprint == fix.fingerprint)
    }
}

/// A problem, and where its file is for those who only know the repository.
pub struct Located<'a> {
    /// The problem, with the path as the user knows it.
    pub problem: &'a Problem,
    /// Where the file is.
    pub location: Location,
}

/// What is said when all files are done.
pub struct Closing<'a> {
    /// What happened, in numbers.
    pub summary: &'a Summary,
    /// What went wrong.
    pub problems: &'a [Located<'a>],
    /// What is odd in a file, without being in the way.
    pub warnings: &'a [Located<'a>],
    /// Whether something was said of a file.
    pub begun: bool,
    /// How many files are not in the report because of its [limit](Report::limit).
    pub left_out: usize,
}

/// The name of an applicability in reports for programs.
fn word(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
        Applicability::Display => "display",
    }
}

/// What a fix does and why in one line: `Join 2 RUNs: an install goes stale; assumes that ...`.
fn sentence(fix: &ReportedFix, secrets: &Redacted<'_>) -> String {
    let mut text = fix.title.clone();
    let notes = [("", &fix.notes), ("changes: ", &fix.claims), ("assumes: ", &fix.assumes)];
    let notes = notes.iter().flat_map(|(word, notes)| notes.iter().map(move |note| (word, note)));
    for (at, (word, note)) in notes.enumerate() {
        text += if at == 0 { ": " } else { "; " };
        text += word;
        text += note;
    }
    plain(secrets.scrub(&text)).into_owned()
}

/// A message without the characters that stand for bytes that are not UTF-8, which mean nothing to
/// other programs.
fn plain(text: Cow<'_, str>) -> Cow<'_, str> {
    match Text::encode(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Appends a value as JSON.
fn append_json(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Writing strings and numbers to memory does not fail.
    let _ = serde_json::to_writer(out, value);
}
