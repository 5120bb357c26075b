//! Lists and pipelines.

use super::parse::Reader;
use super::{Command, Entry, Joiner, JoinerKind, List, Opaque, Pipeline};
use crate::LogicalSpan;

impl<'t> Reader<'t> {
    /// Reads a list up to what can't belong to it: the end, a `)`, a `;;`, or a reserved word. The
    /// caller checks that it is the right one.
    pub(super) fn list(&mut self) -> Result<List<'t>, Opaque> {
        let mut span = LogicalSpan::empty(self.at);
        let mut entries = Vec::new();
        self.skip_lines()?;
        while !self.at_list_end() {
            let pipeline = self.pipeline()?;
            span = if entries.is_empty() { pipeline.span } else { span.to(pipeline.span) };
            self.skip_blanks();
            let joiner = self.joiner(&pipeline)?;
            let Some(joiner) = joiner else {
                entries.push(Entry { pipeline, joiner });
                break;
            };
            match joiner.kind {
                JoinerKind::Newline => self.heredoc_bodies()?,
                JoinerKind::Semicolon | JoinerKind::Background => span = span.to(joiner.span),
                JoinerKind::And | JoinerKind::Or => {}
            }
            entries.push(Entry { pipeline, joiner: Some(joiner) });
            self.skip_lines()?;
            if matches!(joiner.kind, JoinerKind::And | JoinerKind::Or) && self.at_list_end() {
                return Err(self.opaque("a missing command"));
            }
        }
        Ok(List { entries, span, comment: self.comment.take() })
    }

    /// Reads a list that must have a command.
    pub(super) fn full_list(&mut self) -> Result<List<'t>, Opaque> {
        let list = self.list()?;
        if list.entries.is_empty() { Err(self.opaque("a missing command")) } else { Ok(list) }
    }

    fn at_list_end(&self) -> bool {
        match self.peek() {
            0 | b')' => true,
            b';' => self.byte(self.at + 1) == b';',
            _ => self.reserved().is_some_and(|word| word.ends_list()),
        }
    }

    /// Reads what joins a pipeline to the next; nothing at the end of the list.
    fn joiner(&mut self, pipeline: &Pipeline<'t>) -> Result<Option<Joiner>, Opaque> {
        let start = self.at;
        let (kind, len) = match (self.peek(), self.byte(start + 1)) {
            (0 | b')', _) | (b';', b';') => return Ok(None),
            (b';', b'&') => return Err(self.opaque("a case arm that falls through")),
            (b';', _) => (JoinerKind::Semicolon, 1),
            (b'\n', _) => (JoinerKind::Newline, 1),
            (b'&', b'&') => (JoinerKind::And, 2),
            (b'&', _) => (JoinerKind::Background, 1),
            (b'|', b'|') => (JoinerKind::Or, 2),
            // `fi fi`, `done }`: a reserved word may follow a control structure at once.
            _ if self.at_list_end() && ends_with_reserved(pipeline) => return Ok(None),
            _ => return Err(self.unexpected()),
        };
        self.at += len;
        Ok(Some(Joiner { kind, span: self.span_from(start) }))
    }

    fn pipeline(&mut self) -> Result<Pipeline<'t>, Opaque> {
        let start = self.at;
        let negated = self.starts_with("! ") || self.starts_with("!\t");
        if negated {
            self.at += 1;
            self.skip_blanks();
        }
        let mut commands = vec![self.command()?];
        let mut span = LogicalSpan::new(start, self.last_end(&commands));
        loop {
            self.skip_blanks();
            if self.peek() != b'|' || self.byte(self.at + 1) == b'|' {
                return Ok(Pipeline { span, negated, commands });
            }
            if self.byte(self.at + 1) == b'&' {
                return Err(self.opaque("a `|&`"));
            }
            self.at += 1;
            self.skip_lines()?;
            commands.push(self.command()?);
            span.end = self.last_end(&commands);
        }
    }

    fn last_end(&self, commands: &[Command<'t>]) -> usize {
        commands.last().map_or(self.at, |command| command.span().end)
    }
}

fn ends_with_reserved(pipeline: &Pipeline<'_>) -> bool {
    matches!(pipeline.commands.last(), Some(Command::Compound(compound)) if compound.redirections.is_empty())
}
