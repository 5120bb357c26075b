//! `[[ ... ]]`, by bash's grammar: in other shells it is a command with arguments.

use std::borrow::Cow;

use super::parse::{Reader, is_delimiter};
use super::{Content, Opaque, Word};

const UNKNOWN: &str = "a `[[` of an unknown form";

impl<'t> Reader<'t> {
    /// Reads a test. Its operators are words too.
    pub(super) fn test(&mut self) -> Result<Vec<Word<'t>>, Opaque> {
        self.at += "[[".len();
        let mut words = Vec::new();
        loop {
            self.test_term(&mut words)?;
            self.test_blanks()?;
            if self.at_test_end() {
                self.at += "]]".len();
                return Ok(words);
            }
            if !(self.starts_with("&&") || self.starts_with("||")) {
                return Err(self.opaque(UNKNOWN));
            }
            self.test_operator(2, &mut words);
        }
    }

    /// `! term`, `-f word`, `word` or `word = word`
    fn test_term(&mut self, words: &mut Vec<Word<'t>>) -> Result<(), Opaque> {
        self.test_blanks()?;
        while self.starts_with("! ") {
            self.test_operator(1, words);
            self.test_blanks()?;
        }
        let first = self.test_word(words)?;
        self.test_blanks()?;
        if is_unary(first) {
            self.test_word(words)?;
            return Ok(());
        }
        if self.at_test_end() || matches!(self.peek(), b'&' | b'|') {
            return Ok(());
        }
        if matches!(self.peek(), b'<' | b'>') && matches!(self.byte(self.at + 1), b' ' | b'\t') {
            self.test_operator(1, words);
        } else if self.starts_with("=~ ") {
            // As a word of its own, it would have a tilde.
            self.test_operator(2, words);
        } else if !is_binary(self.test_word(words)?) {
            return Err(self.opaque(UNKNOWN));
        }
        self.test_blanks()?;
        self.test_word(words)?;
        Ok(())
    }

    fn test_word(&mut self, words: &mut Vec<Word<'t>>) -> Result<&'t str, Opaque> {
        if self.at == self.end || self.at_test_end() || is_delimiter(self.peek()) {
            return Err(self.opaque(UNKNOWN));
        }
        let word = self.word()?;
        let text = self.slice(word.span.start, word.span.end);
        words.push(word);
        Ok(text)
    }

    fn test_operator(&mut self, len: usize, words: &mut Vec<Word<'t>>) {
        let start = self.at;
        self.at += len;
        let content = Content::Literal(Cow::Borrowed(self.slice(start, self.at)));
        words.push(Word { span: self.span_from(start), content });
    }

    fn at_test_end(&self) -> bool {
        let after = self.at + "]]".len();
        self.starts_with("]]") && (after >= self.end || is_delimiter(self.byte(after)))
    }

    fn test_blanks(&mut self) -> Result<(), Opaque> {
        while matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
        if self.peek() == b'#' { Err(self.opaque(UNKNOWN)) } else { Ok(()) }
    }
}

fn is_unary(word: &str) -> bool {
    matches!(word.as_bytes(), [b'-', letter] if b"abcdefghknoprstuvwxzGLNORS".contains(letter))
}

fn is_binary(word: &str) -> bool {
    matches!(word, "=" | "==" | "!=" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-nt" | "-ot" | "-ef")
}
