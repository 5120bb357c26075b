//! A whole file: items that tile its text.

use crate::{Diagnostic, Instruction, Span};

/// A file as read: its items follow each other without a gap, so that printing them gives the text.
#[derive(Clone, Debug)]
pub struct Dockerfile<'t> {
    /// The text that was read.
    pub text: &'t str,
    /// What it consists of, in order, from the first byte to the last.
    pub items: Vec<Item<'t>>,
    /// The escape character that the file uses: `\` or a backtick.
    pub escape: char,
    /// Why BuildKit would refuse the file, by place; empty for a file that it accepts.
    pub diagnostics: Vec<Diagnostic>,
}

/// A part of a file. Every item but the byte order mark is one or more whole lines, with their
/// line ends.
#[derive(Clone, Debug)]
pub enum Item<'t> {
    /// The UTF-8 byte order mark.
    ByteOrderMark(Span),
    /// One line of white space.
    Blank(Span),
    /// One comment line.
    Comment(Span),
    /// A parser directive.
    Directive(Directive<'t>),
    /// An instruction with its continuation lines and heredocs.
    Instruction(Box<Instruction<'t>>),
    /// Lines that can't be read; there is a diagnostic for them.
    Error(Span),
}

/// A parser directive: `# name=value` at the top of the file.
#[derive(Clone, Debug)]
pub struct Directive<'t> {
    /// The whole line.
    pub span: Span,
    /// The name as written.
    pub name: &'t str,
    /// The value without surrounding white space.
    pub value: &'t str,
}

impl<'t> Item<'t> {
    /// The bytes that the item covers.
    pub fn span(&self) -> Span {
        match self {
            Self::ByteOrderMark(span) | Self::Blank(span) | Self::Comment(span) | Self::Error(span) => *span,
            Self::Directive(directive) => directive.span,
            Self::Instruction(instruction) => instruction.span,
        }
    }

    /// The instruction, if it is one.
    pub fn instruction(&self) -> Option<&Instruction<'t>> {
        match self {
            Self::Instruction(instruction) => Some(instruction),
            _ => None,
        }
    }
}

impl<'t> Dockerfile<'t> {
    /// The instructions in order.
    pub fn instructions(&self) -> impl DoubleEndedIterator<Item = &Instruction<'t>> {
        self.items.iter().filter_map(Item::instruction)
    }

    /// The text, printed from the items.
    pub fn print(&self) -> String {
        self.items.iter().map(|item| &self.text[item.span().range()]).collect()
    }

    /// The line ending of the file: `\r\n` if its first line ends so, else `\n`.
    pub fn newline(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}
