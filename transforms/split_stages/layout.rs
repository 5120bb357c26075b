//! Writing a split stage: what is inserted where.

use dockeropt_facts::{Facts, Step};
use dockeropt_syntax::{Edits, Item, Overlap, Span, rewriter};

use super::Subject;
use super::placing::Placing;
use crate::layout;

/// The name of the stage that builds.
pub(super) const BUILDER: &str = "builder";

/// How the text of a stage becomes that of two.
pub(super) struct Plan<'c> {
    /// The steps of the stage, its FROM first.
    pub(super) steps: &'c [Step<'c>],
    /// The first step that belongs to the last stage; the number of steps if none does.
    pub(super) cut: usize,
    /// Instructions to insert before steps of the builder.
    pub(super) inserted: Vec<(usize, String)>,
    /// An instruction to put behind the last step of the builder.
    pub(super) closing: Option<String>,
    /// Steps of the builder that go into the last stage instead.
    pub(super) moved: Vec<usize>,
    /// Commands that both stages run.
    pub(super) repeated: Vec<String>,
    /// What the last stage begins with, behind its FROM.
    pub(super) opening: Vec<Opening>,
    /// What the last stage starts from.
    pub(super) base: String,
}

/// An instruction at the beginning of the last stage.
pub(super) enum Opening {
    /// A step of the builder once more, as it is written.
    Step(usize),
    /// A step that is no longer in the builder, with its comments.
    Moved(usize),
    /// A new instruction.
    New(String),
    /// An install of packages.
    Packages(Vec<String>),
}

impl Opening {
    /// Takes what was built from the builder, to the same place.
    pub(super) fn carry(path: &str) -> Self {
        Self::New(format!("COPY --from={BUILDER} {path} {path}"))
    }
}

impl<'c> Plan<'c> {
    /// A plan that adds nothing to the builder, and starts the last stage from the same image.
    pub(super) fn new(subject: &Subject<'c>, cut: usize, placing: Placing) -> Self {
        let Placing { opening, moved, repeated } = placing;
        let base = subject.base.to_owned();
        Self {
            steps: subject.steps,
            cut,
            inserted: Vec::new(),
            closing: None,
            moved,
            repeated,
            opening,
            base,
        }
    }

    pub(super) fn edits(&self, facts: &Facts<'_>) -> Result<Edits, Overlap> {
        let file = facts.file;
        let newline = file.newline();
        let escape = self.steps[0].state.escape;
        let mut edits = Edits::new();
        let from = self.steps[0].instruction;
        let words = from.operation.words(&from.logical, escape);
        let name = words.get(2).map(|word| word.text.as_str());
        let style = Style::of(from.arguments(), &file.text[from.span.range()]);
        // `FROM image AS name` keeps its name for the last stage.
        let end = from.span.start + file.text[from.span.range()].trim_end().len();
        match words.get(2).map(|word| from.logical.source_span(word.span)) {
            Some(span) => edits.replace(span, BUILDER)?,
            None => edits.insert(end, format!(" {} {}", style.keyword("AS"), BUILDER))?,
        }
        for (at, text) in &self.inserted {
            let start = self.with_comments(facts, *at).start;
            edits.insert(start, self.lines(text, escape, newline))?;
        }
        for span in self.removed(facts) {
            edits.remove(span)?;
        }
        let closing = self.closing.as_ref().map(|text| self.lines(text, escape, newline)).unwrap_or_default();
        let mut opening = format!("{} {}", style.keyword("FROM"), self.base);
        if let Some(name) = name {
            opening += &format!(" {} {name}", style.keyword("AS"));
        }
        opening += newline;
        for instruction in &self.opening {
            match instruction {
                Opening::Step(at) => {
                    opening +=
                        file.text[self.steps[*at].instruction.span.range()].trim_end_matches(['\r', '\n']);
                    opening += newline;
                }
                Opening::Moved(at) => {
                    opening +=
                        file.text[self.with_comments(facts, *at).range()].trim_end_matches(['\r', '\n']);
                    opening += newline;
                }
                Opening::New(text) => opening += &self.lines(text, escape, newline),
                Opening::Packages(packages) => {
                    opening += &layout::install(packages, escape, newline);
                }
            }
        }
        // The cut is behind the last step of the builder; the empty lines there stay where they are.
        let last = self.steps[self.cut - 1].instruction;
        let at = last.span.end;
        // Nor is another one needed where there is one above a step that goes.
        let start = self.with_comments(facts, self.cut - 1).start;
        let above = file.items.iter().rfind(|item| item.span().end <= start);
        let has_blank = self.moved.contains(&(self.cut - 1)) && matches!(above, Some(Item::Blank(_)));
        let text = match file.text[..at].ends_with('\n') {
            true if has_blank => format!("{closing}{opening}"),
            true => format!("{closing}{newline}{opening}"),
            false => format!("{newline}{closing}{newline}{}", opening.trim_end_matches(['\r', '\n'])),
        };
        edits.insert(at, text)?;
        Ok(edits)
    }

    /// The place of a step with the comments that stand directly above it.
    fn with_comments(&self, facts: &Facts<'_>, at: usize) -> Span {
        let first = rewriter::first_attached(facts.file, self.steps[at].item);
        Span::new(facts.file.items[first].span().start, self.steps[at].instruction.span.end)
    }

    /// The places of the steps that the builder no longer has, and of the empty lines that would stand beside others
    /// without them.
    fn removed(&self, facts: &Facts<'_>) -> Vec<Span> {
        let mut spans: Vec<Span> = self.moved.iter().map(|&at| self.with_comments(facts, at)).collect();
        let is_moved = |item: &Item<'_>| {
            spans.iter().any(|span| span.start <= item.span().start && item.span().end <= span.end)
        };
        let mut blanks = Vec::new();
        let end = self.steps[self.cut - 1].instruction.span.end;
        let (mut stands_behind_blank, mut behind_moved) = (false, false);
        for item in facts.file.items.iter().take_while(|item| item.span().end <= end) {
            match item {
                item if is_moved(item) => behind_moved = true,
                Item::Blank(span) if stands_behind_blank && behind_moved => blanks.push(*span),
                item => (stands_behind_blank, behind_moved) = (matches!(item, Item::Blank(_)), false),
            }
        }
        spans.extend(blanks);
        spans
    }

    /// An instruction that is written with `\` and `\n`, as this file has it.
    fn lines(&self, text: &str, escape: char, newline: &str) -> String {
        let mut out = String::new();
        for line in text.lines() {
            match line.strip_suffix('\\') {
                Some(start) => {
                    out += start;
                    out.push(escape);
                }
                None => out += line,
            }
            out += newline;
        }
        out
    }
}

/// How keywords are written in the FROM of a stage.
struct Style {
    lower: bool,
}

impl Style {
    fn of(arguments: &str, text: &str) -> Self {
        let keyword = text.split_whitespace().next().unwrap_or_default();
        let lower = keyword.chars().all(|c| c.is_ascii_lowercase()) || arguments.contains(" as ");
        Self { lower }
    }

    fn keyword(&self, keyword: &str) -> String {
        if self.lower { keyword.to_ascii_lowercase() } else { keyword.to_owned() }
    }
}
