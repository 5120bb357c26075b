//! Builder flags: the `--name=value` words between keyword and arguments.

use crate::{Flag, LogicalSpan};

/// The first and last value of the stand-ins that [`crate::Text`] uses for bytes that are not UTF-8.
const STAND_INS: std::ops::RangeInclusive<u32> = 0xF780..=0xF7FF;

/// Reads the flags at the start of `text[within]` and gives the place where the arguments start.
///
/// BuildKit goes through bytes here and takes each one as a character. So a flag's `é` comes out as
/// `Ã©`, and a letter such as `à`, whose second byte is the number of a no-break space, ends the
/// flag in the middle. Both are kept; a span that would end inside a character ends after it.
pub(crate) fn read(text: &str, within: LogicalSpan) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    let mut at = within.start;
    loop {
        let rest = &text[at..within.end];
        let start = within.end - rest.trim_start_matches(is_space).len();
        if !text[start..within.end].starts_with("--") {
            return (flags, start);
        }
        let (word, quoted, end, ended_by_space) = read_word(text, start, within.end);
        if word == "--" {
            return (flags, end);
        }
        if quoted || !word.is_empty() {
            flags.push(Flag { span: LogicalSpan::new(start, end), text: word });
        }
        if !ended_by_space {
            return (flags, within.end);
        }
        at = end;
    }
}

/// Reads a word that starts at `start`: its text without quotes and escapes, whether anything in it
/// was quoted, where it ends, and whether white space ended it.
fn read_word(text: &str, start: usize, limit: usize) -> (String, bool, usize, bool) {
    let mut word = String::new();
    let mut quote = None;
    let mut quoted = false;
    let mut escaped = false;
    let mut buffer = [0; 4];
    for (offset, character) in text[start..limit].char_indices() {
        let bytes = match u32::from(character) {
            stand_in if STAND_INS.contains(&stand_in) => {
                buffer[0] = (stand_in & 0xFF) as u8;
                &buffer[..1]
            }
            _ => character.encode_utf8(&mut buffer).as_bytes(),
        };
        for (index, &byte) in bytes.iter().enumerate() {
            let character = char::from(byte);
            if std::mem::take(&mut escaped) {
                word.push(character);
            } else if character == '\\' {
                escaped = true;
            } else if let Some(open) = quote {
                if character == open {
                    quote = None;
                } else {
                    word.push(character);
                }
            } else if character.is_whitespace() {
                let end = if index == 0 { start + offset } else { start + offset + bytes.len() };
                return (word, quoted, end, true);
            } else if matches!(character, '\'' | '"') {
                quote = Some(character);
                quoted = true;
            } else {
                word.push(character);
            }
        }
    }
    (word, quoted, limit, false)
}

/// White space of one byte; other white space starts with a byte that is none.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, flags: &[&str], rest: &str) {
        let (found, start) = read(text, LogicalSpan::new(0, text.len()));
        assert_eq!(found.iter().map(|flag| flag.text.as_str()).collect::<Vec<_>>(), flags, "{text}");
        assert_eq!(text[start..].trim(), rest, "{text}");
    }

    #[test]
    fn flags_are_split() {
        check("--a=b --c d --e", &["--a=b", "--c"], "d --e");
        check("-- --foo", &[], "--foo");
        check("--a -- --foo", &["--a"], "--foo");
        check("--a=\"b c\"'d e' f", &["--a=b cd e"], "f");
        check("--a=\\\"b\\ c d", &["--a=\"b c"], "d");
        check("--a=\"b c", &["--a=b c"], "");
        check("--", &[], "");
        check("--a\\", &["--a"], "");
        check("-a", &[], "-a");
        check("", &[], "");
    }

    #[test]
    fn bytes_are_taken_for_characters() {
        check("--é=x y", &["--Ã©=x"], "y");
        check("--a\u{85}b", &["--aÂ"], "b");
        check("--à y", &["--Ã"], "y");
        check("--\u{f7e9} y", &["--é"], "y");
    }
}
