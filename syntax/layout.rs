//! How a file lays out the commands of its RUNs, so that new ones look like the old ones.

use crate::shell::{JoinerKind, List};
use crate::{Dockerfile, Instruction, Keyword, LogicalSpan};

/// Where the line breaks between commands stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// `\` at the line's end, `&&` at the start of the next.
    Leading {
        /// The white space before `&&`.
        indent: String,
    },
    /// `&& \` at the line's end.
    Trailing {
        /// The white space before the next command.
        indent: String,
        /// Whether it is `&&\`, without a space.
        tight: bool,
    },
}

/// So many RUNs tell the style of a file: each command that is added asks for it.
const MOST_RUNS: usize = 100;

impl Break {
    /// How a list breaks its lines between commands, or `None` if it does not.
    pub fn of_list(file: &Dockerfile<'_>, instruction: &Instruction<'_>, list: &List<'_>) -> Option<Self> {
        let logical = &instruction.logical;
        list.entries.windows(2).rev().find_map(|pair| {
            let joiner = pair[0].joiner.filter(|joiner| joiner.kind == JoinerKind::And)?;
            let before = LogicalSpan::new(pair[0].pipeline.span.end.saturating_sub(1), joiner.span.end);
            let after = LogicalSpan::new(joiner.span.start, pair[1].pipeline.span.start + 1);
            if !logical.on_one_line(before) {
                Some(Self::Leading { indent: indent_before(file.text, logical.source(joiner.span.start)) })
            } else if !logical.on_one_line(after) {
                let at = logical.source(pair[1].pipeline.span.start);
                let mut lines = file.text[instruction.span.range()].lines();
                let tight = !lines.any(|line| ends_with_and(line, file.escape) == Some(false));
                Some(Self::Trailing { indent: indent_before(file.text, at), tight })
            } else {
                None
            }
        })
    }

    /// How most of the first RUNs of a file break their lines; four spaces and a leading `&&` if none does.
    pub fn of_file(file: &Dockerfile<'_>) -> Self {
        let mut leading: Vec<&str> = Vec::new();
        let mut trailing: Vec<&str> = Vec::new();
        let mut tight = true;
        let runs = file.instructions().filter(|it| it.keyword() == Keyword::Run && it.heredocs.is_empty());
        for instruction in runs.take(MOST_RUNS) {
            let mut after_and = false;
            for line in file.text[instruction.span.range()].lines() {
                let bare = line.trim_start_matches([' ', '\t']);
                // Empty lines and comments may stand between the lines of a RUN.
                if bare.trim_end().is_empty() || bare.starts_with('#') {
                    continue;
                }
                let indent = &line[..line.len() - bare.len()];
                if bare.starts_with("&&") {
                    leading.push(indent);
                } else if after_and {
                    trailing.push(indent);
                }
                let end = ends_with_and(line, file.escape);
                after_and = end.is_some();
                tight &= end != Some(false);
            }
        }
        if trailing.len() > leading.len() {
            Self::Trailing { indent: most_common(&trailing), tight }
        } else if leading.is_empty() {
            Self::Leading { indent: "    ".to_owned() }
        } else {
            Self::Leading { indent: most_common(&leading) }
        }
    }

    /// What stands between two commands, with `comments` (whole lines without their line ends) kept
    /// between them.
    pub fn joiner(&self, file: &Dockerfile<'_>, comments: &[&str]) -> String {
        let (newline, escape) = (file.newline(), file.escape);
        let comments: String = comments.iter().flat_map(|comment| [comment, newline]).collect();
        match self {
            Self::Leading { indent } => format!(" {escape}{newline}{comments}{indent}&& "),
            Self::Trailing { indent, tight } => {
                let gap = if *tight { "" } else { " " };
                format!(" &&{gap}{escape}{newline}{comments}{indent}")
            }
        }
    }
}

/// Whether a line ends with `&&` and the escape character: `Some(true)` if nothing stands between them.
fn ends_with_and(line: &str, escape: char) -> Option<bool> {
    let end = line.trim_end().strip_suffix(escape)?;
    end.trim_end().ends_with("&&").then(|| end.ends_with("&&"))
}

/// The white space between the start of a line and `at`; empty if something else stands there.
pub(crate) fn indent_before(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &text[start..at];
    if before.trim_matches([' ', '\t']).is_empty() { before.to_owned() } else { String::new() }
}

/// The most common of some indents; of equally common ones the first.
fn most_common(indents: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for &indent in indents {
        match counts.iter_mut().find(|(known, _)| *known == indent) {
            Some((_, count)) => *count += 1,
            None => counts.push((indent, 1)),
        }
    }
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    best.map_or("", |(indent, _)| indent).to_owned()
}
