//! Moving whole instructions, with the comments that belong to them.

use crate::lines::without_continuation;
use crate::pragma::is_pragma;
use crate::{Dockerfile, Edits, Item, Overlap, Span};

/// Moves the instruction at `moved` behind the instruction at `target`, both places in
/// [`Dockerfile::items`] and `target` the later one.
///
/// The comment lines directly above the moved instruction go with it, and the empty lines below it
/// stand above it at the new place. `target` must not be open, see [`is_open`].
pub fn move_after(file: &Dockerfile<'_>, moved: usize, target: usize) -> Result<Edits, Overlap> {
    let newline = file.newline();
    let first = first_attached(file, moved);
    let start = file.items[first].span().start;
    let end = file.items[moved].span().end;
    let blanks = file.items[moved + 1..].iter().take_while(|item| matches!(item, Item::Blank(_))).count();
    let next = file.items[moved + blanks].span().end;
    let gap = &file.text[end..next];
    let block = &file.text[start..end];
    let at = file.items[target].span().end;
    let mut edits = Edits::new();
    edits.remove(Span::new(start, next))?;
    if file.text[..at].ends_with('\n') {
        edits.insert(at, format!("{gap}{block}"))?;
    } else {
        // A file may mix line endings.
        let block = block.strip_suffix("\r\n").or_else(|| block.strip_suffix('\n')).unwrap_or(block);
        edits.insert(at, format!("{newline}{gap}{block}"))?;
    }
    Ok(edits)
}

/// Whether the last line of an instruction ends in a continuation character, so that a line that came
/// to stand below it would be part of it. That can only be at the end of the file.
pub fn is_open(file: &Dockerfile<'_>, item: usize) -> bool {
    let Item::Instruction(instruction) = &file.items[item] else { return false };
    let is_dropped = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let last = file.text[instruction.span.range()].lines().rev().find(|line| !is_dropped(line));
    instruction.heredocs.is_empty()
        && last.is_some_and(|line| without_continuation(line, file.escape).is_some())
}

/// The first of the comment lines that stand directly above an instruction, or the instruction. A comment for
/// a program belongs to the next instruction wherever it stands.
pub fn first_attached(file: &Dockerfile<'_>, item: usize) -> usize {
    let count = |end: usize, is: fn(&Item<'_>) -> bool| {
        file.items[..end].iter().rev().take_while(|item| is(item)).count()
    };
    let is_comment = |item: &Item<'_>| matches!(item, Item::Comment(_));
    let mut first = item - count(item, is_comment);
    loop {
        let above = first - count(first, |item| matches!(item, Item::Blank(_)));
        let start = above - count(above, is_comment);
        let for_program = |item: &Item<'_>| is_pragma(file.text[item.span().range()].trim());
        if above == first || !file.items[start..above].iter().any(for_program) {
            return first;
        }
        first = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    /// The text from the first comment that belongs to the last instruction.
    fn attached(text: &str) -> &str {
        let file = parse(text);
        let last = file.items.iter().rposition(|item| matches!(item, Item::Instruction(_)));
        &text[file.items[first_attached(&file, last.unwrap_or_default())].span().start..]
    }

    #[test]
    fn comments_belong_to_what_they_stand_above() {
        for (above, own) in [
            ("FROM a\n# far\n\n", "# near\nRUN x\n"),
            ("FROM a\n", "# hadolint ignore=DL3008\n\nRUN x\n"),
            ("FROM a\n# far\n\n", "# hadolint ignore=DL3008\n\n# near\nRUN x\n"),
            ("FROM a\n\n", "RUN x\n"),
        ] {
            assert_eq!(attached(&format!("{above}{own}")), own);
        }
    }
}
