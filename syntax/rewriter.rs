//! Moving whole instructions, with the comments that belong to them.

use crate::lines::without_continuation;
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

/// The first of the comment lines that stand directly above an instruction, or the instruction.
pub fn first_attached(file: &Dockerfile<'_>, item: usize) -> usize {
    let comments =
        file.items[..item].iter().rev().take_while(|item| matches!(item, Item::Comment(_))).count();
    item - comments
}
