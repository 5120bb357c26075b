//! Places in a text: in the source, and in the logical line that a builder makes of it.

use std::ops::Range;

/// A range of bytes of the source text; `end` is exclusive.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A range of bytes of an instruction's logical line (see [`crate::Logical`]); `end` is exclusive.
///
/// A type of its own, so that a logical place can't be used to edit the source by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalSpan {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

macro_rules! span_methods {
    ($name:ident) => {
        impl $name {
            /// The span from `start` up to, but not including, `end`.
            pub fn new(start: usize, end: usize) -> Self {
                debug_assert!(start <= end);
                Self { start, end }
            }

            /// The empty span at `at`.
            pub fn empty(at: usize) -> Self {
                Self::new(at, at)
            }

            /// How many bytes it covers.
            pub fn len(self) -> usize {
                self.end - self.start
            }

            /// Whether it covers no byte.
            pub fn is_empty(self) -> bool {
                self.start == self.end
            }

            /// The smallest span that covers both.
            pub fn to(self, other: Self) -> Self {
                Self::new(self.start.min(other.start), self.end.max(other.end))
            }

            /// Whether `other` lies within it.
            pub fn contains(self, other: Self) -> bool {
                self.start <= other.start && other.end <= self.end
            }

            /// The bytes that it covers, for indexing a text.
            pub fn range(self) -> Range<usize> {
                self.start..self.end
            }
        }
    };
}

span_methods!(Span);
span_methods!(LogicalSpan);

/// A place as people name it: both numbers count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// Finds lines and columns of byte offsets.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Reads the line starts of `text`. Lines end at `\n`.
    pub fn new(text: &str) -> Self {
        let after_newline = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_newline).collect() }
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// The line and column of a byte offset of `text`, which must be the text that was indexed.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let line = self.line(offset);
        let before = text.get(self.starts[line - 1]..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    /// The byte offset at which a line (from 1) starts; `None` beyond the last line.
    pub fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied()
    }
}
