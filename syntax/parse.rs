//! Reading a file.

use crate::check::Checker;
use crate::directives::{Directives, Top};
use crate::lines::{Line, Lines, without_continuation};
use crate::operation::{self, Problem};
use crate::{
    Diagnostic, Dockerfile, Heredoc, Instruction, Item, Logical, LogicalSpan, Span, Trivia, heredoc,
};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a file, following BuildKit's parser. Never fails; see [`Dockerfile::diagnostics`].
///
/// BuildKit gives up at the first fault. Here the rest of the file is read as well, so that every
/// instruction is there to be looked at.
pub fn parse(text: &str) -> Dockerfile<'_> {
    let mut parser = Parser {
        text,
        lines: Lines::new(text),
        directives: Directives::new(),
        checker: Checker::default(),
        items: Vec::new(),
        diagnostics: Vec::new(),
    };
    parser.file();
    let Parser { directives, items, mut diagnostics, .. } = parser;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    Dockerfile { text, items, escape: directives.escape, diagnostics }
}

struct Parser<'t> {
    text: &'t str,
    lines: Lines<'t>,
    directives: Directives,
    checker: Checker,
    items: Vec<Item<'t>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Parser<'t> {
    fn file(&mut self) {
        let mut bom = Span::empty(0);
        // The scanner counts the mark as a part of the first line, so the line is read with it.
        let marked = self.text.starts_with(BYTE_ORDER_MARK);
        while let Some(mut line) = self.lines.next() {
            if marked && line.span.start == 0 {
                bom = Span::new(0, BYTE_ORDER_MARK.len_utf8());
                self.items.push(Item::ByteOrderMark(bom));
                line.span.start = bom.end;
                line.content = &line.content[bom.len()..];
                if line.span.is_empty() {
                    break;
                }
            }
            self.line(line);
        }
        if let Some(rest) = self.lines.left_over() {
            self.items.push(Item::Error(rest));
            self.fault(rest, "dockerfile line greater than max allowed size of 65535");
        }
        let end = self.text.len();
        let none = !self.items.iter().any(|item| matches!(item, Item::Instruction(_)));
        if none {
            self.fault(Span::new(bom.end, end), "file with no instructions");
        } else if !self.checker.has_stage() && self.diagnostics.is_empty() {
            self.fault(Span::empty(end), "dockerfile contains no stages to build");
        }
    }

    fn fault(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic { span, message: message.into() });
    }

    /// Reads what starts at a line.
    fn line(&mut self, line: Line<'t>) {
        let content = line.content.trim_start();
        match self.directives.read(line.span, content) {
            Top::Directive(directive) => self.items.push(Item::Directive(directive)),
            Top::Refused(message) => {
                self.items.push(Item::Error(line.span));
                self.fault(line.span, message);
            }
            Top::Other if content.is_empty() => self.items.push(Item::Blank(line.span)),
            Top::Other if content.starts_with('#') => self.items.push(Item::Comment(line.span)),
            Top::Other => self.instruction(line, content),
        }
    }

    fn instruction(&mut self, first: Line<'t>, content: &'t str) {
        let start_line = self.lines.count;
        let escape = self.directives.escape;
        let start = first.span.start + (first.content.len() - content.len());
        let mut span = first.span;
        let mut trivia = Vec::new();
        let mut continued = without_continuation(content, escape);
        let mut logical = Logical::line(continued.unwrap_or(content), start);
        while continued.is_some() {
            let Some(line) = self.lines.next() else { break };
            span.end = line.span.end;
            let content = line.content.trim_start();
            if content.starts_with('#') {
                trivia.push(Trivia::Comment(line.span));
            } else if content.is_empty() {
                trivia.push(Trivia::Empty(line.span));
            } else {
                continued = without_continuation(line.content, escape);
                logical.push(continued.unwrap_or(line.content), line.span.start);
            }
        }

        let whole = LogicalSpan::new(0, logical.text.len());
        let (operation, mut problem) = operation::read(&logical.text, whole, escape);
        let mut heredocs = Vec::new();
        if operation.may_open_heredocs() {
            match heredoc::openings(&logical.text) {
                Ok(openings) => {
                    for opening in openings {
                        match self.body(opening, span.end) {
                            (heredoc, true) => heredocs.push(heredoc),
                            (heredoc, false) => {
                                heredocs.push(heredoc);
                                let message = "unterminated heredoc".to_owned();
                                problem.get_or_insert(Problem { span: whole, message });
                            }
                        }
                        span.end = self.lines.position();
                    }
                }
                Err(error) => {
                    problem.get_or_insert(Problem { span: whole, message: error.0 });
                }
            }
        }

        let end_line = self.lines.count;
        let instruction = Instruction { span, start_line, end_line, logical, operation, heredocs, trivia };
        let problem = self.checker.check(&instruction, escape, problem);
        if let Some(Problem { span, message }) = problem {
            self.fault(instruction.logical.source_span(span), message);
        }
        self.items.push(Item::Instruction(Box::new(instruction)));
    }

    /// Reads the lines of a heredoc, and whether its end is there.
    fn body(&mut self, opening: heredoc::Opening, start: usize) -> (Heredoc, bool) {
        let mut body = Span::empty(start);
        let mut terminator = None;
        while let Some(line) = self.lines.next() {
            let content = if opening.chomp { line.content.trim_start_matches('\t') } else { line.content };
            if content == opening.name {
                terminator = Some(line.span);
                break;
            }
            body.end = line.span.end;
        }
        let heredoc::Opening { name, file_descriptor, expand, chomp, spaced } = opening;
        let end = terminator.unwrap_or(Span::empty(body.end));
        let heredoc = Heredoc { name, file_descriptor, expand, chomp, spaced, body, terminator: end };
        (heredoc, terminator.is_some())
    }
}
