//! Splitting arguments into words.

use crate::LogicalSpan;

/// White space that separates the words of FROM, EXPOSE, COPY, ADD and VOLUME.
pub(crate) fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{b}' | '\u{c}' | '\r')
}

/// The words of `text[within]` between blanks; quotes mean nothing.
pub(crate) fn between_blanks(text: &str, within: LogicalSpan) -> impl Iterator<Item = LogicalSpan> {
    let mut at = within.start;
    std::iter::from_fn(move || {
        let rest = text[at..within.end].trim_start_matches(is_separator);
        let start = within.end - rest.len();
        at = start + rest.find(is_separator).unwrap_or(rest.len());
        (at > start).then(|| LogicalSpan::new(start, at))
    })
}

/// The words of ENV, LABEL and ARG: white space in quotes or after an escape character doesn't end a
/// word. Quotes and escapes stay; an escape character with nothing after it is left out.
pub(crate) fn quoted(text: &str, within: LogicalSpan, escape: char) -> impl Iterator<Item = LogicalSpan> {
    let mut at = within.start;
    std::iter::from_fn(move || {
        let rest = text[at..within.end].trim_start();
        let start = within.end - rest.len();
        let mut quote = None;
        let mut characters = rest.char_indices();
        let mut end = rest.len();
        at = within.end;
        while let Some((offset, character)) = characters.next() {
            if quote.is_none() && character.is_whitespace() {
                end = offset;
                at = start + offset;
                break;
            }
            if character == escape && quote != Some('\'') {
                if characters.next().is_none() {
                    end = offset;
                }
            } else if quote == Some(character) {
                quote = None;
            } else if quote.is_none() && matches!(character, '\'' | '"') {
                quote = Some(character);
            }
        }
        (end > 0).then(|| LogicalSpan::new(start, start + end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        quoted(text, LogicalSpan::new(0, text.len()), '\\').map(|span| &text[span.range()]).collect()
    }

    #[test]
    fn quoted_words_are_split() {
        assert_eq!(split("a=1 b=\"x y\" c='p\\' d\\ e"), ["a=1", "b=\"x y\"", "c='p\\'", "d\\ e"]);
        assert_eq!(split("a=\"x\\\" y\"z \u{2003}b"), ["a=\"x\\\" y\"z", "b"]);
        assert_eq!(split("\"\" a\\"), ["\"\"", "a"]);
        assert_eq!(split("a \"b c"), ["a", "\"b c"]);
        assert_eq!(split("a \\"), ["a"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn blanks_split() {
        let text = "a\u{b}b\u{a0}c  \"d e\"";
        let words: Vec<_> =
            between_blanks(text, LogicalSpan::new(0, text.len())).map(|span| &text[span.range()]).collect();
        assert_eq!(words, ["a", "b\u{a0}c", "\"d", "e\""]);
    }
}
