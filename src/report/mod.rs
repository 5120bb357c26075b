//! What is printed about a file.

pub mod diff;
pub mod json;
pub mod text;

use crate::pipeline::Outcome;

/// What became of one file, for printing.
#[derive(Clone, Copy, Debug)]
pub struct FileReport<'a> {
    /// Its path as the user knows it; bytes that are not UTF-8 are replaced.
    pub path: &'a str,
    /// Its name in diffs.
    pub name: &'a [u8],
    /// The name in diffs of the ignore file, if that changes.
    pub ignore_name: Option<&'a [u8]>,
    /// What was read.
    pub before: &'a str,
    /// What was made of it.
    pub outcome: &'a Outcome,
    /// Whether to print where transforms held back.
    pub why_not: bool,
}

impl FileReport<'_> {
    /// Whether the file is, or would be, changed.
    pub fn is_changed(&self) -> bool {
        self.before != self.outcome.after || self.outcome.ignore.is_some()
    }
}
