//! Heredocs of a script of several lines.

use super::parse::Reader;
use super::{Opaque, Word};

/// A heredoc whose body is still to come.
pub(super) struct Pending {
    delimiter: String,
    expands: bool,
    strips_tabs: bool,
    offset: usize,
}

impl Reader<'_> {
    /// Notes the heredoc whose operator stands at `start` and whose delimiter was just read.
    pub(super) fn open_heredoc(
        &mut self,
        start: usize,
        strips_tabs: bool,
        target: &Word<'_>,
    ) -> Result<(), Opaque> {
        let Some(delimiter) = target.literal() else {
            return Err(Opaque { reason: "a heredoc with an unusual delimiter", offset: start });
        };
        if !self.text.as_bytes()[self.at..self.end].contains(&b'\n') || self.heredocs.len() >= 100 {
            return Err(Opaque { reason: "a heredoc", offset: start });
        }
        let expands = self.slice(target.span.start, target.span.end) == delimiter;
        self.heredocs.push(Pending { delimiter: delimiter.to_owned(), expands, strips_tabs, offset: start });
        Ok(())
    }

    /// Refuses a script, or a command substitution, that ends before the bodies of its heredocs.
    pub(super) fn no_open_heredoc(&self) -> Result<(), Opaque> {
        match self.heredocs.first() {
            Some(heredoc) => Err(Opaque { reason: "a heredoc", offset: heredoc.offset }),
            None => Ok(()),
        }
    }

    /// Passes over the bodies of the open heredocs; the reader stands at the start of a line.
    pub(super) fn heredoc_bodies(&mut self) -> Result<(), Opaque> {
        for heredoc in std::mem::take(&mut self.heredocs) {
            self.heredoc_body(&heredoc)?;
        }
        Ok(())
    }

    fn heredoc_body(&mut self, heredoc: &Pending) -> Result<(), Opaque> {
        let mut continued = false;
        while self.at < self.end {
            let rest = &self.text[self.at..self.end];
            let line = rest.split('\n').next().unwrap_or(rest);
            let content = if heredoc.strips_tabs { line.trim_start_matches('\t') } else { line };
            if content == heredoc.delimiter {
                if continued {
                    return Err(self.opaque("a heredoc with a line continuation before its end"));
                }
                self.at = self.end.min(self.at + line.len() + 1);
                return Ok(());
            }
            // The tree has no place for what runs there.
            if heredoc.expands && (line.contains('`') || line.contains("$(")) {
                return Err(self.opaque("a command substitution in a heredoc"));
            }
            continued = heredoc.expands && line.ends_with('\\');
            self.at = self.end.min(self.at + line.len() + 1);
        }
        Err(Opaque { reason: "a heredoc without an end", offset: heredoc.offset })
    }
}
