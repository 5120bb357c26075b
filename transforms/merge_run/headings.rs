//! Comments between RUNs: which go with their RUN, and which stand above all that is joined.

use dockeropt_facts::Step;
use dockeropt_facts::command::call;
use dockeropt_facts::tables::Verb;
use dockeropt_syntax::{Item, rewriter};

use super::{is_and_list, script};
use crate::Context;

/// So many equal signs make a line.
const SHORTEST: usize = 4;

/// Whether the comments above the second of the steps that are joined are to stand above all of them: the first
/// is a mere update, which needs no words of its own. `rest` has the steps behind them.
pub(super) fn go_above(context: &Context<'_>, joined: &[Step<'_>], rest: &[Step<'_>]) -> bool {
    let [first, second, others @ ..] = joined else { return false };
    if !is_update(first) || !has_comments(context, first, second) {
        return false;
    }
    let is_headed = rewriter::first_attached(context.facts.file, first.item) < first.item;
    let is_only = joined[1..].windows(2).all(|pair| !has_comments(context, &pair[0], &pair[1]));
    let last = others.last().unwrap_or(second);
    let goes_on = rest.first().is_some_and(|next| next.item == last.item + 1);
    is_heading(context, first, second) || is_only && (!is_headed || goes_on)
}

/// Whether the comments above a step begin a part of the file, so that it is not to be joined to steps before
/// it; comments that go above all of them are not in the way.
pub(super) fn begins_a_part(context: &Context<'_>, left: &[Step<'_>], next: &Step<'_>) -> bool {
    let Some(last) = left.last() else { return false };
    let is_above = left.len() == 1 && is_update(last);
    !is_above && comments(context, last, next).any(is_rule)
}

/// The comments between two steps.
pub(super) fn comments<'c>(
    context: &Context<'c>,
    step: &Step<'_>,
    next: &Step<'_>,
) -> impl Iterator<Item = &'c str> {
    let file = context.facts.file;
    file.items[step.item + 1..next.item].iter().filter_map(|item| match item {
        Item::Comment(span) => Some(file.text[span.range()].trim()),
        _ => None,
    })
}

fn has_comments(context: &Context<'_>, step: &Step<'_>, next: &Step<'_>) -> bool {
    comments(context, step, next).next().is_some()
}

/// Whether a RUN brings package lists, or what is installed, up to date and does nothing else.
fn is_update(step: &Step<'_>) -> bool {
    let Some((list, _)) = script(step).filter(|(list, _)| is_and_list(list)) else { return false };
    list.entries.iter().all(|entry| {
        let managed = entry.pipeline.simple().and_then(call).and_then(|call| call.managed);
        managed.is_some_and(|it| matches!(it.verb, Verb::Update | Verb::Upgrade) && it.operands.is_empty())
    })
}

/// Whether the comments between two steps are about more than the second: there is a line made of signs, or
/// nothing right below them.
fn is_heading(context: &Context<'_>, step: &Step<'_>, next: &Step<'_>) -> bool {
    let items = &context.facts.file.items[step.item + 1..next.item];
    comments(context, step, next).any(is_rule) || matches!(items.last(), Some(Item::Blank(_)))
}

/// Whether a comment is a line made of signs, as they stand above and below the headings of parts: `#####`,
/// `# -----`.
fn is_rule(comment: &str) -> bool {
    let after = comment.trim_start_matches('#').trim();
    let signs = if after.is_empty() { comment } else { after };
    let first = signs.bytes().next().filter(|first| b"#-=*~_".contains(first));
    signs.len() >= SHORTEST && signs.bytes().all(|sign| Some(sign) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_signs() {
        for (comment, is) in [
            ("##########", true),
            ("# ------- #", false),
            ("# -------", true),
            ("#=====", true),
            ("# ---- tools ----", false),
            ("#", false),
            ("# ..........", false),
        ] {
            assert_eq!(is_rule(comment), is, "{comment}");
        }
    }
}
