//! What a `$` or a backtick starts.

use super::parse::Reader;
use super::{Opaque, Part};

impl<'t> Reader<'t> {
    /// Reads the expansion at the `$` or backtick here; false, and nothing read, if the `$` stands
    /// for itself. Commands within the expansion follow it in `parts`.
    pub(super) fn read_expansion(&mut self, quoted: bool, parts: &mut Vec<Part<'t>>) -> Result<bool, Opaque> {
        let start = self.at;
        if self.peek() == b'`' {
            self.backticks(quoted, parts)?;
            return Ok(true);
        }
        let name_start = start + 1;
        match self.byte(name_start) {
            b'(' if self.byte(start + 2) == b'(' => self.nested(|reader| reader.dollar_arithmetic(parts))?,
            b'(' => self.nested(|reader| reader.substitution(quoted, parts))?,
            b'{' => self.nested(|reader| reader.braced_parameter(quoted, parts))?,
            b'\'' if !quoted => return Err(self.opaque("a `$'...'` string")),
            b'"' if !quoted => return Err(self.opaque("a `$\"...\"` string")),
            b'[' => return Err(self.opaque("a `$[`")),
            b'\\' if self.is_continuation(name_start) => {
                return Err(self.opaque("a line continuation within a word"));
            }
            byte => {
                self.at = name_start;
                if self.name().is_empty() {
                    if !(byte.is_ascii_digit() || is_special_parameter(byte)) {
                        self.at = start;
                        return Ok(false);
                    }
                    self.at += 1;
                }
                if self.is_continuation(self.at) && quoted {
                    return Err(self.opaque("a line continuation within a word"));
                }
                let (name, operation) = (self.slice(name_start, self.at), "");
                parts.push(Part::Parameter { span: self.span_from(start), name, operation, quoted });
            }
        }
        Ok(true)
    }

    fn substitution(&mut self, quoted: bool, parts: &mut Vec<Part<'t>>) -> Result<(), Opaque> {
        let start = self.at;
        let unterminated = self.opaque("an unterminated command substitution");
        // A line end in there would start their bodies in one shell, and not in another.
        self.no_open_heredoc()?;
        self.at += 2;
        let list = self.list()?;
        match self.peek() {
            b')' => self.at += 1,
            0 => return Err(unterminated),
            _ => return Err(self.unexpected()),
        }
        self.no_open_heredoc()?;
        parts.push(Part::Command { span: self.span_from(start), list: Some(list), quoted });
        Ok(())
    }

    fn backticks(&mut self, quoted: bool, parts: &mut Vec<Part<'t>>) -> Result<(), Opaque> {
        let start = self.at;
        self.no_open_heredoc()?;
        let mut escaped = false;
        let mut close = start + 1;
        loop {
            match self.byte(close) {
                0 => return Err(self.opaque("an unterminated command substitution")),
                b'`' => break,
                b'\\' => {
                    escaped = true;
                    close += 2;
                }
                _ => close += 1,
            }
        }
        self.at = start + 1;
        let list = if escaped { None } else { Some(self.list_until(close)?) };
        self.at = close + 1;
        parts.push(Part::Command { span: self.span_from(start), list, quoted });
        Ok(())
    }

    fn dollar_arithmetic(&mut self, parts: &mut Vec<Part<'t>>) -> Result<(), Opaque> {
        let start = self.at;
        self.at += 3;
        let mut inner = Vec::new();
        self.arithmetic(&mut inner)?;
        parts.push(Part::Arithmetic(self.span_from(start)));
        parts.extend(inner.into_iter().filter(is_command));
        Ok(())
    }

    /// Passes over an arithmetic expression and the `))` that ends it.
    pub(super) fn arithmetic(&mut self, parts: &mut Vec<Part<'t>>) -> Result<(), Opaque> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                0 => return Err(self.opaque("an unterminated arithmetic expression")),
                b'\'' | b'"' | b'\\' => return Err(self.opaque("a quote in an arithmetic expression")),
                b'\n' => return Err(self.opaque("a line end in an arithmetic expression")),
                b'$' | b'`' if self.read_expansion(true, parts)? => continue,
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' if self.byte(self.at + 1) == b')' => {
                    self.at += 2;
                    return Ok(());
                }
                b')' => return Err(self.opaque("a `((` that isn't closed by `))`")),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// `${...}`
    fn braced_parameter(&mut self, quoted: bool, parts: &mut Vec<Part<'t>>) -> Result<(), Opaque> {
        let start = self.at;
        let unterminated = self.opaque("an unterminated expansion");
        self.at += 2;
        let length = self.peek() == b'#' && self.byte(self.at + 1) != b'}';
        if length {
            self.at += 1;
        }
        let name_start = self.at;
        let first = self.peek();
        if self.name().is_empty() {
            if first.is_ascii_digit() {
                while self.peek().is_ascii_digit() {
                    self.at += 1;
                }
            } else if is_special_parameter(first) {
                self.at += 1;
            } else {
                return Err(self.opaque("a bad substitution"));
            }
        }
        let name = self.slice(name_start, self.at);
        if first == b'!' && self.peek() != b'}' {
            return Err(self.opaque("an indirect expansion"));
        }
        let operation_start = self.at;
        let mut inner = Vec::new();
        match self.peek() {
            b'}' => {}
            0 => return Err(unterminated),
            _ if length => return Err(self.opaque("a bad substitution")),
            b':' | b'-' | b'=' | b'+' | b'?' | b'%' | b'#' | b'/' | b'^' | b',' | b'@' | b'[' => {
                self.operation(quoted, &mut inner)?;
            }
            _ => return Err(self.opaque("a bad substitution")),
        }
        let operation = if length {
            self.slice(name_start - 1, name_start)
        } else {
            self.slice(operation_start, self.at)
        };
        self.at += 1;
        parts.push(Part::Parameter { span: self.span_from(start), name, operation, quoted });
        parts.extend(inner.into_iter().filter(is_command));
        Ok(())
    }

    /// Passes over the operation of a `${...}`, up to its `}`. Quotes next to braces are left alone:
    /// the shells disagree on which of them count.
    fn operation(&mut self, quoted: bool, parts: &mut Vec<Part<'t>>) -> Result<(), Opaque> {
        let unterminated = self.opaque("an unterminated expansion");
        let in_quotes = self.opaque("a quote in an expansion");
        let mut inner_quotes = false;
        while self.at < self.end {
            let start = self.at;
            match self.peek() {
                b'}' if !inner_quotes => return Ok(()),
                b'{' | b'}' if inner_quotes || !quoted => return Err(in_quotes),
                b'\\' => self.at += 1,
                b'\'' if quoted => return Err(in_quotes),
                b'\'' if !inner_quotes => {
                    self.single_quoted()?;
                    if self.slice(start, self.at).contains(['{', '}']) {
                        return Err(in_quotes);
                    }
                    continue;
                }
                b'"' => inner_quotes = !inner_quotes,
                b'$' | b'`' if self.read_expansion(quoted || inner_quotes, parts)? => continue,
                b'<' | b'>' if self.byte(start + 1) == b'(' => {
                    return Err(self.opaque("a process substitution"));
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(unterminated)
    }
}

fn is_special_parameter(byte: u8) -> bool {
    matches!(byte, b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}

/// Whether a part runs a list of its own.
pub(super) fn is_command(part: &Part<'_>) -> bool {
    matches!(part, Part::Command { .. })
}
