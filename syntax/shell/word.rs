//! Words: quotes, escapes, and what expands outside quotes.

use std::borrow::Cow;

use super::parse::{Reader, is_delimiter};
use super::{Content, Opaque, Part, Word};
use crate::LogicalSpan;

/// How far the `]` may lie from its `[`, so that many `[` don't take quadratic time.
const LONGEST_BRACKET: usize = 64;

impl Word<'_> {
    /// A word without text: the value of `NAME=`.
    pub(super) fn empty(at: usize) -> Self {
        Self { span: LogicalSpan::empty(at), content: Content::Literal(Cow::Borrowed("")) }
    }
}

/// The parts of a word so far, each with the place where it starts.
#[derive(Default)]
struct Builder<'t> {
    parts: Vec<(usize, Part<'t>)>,
    text: Cow<'t, str>,
    /// Where `text` starts and, while it is borrowed, ends; `None` if there is none, not even a `''`.
    text_span: Option<(usize, usize)>,
    /// The first `{` that isn't a word or followed by `}`.
    brace_open: Option<usize>,
    /// Whether a `,` or `..` was seen between it and `brace_searched`.
    brace_separated: bool,
    brace_searched: usize,
    /// The end of the last `}` that makes it a brace expansion.
    brace_close: Option<usize>,
}

impl<'t> Builder<'t> {
    fn push_text(&mut self, reader: &Reader<'t>, start: usize, end: usize) {
        let slice = reader.slice(start, end);
        match self.text_span {
            None => (self.text, self.text_span) = (Cow::Borrowed(slice), Some((start, end))),
            // An empty text may be replaced by a borrowed one: `''abc`.
            Some((from, _)) if self.text.is_empty() => {
                (self.text, self.text_span) = (Cow::Borrowed(slice), Some((from.min(start), end)));
            }
            Some((from, to)) if to == start && matches!(self.text, Cow::Borrowed(_)) => {
                let joined = start - self.text.len();
                self.text = Cow::Borrowed(reader.slice(joined, end));
                self.text_span = Some((from, end));
            }
            Some((from, _)) => {
                self.text.to_mut().push_str(slice);
                self.text_span = Some((from, end));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((start, _)) = self.text_span.take() {
            self.parts.push((start, Part::Text(std::mem::take(&mut self.text))));
        }
    }

    /// Takes a `}`, which may end a brace expansion.
    fn close_brace(&mut self, reader: &Reader<'t>, at: usize) {
        self.push_text(reader, at, at + 1);
        let Some(open) = self.brace_open else { return };
        if !self.brace_separated {
            // One byte back, for a `..` that the last search cut in two.
            let from = self.brace_searched.saturating_sub(1).max(open);
            let inside = &reader.text.as_bytes()[from..at];
            self.brace_separated = inside.contains(&b',') || inside.windows(2).any(|pair| pair == b"..");
            self.brace_searched = at;
        }
        if self.brace_separated {
            self.brace_close = Some(at + 1);
            self.flush();
        }
    }

    fn finish(mut self) -> Content<'t> {
        if self.parts.is_empty() {
            return Content::Literal(self.text);
        }
        self.flush();
        if let (Some(open), Some(close)) = (self.brace_open, self.brace_close) {
            let inside = |at: usize| open <= at && at < close;
            self.parts.retain(|(at, part)| !(inside(*at) && matches!(part, Part::Text(_))));
            let index = self.parts.partition_point(|(at, _)| *at < open);
            self.parts.insert(index, (open, Part::Brace(LogicalSpan::new(open, close))));
        }
        let mut parts: Vec<Part<'t>> = Vec::with_capacity(self.parts.len());
        for (_, part) in self.parts {
            match (parts.last_mut(), part) {
                (Some(Part::Text(before)), Part::Text(text)) => before.to_mut().push_str(&text),
                (_, part) => parts.push(part),
            }
        }
        match &mut parts[..] {
            [Part::Text(text)] => Content::Literal(std::mem::take(text)),
            _ => Content::Parts(parts),
        }
    }
}

/// Whether a byte is nothing special within a word.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let special = b" \t\n;&|<>()'\"\\$`*?[{}~\0";
    let mut index = 0;
    while index < special.len() {
        plain[special[index] as usize] = false;
        index += 1;
    }
    plain
};

impl<'t> Reader<'t> {
    pub(super) fn word(&mut self) -> Result<Word<'t>, Opaque> {
        let start = self.at;
        self.skip_plain();
        if self.at == self.end || is_delimiter(self.peek()) {
            if self.at == start {
                return Err(self.unexpected());
            }
            let text = Cow::Borrowed(self.slice(start, self.at));
            return Ok(Word { span: self.span_from(start), content: Content::Literal(text) });
        }
        let mut word = Builder::default();
        if self.at > start {
            word.push_text(self, start, self.at);
        }
        while self.at < self.end && !is_delimiter(self.peek()) {
            if self.ends_before_continuation()? {
                break;
            }
            self.word_piece(start, &mut word)?;
        }
        if matches!(self.peek(), b'<' | b'>') && word.brace_open == Some(start) {
            return Err(self.opaque("a named file descriptor"));
        }
        Ok(Word { span: self.span_from(start), content: word.finish() })
    }

    fn skip_plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..self.end];
        self.at += rest.iter().position(|&byte| !PLAIN[usize::from(byte)]).unwrap_or(rest.len());
    }

    /// Whether a line continuation stands here, and the word ends with it.
    fn ends_before_continuation(&self) -> Result<bool, Opaque> {
        if !self.is_continuation(self.at) {
            return Ok(false);
        }
        match self.byte(self.at + 2) {
            0 | b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' => Ok(true),
            _ => Err(self.opaque("a line continuation within a word")),
        }
    }

    fn word_piece(&mut self, word_start: usize, word: &mut Builder<'t>) -> Result<(), Opaque> {
        let start = self.at;
        match self.peek() {
            b'\'' => {
                self.single_quoted()?;
                word.push_text(self, start + 1, self.at - 1);
            }
            b'"' => self.double_quoted(word)?,
            b'\\' => {
                let Some(character) = self.text[start + 1..self.end].chars().next() else {
                    return Err(self.opaque("a backslash at the end"));
                };
                self.at += 1 + character.len_utf8();
                word.push_text(self, start + 1, self.at);
            }
            b'$' | b'`' => self.expansion(word, false)?,
            b'*' | b'?' => {
                self.at += 1;
                self.push_special(word, start, Part::Glob);
            }
            b'[' => match self.bracket_end() {
                Some(end) => {
                    self.at = end;
                    self.push_special(word, start, Part::Glob);
                }
                None => self.take_text(word),
            },
            b'~' if start == word_start || matches!(self.text.as_bytes()[start - 1], b'=' | b':') => {
                self.at += 1;
                while self.peek().is_ascii_alphanumeric() || matches!(self.peek(), b'_' | b'-' | b'.' | b'+')
                {
                    self.at += 1;
                }
                self.push_special(word, start, Part::Tilde);
            }
            b'{' if self.byte(start + 1) == b'}' => {
                self.at += 2;
                word.push_text(self, start, self.at);
            }
            b'{' if word.brace_open.is_none() => {
                word.flush();
                (word.brace_open, word.brace_searched) = (Some(start), start);
                self.take_text(word);
            }
            b'}' => {
                word.close_brace(self, start);
                self.at += 1;
            }
            _ => self.take_text(word),
        }
        Ok(())
    }

    /// Takes the byte here, and the plain ones after it, as text.
    fn take_text(&mut self, word: &mut Builder<'t>) {
        let start = self.at;
        self.at += 1;
        self.skip_plain();
        word.push_text(self, start, self.at);
    }

    fn push_special(
        &mut self,
        word: &mut Builder<'t>,
        start: usize,
        part: impl FnOnce(LogicalSpan) -> Part<'t>,
    ) {
        word.flush();
        word.parts.push((start, part(self.span_from(start))));
    }

    /// Takes the expansion at the `$` or backtick here, or the `$` as text.
    fn expansion(&mut self, word: &mut Builder<'t>, quoted: bool) -> Result<(), Opaque> {
        let start = self.at;
        let mut parts = Vec::new();
        if !self.read_expansion(quoted, &mut parts)? {
            self.at += 1;
            word.push_text(self, start, self.at);
            return Ok(());
        }
        word.flush();
        word.parts.extend(parts.into_iter().map(|part| (start, part)));
        Ok(())
    }

    /// Where the pattern ends that the `[` here starts: the `[test]` of a file name. None if the word
    /// goes on without a `]`, so that the `[` stands for itself.
    fn bracket_end(&self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..self.end];
        let mut negated = 1;
        if matches!(rest.get(1), Some(b'!' | b'^')) {
            negated = 2;
        }
        for (index, &byte) in rest.iter().enumerate().skip(1) {
            match byte {
                // `[]a]` holds a `]`.
                b']' if index > negated => return Some(self.at + index + 1),
                b'\'' | b'"' | b'\\' | b'$' | b'`' => return Some(self.at + 1),
                _ if is_delimiter(byte) => return None,
                _ if index > LONGEST_BRACKET => return Some(self.at + 1),
                _ => {}
            }
        }
        None
    }

    /// Passes over a string in single quotes.
    pub(super) fn single_quoted(&mut self) -> Result<(), Opaque> {
        match self.text.as_bytes()[self.at + 1..self.end].iter().position(|&byte| byte == b'\'') {
            Some(len) => {
                self.at += len + 2;
                Ok(())
            }
            None => Err(self.opaque("an unterminated quote")),
        }
    }

    fn double_quoted(&mut self, word: &mut Builder<'t>) -> Result<(), Opaque> {
        let unterminated = self.opaque("an unterminated quote");
        let open = self.at;
        self.at += 1;
        loop {
            let start = self.at;
            let rest = &self.text.as_bytes()[start..self.end];
            let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'$' | b'`'));
            self.at += special.ok_or(unterminated)?;
            if self.at > start {
                word.push_text(self, start, self.at);
            }
            match self.peek() {
                b'"' => {
                    if self.at == open + 1 {
                        word.push_text(self, self.at, self.at);
                    }
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    let at = self.at;
                    self.at += 2;
                    match self.byte(at + 1) {
                        b'"' | b'\\' | b'$' | b'`' => word.push_text(self, at + 1, at + 2),
                        b'\n' => {}
                        // What follows may be the first byte of a longer character.
                        _ => {
                            self.at = at + 1;
                            word.push_text(self, at, self.at);
                        }
                    }
                }
                _ => self.expansion(word, true)?,
            }
        }
    }
}
