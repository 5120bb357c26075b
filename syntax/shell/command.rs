//! Simple commands, their assignments and redirections.

use super::parse::{Reader, Reserved, is_delimiter, is_name_byte};
use super::{Assignment, Command, Opaque, Redirection, Simple, Word};
use crate::LogicalSpan;

impl<'t> Reader<'t> {
    pub(super) fn command(&mut self) -> Result<Command<'t>, Opaque> {
        if self.peek() == b'(' || self.reserved().is_some() {
            return self.nested(Self::compound).map(Command::Compound);
        }
        self.simple()
    }

    fn simple(&mut self) -> Result<Command<'t>, Opaque> {
        let start = self.at;
        let mut last = start;
        let mut simple = Simple {
            span: LogicalSpan::empty(start),
            assignments: Vec::new(),
            words: Vec::new(),
            redirections: Vec::new(),
        };
        loop {
            match self.peek() {
                0 | b'\n' | b';' | b'|' | b')' => break,
                b'&' if self.byte(self.at + 1) != b'>' => break,
                b'(' if simple.assignments.is_empty()
                    && simple.redirections.is_empty()
                    && simple.words.len() == 1 =>
                {
                    let name = simple.words[0].span;
                    return self.nested(|reader| reader.function(name)).map(Command::Compound);
                }
                b'(' => return Err(self.unexpected()),
                _ => {
                    if let Some(redirection) = self.redirection()? {
                        simple.redirections.push(redirection);
                    } else if simple.words.is_empty()
                        && let Some(assignment) = self.assignment()?
                    {
                        simple.assignments.push(assignment);
                    } else {
                        simple.words.push(self.word()?);
                    }
                    last = self.at;
                }
            }
            self.skip_blanks();
        }
        if last == start {
            return Err(self.unexpected());
        }
        if self.starts_reserved_in_bash(&simple) {
            return Err(Opaque { reason: "a misplaced reserved word", offset: start });
        }
        simple.span = LogicalSpan::new(start, last);
        Ok(Command::Simple(simple))
    }

    /// Whether the command starts with a word that bash alone reserves, in a way that bash refuses:
    /// `]]`, or `time` without a plain command.
    fn starts_reserved_in_bash(&self, simple: &Simple<'t>) -> bool {
        let text = |word: &Word<'t>| self.slice(word.span.start, word.span.end);
        match simple.words.first().map(text) {
            Some("]]") => true,
            Some("time") => match simple.words.get(1) {
                Some(word) => {
                    Reserved::read(text(word)).is_some() || matches!(text(word), "]]" | "--" | "time")
                }
                None => true,
            },
            _ => false,
        }
    }

    /// Reads `NAME=value` or `NAME+=value`, if one stands here.
    fn assignment(&mut self) -> Result<Option<Assignment<'t>>, Opaque> {
        let start = self.at;
        let name = self.name();
        let append = self.starts_with("+=");
        if !name.is_empty() && self.peek() == b'[' {
            return Err(self.opaque("an array"));
        }
        if name.is_empty() || !(append || self.peek() == b'=') {
            self.at = start;
            return Ok(None);
        }
        self.at += 1 + usize::from(append);
        let value = if self.at == self.end || is_delimiter(self.peek()) {
            if self.peek() == b'(' {
                return Err(self.opaque("an array"));
            }
            Word::empty(self.at)
        } else {
            self.word()?
        };
        Ok(Some(Assignment { span: self.span_from(start), name, append, value }))
    }

    /// Reads the redirections that follow a control structure.
    pub(super) fn redirections(&mut self) -> Result<Vec<Redirection<'t>>, Opaque> {
        let mut redirections = Vec::new();
        loop {
            let before = self.at;
            self.skip_blanks();
            let Some(redirection) = self.redirection()? else {
                // The structure ends before the blanks.
                self.at = before;
                return Ok(redirections);
            };
            redirections.push(redirection);
        }
    }

    /// Reads a redirection, if one stands here.
    fn redirection(&mut self) -> Result<Option<Redirection<'t>>, Opaque> {
        let start = self.at;
        let first = self.peek();
        if !(first.is_ascii_digit() || matches!(first, b'<' | b'>' | b'&')) {
            return Ok(None);
        }
        let mut digits = 0;
        while self.byte(start + digits).is_ascii_digit() {
            digits += 1;
        }
        self.at += digits;
        let operator = match self.operator() {
            Some(operator) if digits == 0 || !operator.starts_with('&') => operator,
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        if digits > 1 {
            return Err(self.opaque("a file descriptor above 9"));
        }
        let operator_at = self.at;
        self.at += operator.len();
        if self.peek() == b'(' {
            return Err(self.opaque("a process substitution"));
        }
        self.skip_blanks();
        if self.at == self.end || is_delimiter(self.peek()) {
            return Err(self.opaque("a redirection without a target"));
        }
        let target_at = self.at;
        let target = self.word()?;
        // `> 2>&1`: the digits belong to the second operator, and the first has no target.
        if matches!(self.peek(), b'<' | b'>')
            && self.slice(target_at, self.at).bytes().all(|b| b.is_ascii_digit())
        {
            return Err(Opaque { reason: "a redirection without a target", offset: operator_at });
        }
        if matches!(operator, "<<" | "<<-") {
            self.open_heredoc(operator_at, operator == "<<-", &target)?;
        }
        let descriptor = (digits == 1).then(|| u32::from(first - b'0'));
        Ok(Some(Redirection { span: self.span_from(start), descriptor, operator, target }))
    }

    /// The redirection operator that stands here.
    fn operator(&self) -> Option<&'t str> {
        let (second, third) = (self.byte(self.at + 1), self.byte(self.at + 2));
        let len = match (self.peek(), second, third) {
            (b'<', b'<', b'<' | b'-') | (b'&', b'>', b'>') => 3,
            (b'<', b'<' | b'&' | b'>', _) | (b'>', b'>' | b'&' | b'|', _) | (b'&', b'>', _) => 2,
            (b'<' | b'>', _, _) => 1,
            _ => return None,
        };
        Some(self.slice(self.at, self.at + len))
    }
}

/// Whether a word's text can be a function's name: as it stands, without quotes.
pub(super) fn is_function_name(name: &str) -> bool {
    name.bytes().all(|byte| is_name_byte(byte) || matches!(byte, b'-' | b'.' | b':' | b'+'))
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}
