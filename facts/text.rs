//! What a rewrite must keep in the text: comments, directives, line endings, the last newline.

use std::collections::BTreeMap;

use dockeropt_syntax::pragma::is_pragma;
use dockeropt_syntax::{Dockerfile, Item, Keyword, Span, Trivia};

use crate::check::{Difference, difference};

/// What must not change in the text: comments, directives, line endings, the last newline.
pub(crate) fn check_text(original: &Dockerfile<'_>, result: &Dockerfile<'_>) -> Result<(), Difference> {
    if let Some(diagnostic) = result.diagnostics.first() {
        return difference(format!("the result is refused: {}", diagnostic.message));
    }
    let mut kept: BTreeMap<Comment<'_>, usize> = BTreeMap::new();
    for comment in comments(result) {
        *kept.entry(comment).or_default() += 1;
    }
    for comment in comments(original) {
        match kept.get_mut(&comment) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                return difference(format!(
                    "the comment `{}` is lost or no longer where it was",
                    comment.text
                ));
            }
        }
    }
    let directives = |file: &Dockerfile<'_>| {
        let lines =
            file.items.iter().filter(|item| matches!(item, Item::Directive(_) | Item::ByteOrderMark(_)));
        lines.map(|item| file.text[item.span().range()].to_owned()).collect::<Vec<_>>()
    };
    if directives(original) != directives(result) {
        return difference("a parser directive or the byte order mark is lost");
    }
    if original.text.ends_with('\n') != result.text.ends_with('\n') {
        return difference("the newline at the end of the file differs");
    }
    let (bare, full) = line_ends(original.text);
    let (bare_after, full_after) = line_ends(result.text);
    if bare + full > 0 && ((bare == 0 && bare_after > 0) || (full == 0 && full_after > 0)) {
        return difference("the line endings differ");
    }
    Ok(())
}

/// How many lines end with a bare line feed, and how many with a carriage return before it.
fn line_ends(text: &str) -> (usize, usize) {
    let full = if text.contains('\r') { text.matches("\r\n").count() } else { 0 };
    (text.bytes().filter(|&byte| byte == b'\n').count() - full, full)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Comment<'t> {
    text: &'t str,
    /// For a comment that tells a program about the next instruction: which instruction that is.
    about: Option<Keyword>,
}

fn comments<'t>(file: &'t Dockerfile<'_>) -> Vec<Comment<'t>> {
    let mut found: Vec<Comment<'t>> = Vec::new();
    let mut waiting = 0;
    let comment = |span: &Span| Comment { text: file.text[span.range()].trim(), about: None };
    for item in &file.items {
        match item {
            Item::Comment(span) => found.push(comment(span)),
            Item::Instruction(instruction) => {
                for above in &mut found[waiting..] {
                    above.about = is_pragma(above.text).then_some(instruction.keyword());
                }
                found.extend(instruction.trivia.iter().filter_map(|trivia| match trivia {
                    Trivia::Comment(span) => Some(comment(span)),
                    Trivia::Empty(_) => None,
                }));
                waiting = found.len();
            }
            _ => {}
        }
    }
    found
}
