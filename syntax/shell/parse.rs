//! Reading a script: the reader, and what lies between the words.

use super::heredoc::Pending;
use super::{List, Opaque};
use crate::LogicalSpan;

/// How many constructs may lie within each other.
const DEEPEST: usize = 100;

/// Reads the part `span` of a logical line as a shell script. All spans of the result are places in
/// the whole of `text`.
///
/// # Errors
///
/// [`Opaque`] for a script that a shell would refuse, and for one that this reader doesn't follow.
pub fn parse(text: &str, span: LogicalSpan) -> Result<List<'_>, Opaque> {
    if text.get(span.range()).is_none() {
        return Err(Opaque { reason: "a place outside the text", offset: span.start });
    }
    if let Some(at) = text[span.range()].find('\0') {
        return Err(Opaque { reason: "a NUL byte", offset: span.start + at });
    }
    let mut reader =
        Reader { text, at: span.start, end: span.end, depth: 0, comment: None, heredocs: Vec::new() };
    reader.whole()
}

/// A place in a script that is being read.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Where the script ends; that of a list in backticks lies before the end of the text.
    pub(super) end: usize,
    depth: usize,
    /// The comment that was read last, if it reaches to the end.
    pub(super) comment: Option<LogicalSpan>,
    /// The heredocs whose bodies start on the next line.
    pub(super) heredocs: Vec<Pending>,
}

/// A word that is a part of the grammar where a command may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserved {
    Case,
    Close,
    Coproc,
    Do,
    Done,
    Elif,
    Else,
    Esac,
    Fi,
    For,
    Function,
    If,
    In,
    Not,
    Open,
    Select,
    Test,
    Then,
    Until,
    While,
}

impl Reserved {
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "case" => Self::Case,
            "}" => Self::Close,
            "coproc" => Self::Coproc,
            "do" => Self::Do,
            "done" => Self::Done,
            "elif" => Self::Elif,
            "else" => Self::Else,
            "esac" => Self::Esac,
            "fi" => Self::Fi,
            "for" => Self::For,
            "function" => Self::Function,
            "if" => Self::If,
            "in" => Self::In,
            "!" => Self::Not,
            "{" => Self::Open,
            "select" => Self::Select,
            "[[" => Self::Test,
            "then" => Self::Then,
            "until" => Self::Until,
            "while" => Self::While,
            _ => return None,
        })
    }

    /// Whether it ends the list before it.
    pub(super) fn ends_list(self) -> bool {
        matches!(
            self,
            Self::Close
                | Self::Do
                | Self::Done
                | Self::Elif
                | Self::Else
                | Self::Esac
                | Self::Fi
                | Self::Then
        )
    }
}

/// Whether a byte ends a word.
pub(super) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

/// Whether a byte may stand in a variable's name, if not at its start then.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'t> Reader<'t> {
    fn whole(&mut self) -> Result<List<'t>, Opaque> {
        let list = self.list()?;
        if self.at < self.end {
            return Err(self.unexpected());
        }
        self.no_open_heredoc()?;
        Ok(list)
    }

    /// The byte at an offset, 0 beyond the end: the text has no byte 0.
    pub(super) fn byte(&self, at: usize) -> u8 {
        if at < self.end { self.text.as_bytes()[at] } else { 0 }
    }

    /// The byte at which the reader stands, 0 at the end.
    pub(super) fn peek(&self) -> u8 {
        self.byte(self.at)
    }

    pub(super) fn starts_with(&self, what: &str) -> bool {
        self.text.as_bytes()[self.at..self.end].starts_with(what.as_bytes())
    }

    /// The text between two offsets. Both stand next to an ASCII byte, so that they never split a
    /// character.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'t str {
        &self.text[start..end]
    }

    pub(super) fn span_from(&self, start: usize) -> LogicalSpan {
        LogicalSpan::new(start, self.at)
    }

    pub(super) fn opaque(&self, reason: &'static str) -> Opaque {
        Opaque { reason, offset: self.at }
    }

    /// The refusal of what stands here, where nothing or something else should.
    pub(super) fn unexpected(&self) -> Opaque {
        self.opaque(match self.peek() {
            0 => "a missing command",
            b'(' => "an unexpected `(`",
            b')' => "an unmatched `)`",
            b';' => "an unexpected `;`",
            b'&' => "an unexpected `&`",
            b'|' => "an unexpected `|`",
            b'\n' => "an unexpected line end",
            _ if self.reserved().is_some() => "a misplaced reserved word",
            _ => "an unexpected word",
        })
    }

    /// Reads something that may contain itself.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Opaque>,
    ) -> Result<T, Opaque> {
        if self.depth >= DEEPEST {
            return Err(self.opaque("nesting deeper than 100 levels"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads the list that lies between here and `end`, and stops there.
    pub(super) fn list_until(&mut self, end: usize) -> Result<List<'t>, Opaque> {
        let outer = std::mem::replace(&mut self.end, end);
        let list = self.nested(Self::whole);
        self.end = outer;
        list
    }

    /// Whether a line continuation starts at an offset.
    pub(super) fn is_continuation(&self, at: usize) -> bool {
        self.byte(at) == b'\\' && self.byte(at + 1) == b'\n'
    }

    /// Passes over blanks, continuations and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                b' ' | b'\t' => self.at += 1,
                b'\\' if self.is_continuation(self.at) => self.at += 2,
                b'#' => {
                    let start = self.at;
                    while self.at < self.end && self.peek() != b'\n' {
                        self.at += 1;
                    }
                    if self.at == self.end {
                        self.comment = Some(self.span_from(start));
                    }
                }
                _ => return,
            }
        }
    }

    /// Passes over blanks, comments and line ends, with the heredoc bodies behind them.
    pub(super) fn skip_lines(&mut self) -> Result<(), Opaque> {
        loop {
            self.skip_blanks();
            if self.peek() != b'\n' {
                return Ok(());
            }
            self.line_end()?;
        }
    }

    /// Reads the line end at which the reader stands, and the heredoc bodies behind it.
    pub(super) fn line_end(&mut self) -> Result<(), Opaque> {
        self.at += 1;
        self.heredoc_bodies()
    }

    /// The reserved word that stands here.
    pub(super) fn reserved(&self) -> Option<Reserved> {
        // None is longer than `function`.
        let rest = &self.text.as_bytes()[self.at..self.end.min(self.at + 9)];
        let plain = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'!' | b'{' | b'}' | b'[');
        let len = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
        let after = self.at + len;
        let ends = after >= self.end
            || is_delimiter(self.byte(after))
            || (self.is_continuation(after) && matches!(self.byte(after + 2), b' ' | b'\t' | b'\n'));
        if !ends {
            return None;
        }
        Reserved::read(self.slice(self.at, after))
    }

    /// Reads a reserved word, which must stand here.
    pub(super) fn expect(&mut self, word: &'static str, missing: &'static str) -> Result<(), Opaque> {
        if self.reserved().is_none() || self.reserved() != Reserved::read(word) {
            return Err(if self.at < self.end { self.unexpected() } else { self.opaque(missing) });
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a variable's name; an empty one if none stands here.
    pub(super) fn name(&mut self) -> &'t str {
        let start = self.at;
        if !self.peek().is_ascii_digit() {
            while is_name_byte(self.peek()) {
                self.at += 1;
            }
        }
        self.slice(start, self.at)
    }
}
