//! Several installs of one package manager as one call.

use dockeropt_facts::Step;
use dockeropt_facts::claim::Claim;
use dockeropt_facts::command::{Managed, call};
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_syntax::shell::Simple;
use dockeropt_syntax::{Edits, LogicalSpan, RunPlan};

use super::{META, is_and_list, script};
use crate::{Context, Fix, Proposals};

/// Proposes to make neighbouring installs of one package manager one call.
pub(super) fn merge_installs(context: &Context<'_>, step: &Step<'_>, out: &mut Proposals) {
    let Some((list, text)) = script(step).filter(|_| step.run().is_some_and(|run| run.flags.is_empty()))
    else {
        return;
    };
    if !is_and_list(list) {
        return;
    }
    let mut edits = Edits::new();
    let mut found: Option<Manager> = None;
    let mut merged = 0;
    for pair in 1..list.entries.len() {
        if merged == pair - 1 && merged > 0 {
            continue;
        }
        let (Some(first), Some(second)) =
            (list.entries[pair - 1].pipeline.simple(), list.entries[pair].pipeline.simple())
        else {
            continue;
        };
        let (Some(install), Some(more)) = (system_install(first), system_install(second)) else { continue };
        if install.manager != more.manager
            || found.is_some_and(|found| found != install.manager)
            || other_words(first, &install, text) != other_words(second, &more, text)
        {
            continue;
        }
        let logical = &step.instruction.logical;
        let mut plan = RunPlan::new(context.facts.file, step.instruction, list);
        let known: Vec<&str> = install.operands.iter().filter_map(|&at| first.words[at].literal()).collect();
        let spans: Vec<LogicalSpan> = install.operands.iter().map(|&at| first.words[at].span).collect();
        let added = more.operands.iter().map(|&at| logical.get(second.words[at].span));
        let added: Vec<String> =
            added.filter(|package| !known.contains(package)).map(str::to_owned).collect();
        let planned = plan.extend_words(&spans, &added).and_then(|()| plan.remove_command(pair));
        if planned.is_err() || added.len() != more.operands.len() {
            continue;
        }
        if edits.merge(&plan.into_edits()).is_err() {
            continue;
        }
        (found, merged) = (Some(install.manager), pair);
        if list.entries.len() < MANY {
            break;
        }
    }
    let Some(manager) = found else { return };
    out.fixes.push(Fix {
        transform: META.id,
        title: format!("Install the packages of {} in one call", manager.name()),
        edits,
        span: step.instruction.span,
        claims: vec![Claim::OneInstall(manager)],
        assumptions: Vec::new(),
        notes: vec!["the packages are resolved and unpacked once".to_owned()],
        ..Fix::default()
    });
}

/// In a script of so many commands, pairs are merged all over it at once.
const MANY: usize = 100;

/// An install of named packages by the package manager of a distribution.
fn system_install(simple: &Simple<'_>) -> Option<Managed> {
    let managed = call(simple)?.managed?;
    // A package that brings a repository must be there before those that come from it; a file may be
    // anything.
    let by_name =
        |name: &str| !name.contains(['/', ':']) && !name.contains("release") && !name.contains("repo");
    let plain = simple.redirections.is_empty()
        && managed.operands.iter().all(|&at| simple.words[at].literal().is_some_and(by_name));
    (plain && managed.manager.is_system() && managed.verb == Verb::Install && !managed.operands.is_empty())
        .then_some(managed)
}

/// The words of a call that are no packages, as they are written.
fn other_words<'t>(simple: &Simple<'_>, managed: &Managed, text: &'t str) -> Vec<&'t str> {
    let assignments = simple.assignments.iter().map(|it| &text[it.span.range()]);
    let words = simple.words.iter().enumerate().filter(|(at, _)| managed.operands.binary_search(at).is_err());
    assignments.chain(words.map(|(_, word)| &text[word.span.range()])).collect()
}
