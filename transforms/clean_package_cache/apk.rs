//! apk: an index that an install fetches for itself is not kept.
//!
//! An index that a RUN fetches may serve installs of later RUNs, so one fix gives the option to all of
//! them: `apk update` in one RUN and `apk add` in the next change together or not at all.

use std::collections::BTreeSet;

use dockeropt_facts::apk_index::{FETCHING, apk, is_plain_update, leaves_index};
use dockeropt_facts::claim::Assumption;
use dockeropt_facts::command::{Call, Managed};
use dockeropt_facts::shell_state::visit_pipeline;
use dockeropt_facts::tables::{Manager, Verb, kept};
use dockeropt_facts::usage::{Usage, Use};
use dockeropt_facts::{Mount, Step};
use dockeropt_syntax::shell::{Entry, JoinerKind, List, Simple};
use dockeropt_syntax::{Edits, Item, RunPlan, Trivia};

use super::{META, Target, is_older_than_option, removes, stops_at_errors, teaches_shell};
use crate::later_use::{LaterUse, assume, later_use, named_later};
use crate::{Context, Fix, Proposals};

const REPOSITORIES: &str = "the repositories change after the index was fetched";

/// An `apk add` or `apk upgrade` without `--no-cache`.
type Install<'t> = (&'t Simple<'t>, &'t Managed);

/// Whether the RUN installs with apk.
pub(super) fn uses_any(target: &Target<'_>) -> bool {
    let is_install = |managed: &Managed| matches!(managed.verb, Verb::Install | Verb::Upgrade);
    let mut managed = target.calls.iter().filter_map(|call| call.managed.as_ref());
    managed.any(|managed| managed.manager == Manager::Apk && is_install(managed))
}

/// Proposes to keep no index of a RUN. `served` are the steps that an earlier proposal changes.
pub(super) fn propose(
    context: &Context<'_>,
    target: &Target<'_>,
    served: &mut BTreeSet<usize>,
    out: &mut Proposals,
) {
    if !target.called.has(Manager::Apk) || served.contains(&target.at) {
        return;
    }
    let installs = keeping_installs(target.calls);
    let entries = &target.list.entries;
    let first = entries.iter().position(fetches);
    if (installs.is_empty() && first.is_none()) || removes(target, Manager::Apk) {
        return;
    }
    let span = target.step.instruction.span;
    if has_mount(target.step) {
        return out.decline(&META, span, "apk's cache is on a mount");
    }
    let managed = target.calls.iter().filter_map(|call| call.managed.as_ref());
    if managed.filter(|it| it.manager == Manager::Apk).any(|it| is_older_than_option(context, target, it)) {
        return out.decline(&META, span, "the apk of this old release may not know --no-cache");
    }
    if installs.iter().any(has_place_option) {
        return out.decline(&META, span, "an option decides where apk keeps its index");
    }
    let mut fix = Fix {
        transform: META.id,
        title: "Install with apk without keeping its index".to_owned(),
        edits: Edits::new(),
        span,
        claims: Vec::new(),
        assumptions: Vec::new(),
        notes: vec!["the index of Alpine's packages takes about 2 MB".to_owned()],
        ..Fix::default()
    };
    if context.memo.installs_from_stale_index(target.at) {
        return out.decline(&META, span, REPOSITORIES);
    }
    let planned = match first {
        None => match context.memo.apk_index_before(target.at) {
            Some(step) => {
                let reason = "the index that line {line} fetches stays in the image";
                return out.decline_for(&META, span, &context.facts.steps[step], reason);
            }
            None => no_cache(context, target.step, target.list, &installs).map(|edits| fix.edits = edits),
        },
        Some(first) => match later_installs(context, target, first, &installs, out) {
            Some((later, assumptions)) => {
                fix.assumptions = assumptions;
                if later.is_empty() && installs.is_empty() {
                    fix.title = "Leave out an `apk update` that no install needs".to_owned();
                }
                without_index(context, target, &installs, &later).map(|edits| {
                    fix.edits = edits;
                    for step in &later {
                        served.insert(step.at);
                        fix.span = fix.span.to(context.facts.steps[step.at].instruction.span);
                    }
                })
            }
            None => return,
        },
    };
    match planned {
        Ok(()) => out.fixes.push(fix),
        Err(reason) => out.decline(&META, span, reason),
    }
}

/// The installs among some calls that keep an index.
fn keeping_installs<'t>(calls: &'t [Call<'t, 't>]) -> Vec<Install<'t>> {
    let install = |call: &'t Call<'t, 't>| {
        let managed = call.managed.as_ref().filter(|managed| managed.manager == Manager::Apk)?;
        let verb = managed.verb_at.and_then(|at| call.simple.words[at].literal());
        let keeps =
            matches!(verb, Some("add" | "upgrade")) && !managed.has_option(call.simple, &["--no-cache"]);
        keeps.then_some((call.simple, managed))
    };
    calls.iter().filter_map(install).collect()
}

/// Whether a command, or one in it, fetches an index that stays, or updates the index for nothing.
fn fetches(entry: &Entry<'_>) -> bool {
    let mut fetches = false;
    visit_pipeline(&entry.pipeline, &mut |simple| {
        fetches |=
            apk(simple).is_some_and(|managed| managed.verb == Verb::Update || leaves_index(simple, &managed));
    });
    fetches
}

fn has_mount(step: &Step<'_>) -> bool {
    let holds = |mount: &Mount| kept(Manager::Apk).any(|(_, folder)| mount.may_hold(folder));
    step.run().is_some_and(|run| run.mounts.iter().any(holds))
}

/// Whether an option decides where the index is kept, or that it can't be fetched.
fn has_place_option(&(simple, managed): &Install<'_>) -> bool {
    managed.has_option(simple, &["--cache-dir", "--root", "-p", "--no-network"])
}

/// The installs of a later step that use the index which a RUN fetches.
struct Served<'c> {
    at: usize,
    installs: Vec<Install<'c>>,
}

/// The later installs that use the index which the RUN fetches in the command `first`, and what must
/// hold so that nothing else does; `None`, and a reason in `out`, if something does.
fn later_installs<'c>(
    context: &Context<'c>,
    target: &Target<'_>,
    first: usize,
    installs: &[Install<'_>],
    out: &mut Proposals,
) -> Option<(Vec<Served<'c>>, Vec<Assumption>)> {
    let span = target.step.instruction.span;
    let needed = "the index that the RUN fetches may be needed later";
    let entries = &target.list.entries;
    let mut assumptions = Vec::new();
    if context.memo.naming(Manager::Apk).contains(&target.at) {
        out.decline(&META, span, needed);
        return None;
    }
    for usage in context.memo.usages(Manager::Apk, target.at).iter() {
        if usage.span.start < entries[first].pipeline.span.start {
            continue;
        }
        match &usage.kind {
            Use::Need if !installs.iter().any(|(simple, _)| simple.span == usage.span) => {
                out.decline(&META, span, needed);
                return None;
            }
            Use::Unknown(command) => assume(&mut assumptions, Manager::Apk, command),
            Use::Need | Use::Update | Use::Delete | Use::Touch => {}
        }
    }
    let mut served: Vec<Served<'c>> = Vec::new();
    let later = later_use(context, target.at, Manager::Apk, |at, usage| {
        let Some(install) = shown_install(context, at, usage) else { return false };
        match served.last_mut() {
            Some(last) if last.at == at => last.installs.push(install),
            _ => served.push(Served { at, installs: vec![install] }),
        }
        true
    });
    match later {
        LaterUse::None(more) => assumptions.extend(more),
        LaterUse::Needed { step, .. } => {
            let reason = "line {line} installs from the index that apk keeps";
            out.decline_for(&META, span, &context.facts.steps[step], reason);
            return None;
        }
    }
    if let Some(step) = named_later(context, target.at, Manager::Apk) {
        out.decline_for(&META, span, step, "line {line} names what apk keeps");
        return None;
    }
    if kept(Manager::Apk).any(|(_, folder)| target.text.contains(folder)) {
        out.decline(&META, span, needed);
        return None;
    }
    let mut managed = target.calls.iter().filter_map(|call| Some((call.simple, call.managed.as_ref()?)));
    if managed.any(|(simple, managed)| {
        managed.verb != Verb::Update
            && leaves_index(simple, managed)
            && !installs.iter().any(|(install, _)| install.span == simple.span)
    }) {
        out.decline(&META, span, "a command that is no install fetches the index for itself");
        return None;
    }
    if served.iter().any(|it| context.memo.installs_from_stale_index(it.at)) {
        out.decline(&META, span, REPOSITORIES);
        return None;
    }
    if served.is_empty() && installs.is_empty() && !assumptions.is_empty() {
        out.decline(&META, span, needed);
        return None;
    }
    assumptions.dedup();
    Some((served, assumptions))
}

/// The install of a later step that a use of the index is, if the option can be given to it.
fn shown_install<'c>(context: &Context<'c>, at: usize, usage: &Usage) -> Option<Install<'c>> {
    let step = &context.facts.steps[at];
    step.run()?.editable()?;
    let installs = keeping_installs(context.memo.calls(at));
    let install = installs.into_iter().find(|(simple, _)| simple.span == usage.span)?;
    (!has_mount(step) && !has_place_option(&install)).then_some(install)
}

/// The edits that give `--no-cache` to the installs of the RUN and to those of later RUNs that it
/// serves, and take its `apk update`s away.
fn without_index(
    context: &Context<'_>,
    target: &Target<'_>,
    installs: &[Install<'_>],
    served: &[Served<'_>],
) -> Result<Edits, String> {
    let mut edits = Edits::new();
    if target.list.entries.len() == 1 && installs.is_empty() {
        let item = removable(context, target).ok_or("`apk update` can't be taken out of the file")?;
        edits.remove(item.span()).map_err(|error| error.to_string())?;
    } else {
        edits = no_cache(context, target.step, target.list, installs)?;
        let mut plan = RunPlan::new(context.facts.file, target.step.instruction, target.list);
        for update in updates(target)? {
            let command = &target.list.entries[update].pipeline;
            if let Some(reason) = teaches_shell(target, command, update + 1) {
                return Err(reason);
            }
            plan.remove_command(update).map_err(|error| error.to_string())?;
        }
        edits.merge(&plan.into_edits()).map_err(|error| error.to_string())?;
    }
    for Served { at, installs } in served {
        let step = &context.facts.steps[*at];
        let Some(list) = step.run().and_then(|run| run.editable()) else { continue };
        let more = no_cache(context, step, list, installs)?;
        edits.merge(&more).map_err(|error| error.to_string())?;
    }
    Ok(edits)
}

/// The edits that give `--no-cache` to installs of a step.
fn no_cache(
    context: &Context<'_>,
    step: &Step<'_>,
    list: &List<'_>,
    installs: &[Install<'_>],
) -> Result<Edits, String> {
    let mut plan = RunPlan::new(context.facts.file, step.instruction, list);
    for (simple, managed) in installs {
        let Some(verb) = managed.verb_at else { continue };
        if simple.words[..=verb].iter().any(|word| !step.instruction.logical.on_one_line(word.span)) {
            return Err("a line ends within a word of `apk add`".to_owned());
        }
        let planned = match managed.option(simple, &FETCHING) {
            // `--update=`, which apk takes for an error.
            Some(at) if !simple.words[at].literal().is_some_and(|word| FETCHING.contains(&word)) => {
                return Err("an option of `apk add` has a value that it doesn't take".to_owned());
            }
            Some(at) => plan.replace_word(simple.words[at].span, "--no-cache"),
            None => plan.insert_word(simple.words[verb].span, "--no-cache"),
        };
        planned.map_err(|error| error.to_string())?;
    }
    Ok(plan.into_edits())
}

/// The item of a RUN that is nothing but an `apk update`, if no comment is about it.
fn removable<'c>(context: &Context<'c>, target: &Target<'_>) -> Option<&'c Item<'c>> {
    let file = context.facts.file;
    let at = target.step.item;
    let plain = target.list.entries[0].pipeline.simple().is_some_and(is_bare_update);
    let commented = target.list.comment.is_some()
        || target.step.instruction.trivia.iter().any(|it| matches!(it, Trivia::Comment(_)))
        || matches!(file.items[..at].last(), Some(Item::Comment(_)));
    let item = &file.items[at];
    let ends_line = file.text[item.span().range()].ends_with('\n');
    (plain && !commented && ends_line && target.run.flags.is_empty()).then_some(item)
}

fn is_bare_update(simple: &Simple<'_>) -> bool {
    is_plain_update(simple) && simple.redirections.is_empty() && simple.assignments.is_empty()
}

/// The places of the `apk update`s among the commands of a RUN, if all can be taken out.
fn updates(target: &Target<'_>) -> Result<Vec<usize>, &'static str> {
    let entries = &target.list.entries;
    let shown = target.calls.iter().filter_map(|call| call.managed.as_ref());
    let all = shown.filter(|it| it.manager == Manager::Apk && it.verb == Verb::Update).count();
    let is_and = |entry: &Entry<'_>| entry.joiner.is_none_or(|joiner| joiner.kind == JoinerKind::And);
    let removable = |at: &usize| {
        entries[*at].pipeline.simple().is_some_and(is_bare_update)
            && entries[at.saturating_sub(1)..].iter().all(is_and)
    };
    let found: Vec<usize> = (0..entries.len()).filter(removable).collect();
    let stops = !found.is_empty() && stops_at_errors(target);
    if found.len() == all && found.len() < entries.len() && !stops {
        Ok(found)
    } else {
        Err("`apk update` can't be taken out of this script")
    }
}
