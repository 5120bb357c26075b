//! Whether a package manager's index is used after a RUN.

use std::ops::Range;

use dockeropt_facts::claim::Assumption;
use dockeropt_facts::command::{Call, call};
use dockeropt_facts::liveness::{reads_cache, words_of_use};
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::started::{installs_when_started, usages_of_trigger};
use dockeropt_facts::tables::{Manager, Verb, all_kept, kept};
use dockeropt_facts::usage::{Usage, Use, alternatives, covers, home, pattern, usages, usages_of_words};
use dockeropt_facts::{Body, Facts, Step};
use dockeropt_syntax::LogicalSpan;

use crate::Context;

/// What is known about the use of an index after a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LaterUse {
    /// Nobody needs it, if these assumptions hold.
    None(Vec<Assumption>),
    /// This step needs it.
    Needed {
        /// Its place among the steps.
        step: usize,
        /// Why it does.
        why: &'static str,
    },
}

/// Looks for a use of a manager's index in the steps after `at` (a place in [`Facts::steps`]), in the
/// stages that start from this one, in triggers and in what a container starts. `is_served` tells
/// whether a step that needs it (its place, and its use) is seen to otherwise.
///
/// [`Facts::steps`]: dockeropt_facts::Facts
pub(crate) fn later_use(
    context: &Context<'_>,
    at: usize,
    manager: Manager,
    mut is_served: impl FnMut(usize, &Usage) -> bool,
) -> LaterUse {
    let facts = context.facts;
    let mut assumptions = Vec::new();
    let Some(stage) = facts.steps[at].stage else { return LaterUse::None(assumptions) };
    let mut open = vec![(stage, at + 1)];
    'stages: while let Some((stage, from)) = open.pop() {
        let stage = &facts.stages[stage];
        let range = &stage.steps;
        for at in from.max(range.start)..range.end {
            for usage in context.memo.usages(manager, at).iter() {
                match &usage.kind {
                    Use::Update | Use::Delete if !usage.conditional => continue 'stages,
                    Use::Need if !is_served(at, usage) => {
                        return LaterUse::Needed { step: at, why: "a later step needs them" };
                    }
                    Use::Unknown(command) => assume(&mut assumptions, manager, command),
                    Use::Need | Use::Update | Use::Delete | Use::Touch => {}
                }
            }
        }
        // They run when another image starts from this one, after all of its steps.
        if let Some(step) = range.clone().find(|&at| trigger_uses(&facts.steps[at], manager)) {
            return LaterUse::Needed { step, why: "an ONBUILD uses them" };
        }
        if let Some(step) = range.clone().find(|&at| installs_when_started(&facts.steps[at], manager)) {
            return LaterUse::Needed { step, why: "a container uses them" };
        }
        open.extend(stage.children.iter().rev().map(|&child| (child, facts.stages[child].steps.start)));
    }
    LaterUse::None(assumptions)
}

/// Takes for granted that a command does not need the index of a manager.
pub(crate) fn assume(assumptions: &mut Vec<Assumption>, manager: Manager, command: &str) {
    let assumption = Assumption::LeavesIndex { manager, command: command.to_owned() };
    if !assumptions.contains(&assumption) {
        assumptions.push(assumption);
    }
}

fn trigger_uses(step: &Step<'_>, manager: Manager) -> bool {
    let Some(usages) = usages_of_trigger(step, manager) else { return true };
    for usage in usages {
        match usage.kind {
            Use::Need | Use::Unknown(_) => return true,
            Use::Update | Use::Delete if !usage.conditional => return false,
            _ => {}
        }
    }
    false
}

/// What a step does with the index of a manager.
pub(crate) fn usages_of_step(step: &Step<'_>, manager: Manager) -> Vec<Usage> {
    let Some(run) = step.run() else { return Vec::new() };
    let unknown = |command: &str| {
        vec![Usage {
            kind: Use::Unknown(command.to_owned()),
            span: LogicalSpan::empty(0),
            conditional: false,
        }]
    };
    match &run.body {
        Body::Script(list) => usages(list, &step.instruction.logical.text, manager),
        Body::Heredoc { text, script } => usages(script, text, manager),
        Body::Exec(words) => usages_of_words(words, manager, LogicalSpan::empty(0)),
        Body::Opaque(_) | Body::Foreign(_) => {
            unknown(step.instruction.arguments().split_whitespace().next().unwrap_or("a script"))
        }
    }
}

/// The managers of which an `rm` deletes everything that they keep in one of their folders.
pub(crate) fn deleted_managers(rm: &Call<'_, '_>, text: &str) -> Vec<Manager> {
    let mut found = Vec::new();
    if rm.program != "rm" {
        return found;
    }
    for word in &rm.simple.words[rm.at + 1..] {
        let Some(path) = pattern(word, text) else { continue };
        for path in alternatives(&path) {
            let of = |(manager, _, folder): &(Manager, _, &'static str)| {
                (covers(&path, folder) || covers(&home(&path), folder)).then_some(*manager)
            };
            found.extend(all_kept().iter().filter_map(of));
        }
    }
    found
}

/// The first step after `at` (a place in the facts' steps) that names what a manager keeps, other than
/// to force its removal, or that installs from what was fetched before; or one that sees from outside what
/// is kept.
pub(crate) fn named_later<'c>(context: &Context<'c>, at: usize, manager: Manager) -> Option<&'c Step<'c>> {
    let facts = context.facts;
    let stage = facts.steps[at].stage?;
    let naming = context.memo.naming(manager);
    let first_in = |range: Range<usize>| {
        let next = naming.get(naming.partition_point(|&at| at < range.start))?;
        range.contains(next).then(|| &facts.steps[*next])
    };
    let seen = |stage: usize| context.memo.observers(manager)[stage].map(|at| &facts.steps[at]);
    seen(stage).or_else(|| first_in(at + 1..facts.stages[stage].steps.end)).or_else(|| {
        let of_child = |child| seen(child).or_else(|| first_in(facts.stages[child].steps.clone()));
        descendants(context, stage).into_iter().find_map(of_child)
    })
}

/// The stages that start from a stage, from those, and so on.
pub(crate) fn descendants(context: &Context<'_>, stage: usize) -> Vec<usize> {
    let mut found = vec![stage];
    let mut next = 0;
    while let Some(&stage) = found.get(next) {
        found.extend(context.facts.stages[stage].children.iter().copied());
        next += 1;
    }
    found.split_off(1)
}

/// Whether a step names what a manager keeps, other than to force its removal, or installs from it.
pub(crate) fn names_cache(facts: &Facts<'_>, step: &Step<'_>, manager: Manager) -> bool {
    reads_cache(facts, step, manager) || names_kept(step, manager)
}

fn names_kept(step: &Step<'_>, manager: Manager) -> bool {
    let text = &step.instruction.logical.text;
    let names = |text: &str| {
        kept(manager).any(|(_, folder)| text.contains(folder.trim_start_matches("~/")))
            || words_of_use(manager).iter().any(|word| text.contains(word))
    };
    if !names(text) {
        return false;
    }
    let Some((list, text)) = step.run().and_then(|run| run.script(step.instruction)) else { return true };
    let mut found = false;
    visit(list, &mut |simple| {
        let own = call(simple);
        let forced = own.as_ref().is_some_and(|call| {
            let options: String = call.arguments().flatten().filter(|word| word.starts_with('-')).collect();
            call.program == "rm" && options.contains('f') && options.contains(['r', 'R'])
        });
        let cleans = own.and_then(|call| call.managed).is_some_and(|managed| {
            managed.manager == manager
                && managed.verb == Verb::Clean
                && (manager != Manager::Npm || managed.has_option(simple, &["--force", "-f"]))
        });
        found |= !forced && !cleans && names(&text[simple.span.range()]);
    });
    found
}
