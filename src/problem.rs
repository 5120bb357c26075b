//! What went wrong with one file, while the others go on.

use std::borrow::Cow;
use std::fmt::{self, Write};
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
        write!(f, "{}:", printable_path(&self.path))?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", printable(&self.message))
    }
}

/// A text that may be shown on a terminal: control characters other than line ends and tabs are
/// written as `\033`.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_obeyed = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if text.contains(is_obeyed) { escaped(text, is_obeyed).into() } else { text.into() }
}

/// A path that may be shown on a terminal: one with control characters is in quotes, as in diffs.
pub fn printable_path(path: &str) -> Cow<'_, str> {
    if !path.contains(char::is_control) {
        return path.into();
    }
    let path = path.replace('\\', r"\\").replace('"', r#"\""#);
    format!("\"{}\"", escaped(&path, char::is_control)).into()
}

fn escaped(text: &str, is_obeyed: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(shown, "\\{byte:03o}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The message of an input or output error without Rust's `(os error 13)`.
pub fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = plain.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[31m\tb\nc\r\u{9b}"), "a\\033[31m\tb\nc\\015\\302\\233");
        assert_eq!(printable_path("a\"\\\n"), r#""a\"\\\012""#);
        assert_eq!(printable_path("a\"\\ é"), "a\"\\ é");
    }
}
