//! Changes to the body of one RUN.

use crate::layout::{Break, indent_before};
use crate::shell::{Entry, List};
use crate::{Dockerfile, Edits, Instruction, LogicalSpan, Overlap, Span, Trivia};

/// A line of a RUN does not get longer than this by what is put on it.
pub const LINE_WIDTH: usize = 100;

/// Why a plan can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two changes want the same place.
    #[error(transparent)]
    Overlap(#[from] Overlap),
    /// A comment would be lost or would move away from what it is about.
    #[error("a comment stands in the way")]
    Comment,
    /// Commands put at the end would be part of the comment that is there.
    #[error("the script ends with a comment")]
    TrailingComment,
    /// At the start or the end of a RUN, a command would be read otherwise.
    #[error("a command beside it would be read otherwise at the start or the end of the RUN")]
    ReadOtherwise,
}

/// How two RUNs become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinLayout {
    /// Whether the commands of the second get a line of their own, whether or not they fit on that of the first.
    pub on_next_line: bool,
    /// Whether the comments between the two go above the first.
    pub comments_above: bool,
}

/// The commands of a RUN in shell form, and what shall become of them.
///
/// Changes are stated in terms of words and commands; the plan knows how to lay them out in the
/// style of the RUN and of its file.
pub struct RunPlan<'p, 't> {
    file: &'p Dockerfile<'t>,
    instruction: &'p Instruction<'t>,
    list: &'p List<'p>,
    edits: Edits,
}

impl<'p, 't> RunPlan<'p, 't> {
    /// A plan that changes nothing. `list` is the script of `instruction`.
    pub fn new(file: &'p Dockerfile<'t>, instruction: &'p Instruction<'t>, list: &'p List<'p>) -> Self {
        Self { file, instruction, list, edits: Edits::new() }
    }

    /// The edits that carry out the plan.
    pub fn into_edits(self) -> Edits {
        self.edits
    }

    /// Puts a word after another, on the same line.
    pub fn insert_word(&mut self, after: LogicalSpan, word: &str) -> Result<(), PlanError> {
        let at = self.instruction.logical.source_span(after).end;
        Ok(self.edits.insert(at, format!(" {word}"))?)
    }

    /// Puts words after the last of a list of words, one a line if the list is laid out so.
    pub fn extend_words(&mut self, words: &[LogicalSpan], new: &[String]) -> Result<(), PlanError> {
        let Some(&last) = words.last() else { return Ok(()) };
        let logical = &self.instruction.logical;
        let span = logical.source_span(last);
        let line_start = self.file.text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let own_line = span.start > self.instruction.span.start
            && self.file.text[line_start..span.start].trim_matches([' ', '\t']).is_empty()
            && line_start > self.instruction.span.start;
        let text: String = if own_line {
            let indent = indent_before(self.file.text, span.start);
            let gap = format!(" {}{}{indent}", self.file.escape, self.file.newline());
            new.iter().flat_map(|word| [gap.as_str(), word]).collect()
        } else {
            new.iter().flat_map(|word| [" ", word]).collect()
        };
        Ok(self.edits.insert(span.end, text)?)
    }

    /// Puts another word in the place of one.
    pub fn replace_word(&mut self, word: LogicalSpan, new: &str) -> Result<(), PlanError> {
        Ok(self.edits.replace(self.instruction.logical.source_span(word), new)?)
    }

    /// Removes a word and the white space before it.
    pub fn remove_word(&mut self, word: LogicalSpan) -> Result<(), PlanError> {
        let text = &self.instruction.logical.text;
        let before = text[..word.start].trim_end_matches([' ', '\t']).len();
        let span = self.instruction.logical.source_span(LogicalSpan::new(before, word.end));
        let start =
            self.instruction.logical.source_span(LogicalSpan::new(before.saturating_sub(1), before)).end;
        let span = Span::new(start.min(span.start), span.end);
        self.check_no_comment(span)?;
        Ok(self.edits.remove(span)?)
    }

    /// Puts `&& command` after the entry `index` of the list, or after the last.
    pub fn insert_command(&mut self, after: usize, command: &str) -> Result<(), PlanError> {
        let Some(entry) = self.list.entries.get(after) else { return Ok(()) };
        if after + 1 == self.list.entries.len() && self.list.comment.is_some() {
            return Err(PlanError::TrailingComment);
        }
        let at = self.instruction.logical.source_span(entry.pipeline.span).end;
        let joiner = match Break::of_list(self.file, self.instruction, self.list) {
            Some(own) => own.joiner(self.file, &[]),
            None if self.is_short(at, command.len() + " && ".len()) => " && ".to_owned(),
            None => Break::of_file(self.file).joiner(self.file, &[]),
        };
        Ok(self.edits.insert(at, joiner + command)?)
    }

    /// Removes the entry `index` of a list of several, with what joins it to its neighbour.
    pub fn remove_command(&mut self, index: usize) -> Result<(), PlanError> {
        let logical = &self.instruction.logical;
        let entries = &self.list.entries;
        let span = if index == 0 {
            let next = logical.source(entries[1].pipeline.span.start);
            Span::new(logical.source(entries[0].pipeline.span.start), next)
        } else if self.starts_line_of_next(index) {
            // The line keeps its start, so that the rest of it stays where it is.
            let next = logical.source(entries[index + 1].pipeline.span.start);
            Span::new(logical.source(entries[index].pipeline.span.start), next)
        } else {
            let before = logical.source_span(entries[index - 1].pipeline.span).end;
            Span::new(before, logical.source_span(entries[index].pipeline.span).end)
        };
        self.check_no_comment(span)?;
        let text = |entry: &Entry<'_>| logical.get(entry.pipeline.span);
        let first = entries.get(index + 1).is_some_and(|next| is_read_otherwise_first(text(next)));
        let last = index + 1 == entries.len() && text(&entries[index - 1]).ends_with(char::is_whitespace);
        if first || last {
            return Err(PlanError::ReadOtherwise);
        }
        Ok(self.edits.remove(span)?)
    }

    /// Whether the entry `index` is the first on its line, and the next one stands on that line, too,
    /// joined alike.
    fn starts_line_of_next(&self, index: usize) -> bool {
        let [before, entry, next, ..] = &self.list.entries[index - 1..] else { return false };
        let logical = &self.instruction.logical;
        let kind = |entry: &Entry<'_>| entry.joiner.map(|joiner| joiner.kind);
        let start = entry.pipeline.span.start;
        kind(before) == kind(entry)
            && !logical.on_one_line(LogicalSpan::new(before.pipeline.span.end.saturating_sub(1), start + 1))
            && logical.on_one_line(LogicalSpan::new(start, next.pipeline.span.start + 1))
    }

    /// Appends the commands of the next RUN with `&&`, in a group if `grouped`. The comments between
    /// the two stay between them, if the layout doesn't say otherwise. The commands get a line of their own if
    /// it says so or if the line would be too long.
    pub fn join(
        &mut self,
        next: &Instruction<'_>,
        next_list: &List<'_>,
        grouped: bool,
        layout: JoinLayout,
    ) -> Result<(), PlanError> {
        if self.list.comment.is_some() || (grouped && next_list.comment.is_some()) {
            return Err(PlanError::TrailingComment);
        }
        let Some((last, first)) = self.list.entries.last().zip(next_list.entries.first()) else {
            return Ok(());
        };
        let from = self.instruction.logical.source_span(last.pipeline.span).end;
        let to = next.logical.source(first.pipeline.span.start);
        let gap = Span::new(from, to);
        self.check_no_comment(gap)?;
        let starts_late = |trivia: &Trivia| matches!(trivia, Trivia::Comment(span) if span.start < to);
        if next.trivia.iter().any(starts_late) {
            return Err(PlanError::Comment);
        }
        let between = &self.file.text[self.instruction.span.end..next.span.start];
        let mut comments: Vec<&str> = between.lines().filter(|line| !line.trim().is_empty()).collect();
        if layout.comments_above && !comments.is_empty() {
            let newline = self.file.newline();
            let above: String = comments.drain(..).flat_map(|comment| [comment, newline]).collect();
            self.edits.insert(self.instruction.span.start, above)?;
        }
        let open = if grouped { "{ " } else { "" };
        let first_line = next.logical.source_span(first.pipeline.span);
        let first_line = self.file.text[first_line.start..next.span.end].lines().next().unwrap_or_default();
        let own = Break::of_list(self.file, self.instruction, self.list)
            .or_else(|| Break::of_list(self.file, next, next_list));
        let one_line = comments.is_empty()
            && own.is_none()
            && !layout.on_next_line
            && self.fits(from, first_line.len() + 4 + open.len());
        let joiner = if one_line {
            " && ".to_owned()
        } else {
            own.unwrap_or_else(|| Break::of_file(self.file)).joiner(self.file, &comments)
        };
        self.edits.replace(gap, joiner + open)?;
        if grouped {
            let last = next_list.entries.last().map_or(first, |last| last);
            let end = next.logical.source_span(last.pipeline.span).end;
            let tail = match last.joiner {
                Some(joiner) => Span::new(end, next.logical.source_span(joiner.span).end),
                None => Span::empty(end),
            };
            self.edits.replace(tail, "; }")?;
        }
        Ok(())
    }

    /// Whether the line of the source offset `at` has room for more characters behind `at`.
    fn fits(&self, at: usize, more: usize) -> bool {
        let start = self.file.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        at - start + more <= LINE_WIDTH
    }

    /// Whether the whole instruction is one line with room for more characters behind `at`.
    fn is_short(&self, at: usize, more: usize) -> bool {
        self.instruction.start_line == self.instruction.end_line && self.fits(at, more)
    }

    fn check_no_comment(&self, span: Span) -> Result<(), PlanError> {
        let within = |trivia: &Trivia| matches!(trivia, Trivia::Comment(comment) if span.start < comment.end && comment.start < span.end);
        if self.instruction.trivia.iter().any(within) { Err(PlanError::Comment) } else { Ok(()) }
    }
}

/// Whether the builder reads a command otherwise when it stands first: it takes off white space of all
/// kinds, and takes `--x` for a flag and `["x"]` for the exec form.
fn is_read_otherwise_first(command: &str) -> bool {
    let is_list = command.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['"', ']']));
    command.starts_with(char::is_whitespace) || command.starts_with("--") || is_list
}
