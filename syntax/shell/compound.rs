//! Control structures.

use super::command::is_function_name;
use super::expansion::is_command;
use super::parse::{Reader, Reserved, is_delimiter};
use super::{Command, Compound, CompoundKind, List, Opaque, Word};
use crate::LogicalSpan;

impl<'t> Reader<'t> {
    /// Reads the control structure that starts here.
    pub(super) fn compound(&mut self) -> Result<Compound<'t>, Opaque> {
        let start = self.at;
        let kind = if self.peek() == b'(' { self.parenthesis()? } else { self.structure()? };
        let redirections = self.redirections()?;
        Ok(Compound { span: self.span_from(start), kind, redirections })
    }

    fn parenthesis(&mut self) -> Result<CompoundKind<'t>, Opaque> {
        let start = self.at;
        if self.byte(start + 1) == b'(' {
            self.at += 2;
            let mut parts = Vec::new();
            self.arithmetic(&mut parts)?;
            // The tree has no place for what runs there.
            if parts.iter().any(is_command) {
                return Err(Opaque { reason: "a command substitution in `((`", offset: start });
            }
            return Ok(CompoundKind::Arithmetic(self.span_from(start)));
        }
        self.at += 1;
        let list = self.full_list()?;
        if self.peek() != b')' {
            return Err(if self.at < self.end {
                self.unexpected()
            } else {
                Opaque { reason: "an unclosed `(`", offset: start }
            });
        }
        self.at += 1;
        Ok(CompoundKind::Subshell(list))
    }

    fn structure(&mut self) -> Result<CompoundKind<'t>, Opaque> {
        match self.reserved() {
            Some(Reserved::Open) => {
                self.at += 1;
                let list = self.full_list()?;
                self.expect("}", "an unclosed `{`")?;
                Ok(CompoundKind::Group(list))
            }
            Some(Reserved::If) => self.conditional(),
            Some(Reserved::For) => self.for_loop(),
            Some(Reserved::While) => self.while_loop("while", false),
            Some(Reserved::Until) => self.while_loop("until", true),
            Some(Reserved::Case) => self.case(),
            Some(Reserved::Test) => self.test().map(CompoundKind::Test),
            Some(Reserved::Function) => Err(self.opaque("a function with the `function` keyword")),
            Some(Reserved::Select) => Err(self.opaque("a `select` loop")),
            Some(Reserved::Coproc) => Err(self.opaque("a coprocess")),
            _ => Err(self.unexpected()),
        }
    }

    fn conditional(&mut self) -> Result<CompoundKind<'t>, Opaque> {
        let unclosed = "an `if` without `fi`";
        self.at += "if".len();
        let mut branches = Vec::new();
        loop {
            let condition = self.full_list()?;
            self.expect("then", unclosed)?;
            branches.push((condition, self.full_list()?));
            if self.reserved() != Some(Reserved::Elif) {
                break;
            }
            self.at += "elif".len();
        }
        let mut otherwise = None;
        if self.reserved() == Some(Reserved::Else) {
            self.at += "else".len();
            otherwise = Some(self.full_list()?);
        }
        self.expect("fi", unclosed)?;
        Ok(CompoundKind::If { branches, otherwise })
    }

    fn while_loop(&mut self, keyword: &str, until: bool) -> Result<CompoundKind<'t>, Opaque> {
        self.at += keyword.len();
        let condition = self.full_list()?;
        Ok(CompoundKind::While { until, condition, body: self.loop_body()? })
    }

    fn loop_body(&mut self) -> Result<List<'t>, Opaque> {
        let unclosed = "a loop without `done`";
        self.expect("do", unclosed)?;
        let body = self.full_list()?;
        self.expect("done", unclosed)?;
        Ok(body)
    }

    fn for_loop(&mut self) -> Result<CompoundKind<'t>, Opaque> {
        self.at += "for".len();
        self.skip_blanks();
        if self.starts_with("((") {
            return Err(self.opaque("a `for ((...))` loop"));
        }
        let name = self.name();
        if name.is_empty() || !(self.at == self.end || is_delimiter(self.peek())) {
            return Err(self.opaque("a loop without a variable"));
        }
        self.skip_lines()?;
        let mut words = None;
        if self.reserved() == Some(Reserved::In) {
            self.at += "in".len();
            words = Some(self.loop_words()?);
        } else if self.peek() == b';' {
            self.at += 1;
        }
        self.skip_lines()?;
        Ok(CompoundKind::For { name, words, body: self.loop_body()? })
    }

    /// Reads the words of a `for`, and the `;` or line end after them.
    fn loop_words(&mut self) -> Result<Vec<Word<'t>>, Opaque> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                b';' => {
                    self.at += 1;
                    return Ok(words);
                }
                b'\n' => {
                    self.line_end()?;
                    return Ok(words);
                }
                0 => return Err(self.opaque("a loop without `done`")),
                _ => words.push(self.word()?),
            }
        }
    }

    fn case(&mut self) -> Result<CompoundKind<'t>, Opaque> {
        let unclosed = "a `case` without `esac`";
        self.at += "case".len();
        self.skip_blanks();
        let word = self.word()?;
        self.skip_lines()?;
        self.expect("in", unclosed)?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines()?;
            if self.reserved() == Some(Reserved::Esac) {
                self.at += "esac".len();
                return Ok(CompoundKind::Case { word, arms });
            }
            let patterns = self.case_patterns()?;
            let list = self.list()?;
            arms.push((patterns, list));
            match self.peek() {
                b';' if self.starts_with(";;&") => return Err(self.opaque("a case arm that falls through")),
                b';' => self.at += 2,
                0 => return Err(self.opaque(unclosed)),
                _ if self.reserved() == Some(Reserved::Esac) => {}
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Reads the patterns of a case arm, and the `)` after them.
    fn case_patterns(&mut self) -> Result<Vec<Word<'t>>, Opaque> {
        if self.peek() == b'(' {
            self.at += 1;
            self.skip_blanks();
            if self.reserved() == Some(Reserved::Esac) {
                return Err(self.unexpected());
            }
        }
        let mut patterns = vec![self.word()?];
        loop {
            self.skip_blanks();
            match self.peek() {
                b'|' => {
                    self.at += 1;
                    self.skip_blanks();
                    patterns.push(self.word()?);
                }
                b')' => {
                    self.at += 1;
                    return Ok(patterns);
                }
                _ => return Err(self.opaque("a case pattern without `)`")),
            }
        }
    }

    /// Reads the rest of a function, whose name was read as the word at `name`.
    pub(super) fn function(&mut self, name: LogicalSpan) -> Result<Compound<'t>, Opaque> {
        let text = self.slice(name.start, name.end);
        if !is_function_name(text) {
            return Err(self.unexpected());
        }
        let unexpected = self.unexpected();
        self.at += 1;
        self.skip_blanks();
        if self.peek() != b')' {
            return Err(unexpected);
        }
        self.at += 1;
        self.skip_lines()?;
        if self.peek() != b'(' && self.reserved().is_none() {
            return Err(self.opaque("a function whose body is a simple command"));
        }
        let body = Box::new(Command::Compound(self.nested(Self::compound)?));
        let kind = CompoundKind::Function { name: text, body };
        Ok(Compound { span: self.span_from(name.start), kind, redirections: Vec::new() })
    }
}
