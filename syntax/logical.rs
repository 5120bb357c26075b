//! An instruction's text as the builder sees it, and the way back to the source.

use std::borrow::Cow;

use crate::{LogicalSpan, Span};

/// The logical line of an instruction: its lines joined, without continuation characters, without
/// the comments and empty lines between them, without leading white space of the first line, and
/// without heredoc bodies.
#[derive(Clone, Debug)]
pub struct Logical<'t> {
    /// The joined text.
    pub text: Cow<'t, str>,
    /// Where each piece of `text` comes from, in order; never empty.
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    logical: usize,
    source: usize,
}

impl<'t> Logical<'t> {
    /// The text of one line that starts at `source`.
    pub(crate) fn line(text: &'t str, source: usize) -> Self {
        Self { text: Cow::Borrowed(text), pieces: vec![Piece { logical: 0, source }] }
    }

    /// Appends a continuation line that starts at `source`.
    pub(crate) fn push(&mut self, text: &str, source: usize) {
        self.pieces.push(Piece { logical: self.text.len(), source });
        self.text.to_mut().push_str(text);
    }

    /// The text of a span.
    pub fn get(&self, span: LogicalSpan) -> &str {
        &self.text[span.range()]
    }

    /// Where the byte at a logical offset stands in the source. The end of the text gives the end
    /// of its last piece.
    pub fn source(&self, offset: usize) -> usize {
        let piece =
            self.pieces[self.pieces.partition_point(|piece| piece.logical <= offset).saturating_sub(1)];
        piece.source + (offset - piece.logical)
    }

    /// The source bytes from the first byte of a span to its last. What lies between two pieces
    /// (continuation characters, comments) is included; what follows the last byte is not.
    pub fn source_span(&self, span: LogicalSpan) -> Span {
        if span.is_empty() {
            return Span::empty(self.source(span.start));
        }
        Span::new(self.source(span.start), self.source(span.end - 1) + 1)
    }

    /// Whether a span lies in one piece, that is on one source line.
    pub fn on_one_line(&self, span: LogicalSpan) -> bool {
        self.source_span(span).len() == span.len()
    }
}
