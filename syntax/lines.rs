//! Cutting a text into lines the way BuildKit's scanner does.

use crate::{Span, Text};

/// BuildKit's scanner refuses a line with more bytes than this, its line feed not counted.
const LONGEST_LINE: usize = 65_535;

/// One line of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'t> {
    /// The whole line with its line end.
    pub(crate) span: Span,
    /// The line without the carriage returns and the line feed at its end.
    pub(crate) content: &'t str,
}

/// Walks through a text line by line; stops for good before a line that is too long.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    at: usize,
    /// How many lines were given out.
    pub(crate) count: usize,
    too_long: bool,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, count: 0, too_long: false }
    }

    /// Where the next line starts.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The text that was left over because a line was too long.
    pub(crate) fn left_over(&self) -> Option<Span> {
        self.too_long.then(|| Span::new(self.at, self.text.len()))
    }

    pub(crate) fn next(&mut self) -> Option<Line<'t>> {
        let rest = &self.text[self.at..];
        if rest.is_empty() || self.too_long {
            return None;
        }
        let (content, length) = match memchr::memchr(b'\n', rest.as_bytes()) {
            Some(at) => (&rest[..at], at + 1),
            None => (rest, rest.len()),
        };
        // Stand-ins for odd bytes are longer than what they stand for.
        if content.len() > LONGEST_LINE && Text::encode(content).len() > LONGEST_LINE {
            self.too_long = true;
            return None;
        }
        let span = Span::new(self.at, self.at + length);
        self.at = span.end;
        self.count += 1;
        Some(Line { span, content: content.trim_end_matches('\r') })
    }
}

/// Takes off the continuation character, if the line ends in one: an escape character that no other
/// one precedes, with nothing but blanks and tabs after it. So `\\` at the end continues nothing,
/// and neither does `\\\`.
pub(crate) fn without_continuation(content: &str, escape: char) -> Option<&str> {
    let before = content.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_characters_are_recognised() {
        for (line, expected) in [
            ("a \\", Some("a ")),
            ("a \\ \t", Some("a ")),
            ("\\", Some("")),
            ("a \\\\", None),
            ("a \\\\\\", None),
            ("a \\\u{a0}", None),
            ("a \\\r ", None),
            ("", None),
        ] {
            assert_eq!(without_continuation(line, '\\'), expected, "{line:?}");
        }
    }

    #[test]
    fn lines_end_at_line_feeds_only() {
        let mut lines = Lines::new("a\r\r\nb\rc\n\nd");
        let contents: Vec<_> = std::iter::from_fn(|| lines.next()).map(|line| line.content).collect();
        assert_eq!(contents, ["a", "b\rc", "", "d"]);
        assert_eq!(lines.left_over(), None);
    }

    #[test]
    fn a_line_may_have_65535_bytes() {
        let fits = format!("{}\nrest", "x".repeat(LONGEST_LINE));
        let mut lines = Lines::new(&fits);
        assert!(lines.next().is_some() && lines.next().is_some());
        let long = format!("a\n{}\nrest", "x".repeat(LONGEST_LINE + 1));
        let mut lines = Lines::new(&long);
        assert!(lines.next().is_some() && lines.next().is_none() && lines.next().is_none());
        assert_eq!(lines.left_over(), Some(Span::new(2, long.len())));
        // The bytes of the file count, not those that stand for them.
        let latin = Text::decode(vec![0xe9; LONGEST_LINE]);
        assert!(Lines::new(latin.as_str()).next().is_some());
    }
}
