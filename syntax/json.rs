//! The JSON (exec) form of arguments, by the rules of Go's `encoding/json`.

use crate::{JsonWord, LogicalSpan};

/// Go gives up on deeper nesting.
const DEEPEST: usize = 10_000;

/// What arguments are when read as JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// An array of strings.
    Words(Vec<JsonWord>),
    /// A valid array that holds something else than strings, which BuildKit refuses.
    OtherValues,
    /// Not a JSON array: the arguments have the shell form.
    No,
}

/// The words of a JSON array of strings, read as BuildKit reads it; `None` for anything else.
pub fn json_words(text: &str) -> Option<Vec<String>> {
    match read(text, LogicalSpan::new(0, text.len())) {
        Json::Words(words) => Some(words.into_iter().map(|word| word.value).collect()),
        _ => None,
    }
}

/// Reads `text[within]`.
pub(crate) fn read(text: &str, within: LogicalSpan) -> Json {
    if !text[within.range()].starts_with('[') {
        return Json::No;
    }
    let mut reader = Reader { bytes: &text.as_bytes()[..within.end], at: within.start };
    match reader.array(text) {
        Some((words, true)) => Json::Words(words),
        Some((_, false)) => Json::OtherValues,
        None => Json::No,
    }
}

/// A cursor; its functions give `None` where the text is not JSON.
struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    /// The outer array with its strings, and whether it holds nothing else.
    fn array(&mut self, text: &str) -> Option<(Vec<JsonWord>, bool)> {
        self.at += 1;
        let mut words = Vec::new();
        let mut only_strings = true;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                self.blank();
                let start = self.at;
                if self.peek() == Some(b'"') {
                    self.string()?;
                    let span = LogicalSpan::new(start, self.at);
                    let value = unquote(&text[start + 1..self.at - 1]);
                    words.push(JsonWord { span, value });
                } else {
                    self.value()?;
                    only_strings = false;
                }
                self.blank();
                match self.take()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.blank();
        (self.at == self.bytes.len()).then_some((words, only_strings))
    }

    /// Passes any value. Not recursive, so that no input can overflow the stack.
    fn value(&mut self) -> Option<()> {
        let mut closers = Vec::new();
        loop {
            self.blank();
            match self.peek()? {
                b'"' => self.string()?,
                b'[' | b'{' => {
                    let closer = if self.take()? == b'[' { b']' } else { b'}' };
                    // The outer array counts as well.
                    if closers.len() + 2 > DEEPEST {
                        return None;
                    }
                    self.blank();
                    if self.peek()? == closer {
                        self.at += 1;
                    } else {
                        closers.push(closer);
                        if closer == b'}' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => self.number()?,
            }
            // A value has ended: close what it ends, or go on to the next one.
            loop {
                let Some(&closer) = closers.last() else { return Some(()) };
                self.blank();
                match self.take()? {
                    b',' => {
                        if closer == b'}' {
                            self.key()?;
                        }
                        break;
                    }
                    byte if byte == closer => {
                        closers.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.blank();
        self.string()?;
        self.blank();
        (self.take()? == b':').then_some(())
    }

    fn string(&mut self) -> Option<()> {
        if self.take()? != b'"' {
            return None;
        }
        loop {
            match self.take()? {
                b'"' => return Some(()),
                b'\\' => match self.take()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.take().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        self.at += usize::from(self.peek()? == b'-');
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let number: f64 = std::str::from_utf8(&self.bytes[start..self.at]).ok()?.parse().ok()?;
        // Go refuses a number that is too large for a float.
        number.is_finite().then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// The text of a valid string without its quotes.
fn unquote(inner: &str) -> String {
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let mut characters = rest[at + 1..].chars();
        let escape = characters.next();
        rest = characters.as_str();
        value.push(match escape {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, used) = code_point(rest);
                rest = rest.get(used..).unwrap_or_default();
                character
            }
            Some(other) => other,
            None => break,
        });
    }
    value.push_str(rest);
    value
}

/// The character of the `\u` escape whose digits start `text`, and how many bytes it takes: a pair of
/// surrogates counts as one, a lone surrogate gives U+FFFD.
fn code_point(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 4) };
    if let Some(character) = char::from_u32(u32::from(first)) {
        return (character, 4);
    }
    let second = text.get(4..6).filter(|&mark| mark == "\\u").and_then(|_| unit(6));
    match second.map(|second| char::decode_utf16([first, second]).next()) {
        Some(Some(Ok(character))) => (character, 10),
        _ => (char::REPLACEMENT_CHARACTER, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<Vec<String>> {
        match read(text, LogicalSpan::new(0, text.len())) {
            Json::Words(words) => Some(words.into_iter().map(|word| word.value).collect()),
            Json::OtherValues => Some(vec!["OTHER".into()]),
            Json::No => None,
        }
    }

    #[test]
    fn arrays_of_strings_are_read() {
        assert_eq!(words(r#"[ "a" ,"b c"]"#).unwrap(), ["a", "b c"]);
        assert_eq!(words("[ ]").unwrap(), [""; 0]);
        assert_eq!(words(r#"["\"\\\/\b\f\n\r\té\u00e9"]"#).unwrap(), ["\"\\/\u{8}\u{c}\n\r\téé"]);
        assert_eq!(
            words(r#"["\ud83d\ude00\ud800x\udc00\ud800\u0041"]"#).unwrap(),
            ["😀\u{fffd}x\u{fffd}\u{fffd}A"]
        );
    }

    #[test]
    fn other_values_are_told_apart_from_no_json() {
        for text in
            ["[1]", "[null, \"a\"]", "[true,false]", "[{}]", "[{\"a\":[1,{\"b\":-0.5e+3}]},[]]", "[1e-9999]"]
        {
            assert_eq!(words(text).unwrap(), ["OTHER"], "{text}");
        }
        for text in [
            "",
            "x",
            "[",
            "[1",
            "[a]",
            "['a']",
            "[\"a\",]",
            "[,]",
            "[\"a\" \"b\"]",
            "[\"a\"] b",
            "[\"a\"]]",
            "[01]",
            "[1.]",
            "[-]",
            "[1e]",
            "[1e9999]",
            "[\"\\x\"]",
            "[\"\\u12\"]",
            "[\"\u{1}\"]",
            "[tru]",
            "[{]",
            "[{\"a\"}]",
            "[{\"a\":}]",
            "[{1:2}]",
            "[[}]",
            "[\u{a0}]",
        ] {
            assert_eq!(words(text), None, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_no_json() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(words(&nested(DEEPEST)).unwrap(), ["OTHER"]);
        assert_eq!(words(&nested(DEEPEST + 1)), None);
        assert_eq!(words(&"[".repeat(1_000_000)), None);
    }
}
