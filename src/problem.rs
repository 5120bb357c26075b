//! What went wrong with one file, while the others go on.

use std::fmt;
use std::path::Path;

/// An error that concerns one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path as the user knows it; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The line and column, both from 1, the column in characters.
    pub place: Option<(usize, usize)>,
    /// What is wrong, and what to do if that is known.
    pub message: String,
}

impl Problem {
    /// An error that concerns a whole file or folder.
    pub fn new(path: &Path, message: impl fmt::Display) -> Self {
        Self { path: path.to_string_lossy().into_owned(), place: None, message: message.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path)?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// The message of an input or output error without Rust's `(os error 13)`.
pub fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = plain.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
