//! When RUNs must stay apart.

use dockeropt_facts::remembered::stale_program;
use dockeropt_facts::shell_state::{Leak, is_plain, leaks, matters, visit};
use dockeropt_facts::{Body, Run, Step};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::pragma::is_pragma;
use dockeropt_syntax::shell::{Content, List, Part};

use super::headings::{begins_a_part, comments};
use super::{is_and_list, script};
use crate::Context;

/// A shell is given its script as one argument, which Linux limits to 128 KiB.
const LONGEST_SCRIPT: usize = 100 * 1024;

/// Why a step must not be joined to those before it.
pub(super) fn blocker(context: &Context<'_>, left: &[Step<'_>], next: &Step<'_>) -> Option<String> {
    let last = left.last()?;
    let (run, next_run) = last.run().zip(next.run())?;
    if let Some(reason) = unreadable(run).or_else(|| unreadable(next_run)) {
        return Some(reason);
    }
    if !run.flags.is_empty() || !next_run.flags.is_empty() {
        return Some("a RUN has flags, which hold for all of it".to_owned());
    }
    if last.state != next.state {
        return Some("user, folder, shell or environment differ".to_owned());
    }
    if let Some(pragma) = pragma_between(context, last, next) {
        return Some(format!("the comment `{pragma}` is for the second RUN alone"));
    }
    if let Some(comment) = instruction_between(context, last, next) {
        return Some(format!("the comment `{comment}` is an instruction that is left out for now"));
    }
    if begins_a_part(context, left, next) {
        return Some("the comments between the RUNs begin a part of the file".to_owned());
    }
    let (next_list, next_text) = script(next)?;
    if left.iter().map(|step| step.instruction.arguments().len()).sum::<usize>() + next_text.len()
        > LONGEST_SCRIPT
    {
        return Some("the script would be too long for one RUN".to_owned());
    }
    if asks_what_ran_before(next_list) {
        return Some("the second RUN asks for what ran before it".to_owned());
    }
    let own = leaks(next_list);
    if let Some(Leak::Other(name)) = own
        .iter()
        .find(|leak| matches!(leak, Leak::Other(name) if name == "set" || name == "&" || name == "trap"))
    {
        return Some(format!("the second RUN uses `{name}`, which acts differently in a list"));
    }
    for step in left {
        let (list, _) = script(step)?;
        if let Some(leak) = leaks(list).iter().find(|leak| matters(leak, next_text, &next.state)) {
            return Some(format!("the first RUN leaves something behind: {}", leak.describe()));
        }
        let is_simple = |list: &List<'_>| is_and_list(list) && list.entries.iter().all(is_plain);
        if step.state.shell.errexit() && !(is_simple(list) && is_simple(next_list)) {
            return Some("the shell stops at errors, but not inside an `&&` list".to_owned());
        }
    }
    let before: Vec<_> = left
        .iter()
        .filter_map(script)
        .flat_map(|(list, _)| list.entries.iter().map(|entry| &entry.pipeline))
        .collect();
    let after: Vec<_> = next_list.entries.iter().map(|entry| &entry.pipeline).collect();
    stale_program(&before, &after)
        .map(|program| format!("the shell remembers where it found `{program}`, which may have moved since"))
}

/// Whether a script uses `$?` in its first command, or `$_` or `$!`: they tell of the command before.
fn asks_what_ran_before(list: &List<'_>) -> bool {
    let mut found = false;
    let first = list.entries.first().map_or(list.span, |entry| entry.pipeline.span);
    visit(list, &mut |simple| {
        let parts = simple.words.iter().filter_map(|word| match &word.content {
            Content::Parts(parts) => Some(parts),
            Content::Literal(_) => None,
        });
        found |= parts.flatten().any(|part| match part {
            Part::Parameter { name: "?", .. } => first.contains(simple.span),
            Part::Parameter { name, .. } => matches!(*name, "_" | "!"),
            _ => false,
        });
    });
    found
}

fn unreadable(run: &Run<'_>) -> Option<String> {
    match &run.body {
        Body::Script(list) if list.entries.is_empty() => Some("a RUN is empty".to_owned()),
        Body::Script(_) => None,
        Body::Heredoc { .. } => Some("a RUN has a heredoc".to_owned()),
        Body::Exec(_) => Some("a RUN has the exec form".to_owned()),
        Body::Opaque(opaque) => Some(format!("a script was not understood: {}", opaque.reason)),
        Body::Foreign(what) => Some(format!("a RUN has {what}")),
    }
}

/// A pragma of a linter between two steps.
fn pragma_between(context: &Context<'_>, step: &Step<'_>, next: &Step<'_>) -> Option<String> {
    comments(context, step, next).find(|comment| is_pragma(comment)).map(str::to_owned)
}

/// An instruction between two steps that is commented out: whoever takes it in again finds it within the
/// script if the steps are joined.
fn instruction_between(context: &Context<'_>, step: &Step<'_>, next: &Step<'_>) -> Option<String> {
    let is_instruction = |comment: &&str| {
        let (word, rest) = uncommented(comment).split_once([' ', '\t']).unwrap_or_default();
        Keyword::ALL.iter().any(|(_, name)| *name == word) && !rest.trim().is_empty()
    };
    comments(context, step, next).find(is_instruction).map(str::to_owned)
}

fn uncommented(comment: &str) -> &str {
    comment.trim_start_matches(['#', ' ', '\t'])
}
