//! Who sees what a package manager keeps at the end of a stage, other than the steps of that stage and of
//! those that start from it.

use std::collections::BTreeMap;

use dockeropt_syntax::Keyword;

use crate::claim::Assumption;
use crate::deletions::Deletion;
use crate::effects::within;
use crate::facts::{Action, Facts, Step};
use crate::liveness::first_use;
use crate::stage::Base;
use crate::started::{installs_when_started, usages_of_trigger};
use crate::tables::{Kept, Manager, kept};
use crate::value::{Value, clean};

/// For each stage the first step that sees what a manager keeps at its end: one of another stage that
/// copies it or mounts the stage, a trigger, or one that says what a container starts.
pub fn observers(facts: &Facts<'_>, manager: Manager) -> Vec<Option<usize>> {
    observers_with(facts, manager, &[])
}

pub(crate) fn observers_with(
    facts: &Facts<'_>,
    manager: Manager,
    assumed: &[Assumption],
) -> Vec<Option<usize>> {
    let mut first = vec![None; facts.stages.len()];
    for (kind, folder) in kept(manager) {
        for (first, of_folder) in first.iter_mut().zip(observers_of(facts, (manager, kind, folder), assumed))
        {
            *first = first.or(of_folder);
        }
    }
    first
}

/// Like [`observers`], for one folder.
pub(crate) fn observers_of(
    facts: &Facts<'_>,
    deletion: Deletion,
    assumed: &[Assumption],
) -> Vec<Option<usize>> {
    let readers = readers(facts, deletion.2);
    let mut started: Vec<Option<usize>> = Vec::with_capacity(facts.stages.len());
    let mut found = Vec::with_capacity(facts.stages.len());
    for (at, stage) in facts.stages.iter().enumerate() {
        let find =
            |is_one: &dyn Fn(&Step<'_>) -> bool| stage.steps.clone().find(|&step| is_one(&facts.steps[step]));
        // A stage starts what those do that it starts from.
        let inherited = match stage.base {
            Base::Stage(parent) => started[parent],
            _ => None,
        };
        started.push(inherited.or_else(|| find(&|step| is_started(step, deletion))));
        let triggered = find(&|step| is_triggered(step, deletion, assumed));
        found.push(readers.get(&at).copied().or(triggered).or(started[at]));
    }
    found
}

/// The stages from which another stage copies or mounts what may lie in a folder, each with the step
/// that does.
fn readers(facts: &Facts<'_>, folder: &str) -> BTreeMap<usize, usize> {
    let mut readers = BTreeMap::new();
    for (at, step) in facts.steps.iter().enumerate() {
        let Some(stage) = step.stage else { continue };
        let mut read = |from: Option<&str>| {
            if let Some(from) = from.and_then(|from| facts.stage_named(from, stage)) {
                readers.entry(from).or_insert(at);
            }
        };
        match &step.action {
            Action::Copy(copy) if copy.sources.iter().any(|source| may_meet(source, folder)) => {
                read(copy.from.as_deref());
            }
            Action::Run(run) => run.mounts.iter().for_each(|mount| read(mount.from.as_deref())),
            _ => {}
        }
    }
    readers
}

/// Whether an ONBUILD uses the index or the folder.
fn is_triggered(step: &Step<'_>, (manager, kind, folder): Deletion, assumed: &[Assumption]) -> bool {
    let runs = step.instruction.operation.trigger.as_ref().is_some_and(|it| it.keyword == Keyword::Run);
    let used = || match usages_of_trigger(step, manager) {
        Some(usages) => first_use(&usages, manager, assumed) == Some(true),
        None => true,
    };
    runs && (names(step, folder) || (kind == Kept::Index && used()))
}

/// Whether what a container starts uses the index or the folder.
fn is_started(step: &Step<'_>, (manager, kind, folder): Deletion) -> bool {
    let starts =
        matches!(step.instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck);
    starts && (names(step, folder) || (kind == Kept::Index && installs_when_started(step, manager)))
}

fn names(step: &Step<'_>, folder: &str) -> bool {
    step.instruction.logical.text.contains(folder.trim_start_matches("~/"))
}

/// Whether a source of a `COPY --from` may hold what lies in a folder, or part of it.
fn may_meet(source: &Value, folder: &str) -> bool {
    let Some(source) = source.text() else { return true };
    let source = clean(&format!("/{source}"));
    let fixed = match source.find(['*', '?', '[', '\\']) {
        Some(at) => source[..at].rsplit_once('/').map_or("", |(above, _)| above),
        None => &source,
    };
    let fixed = if fixed.is_empty() { "/" } else { fixed };
    match folder.strip_prefix("~/") {
        Some(below) => {
            let root = format!("/root/{below}");
            within(fixed, &root) || within(&root, fixed) || within(fixed, "/home") || fixed.contains(below)
        }
        None => within(fixed, folder) || within(folder, fixed),
    }
}
