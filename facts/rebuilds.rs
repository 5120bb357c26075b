//! How much a builder does again when something in the build context has changed.
//!
//! The rules are those of BuildKit's cache: a COPY of what has changed, and all that follows it in its stage; a
//! stage that starts from such a stage; and what copies from one, as if its files had changed, too.

use std::collections::BTreeSet;

use crate::facts::{Action, Copy, Facts, Step};
use crate::project::is_manifest;
use crate::stage::Base;

/// What has changed since the last build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A file that is only brought along with others: a source.
    Source,
    /// A list of dependencies.
    Manifest,
}

/// How many RUNs of a build are not found in the cache after a change.
pub fn runs_again(facts: &Facts<'_>, change: Change) -> usize {
    let needed = needed_stages(facts);
    let mut changed = vec![false; facts.stages.len()];
    let mut runs = 0;
    for (at, stage) in facts.stages.iter().enumerate() {
        let mut is_changed = matches!(stage.base, Base::Stage(parent) if changed[parent]);
        for step in facts.steps_of(at) {
            is_changed |= sources(facts, step).any(|source| changed[source]) || brings(step, change);
            if is_changed && needed.contains(&at) && step.run().is_some() {
                runs += 1;
            }
        }
        changed[at] = is_changed;
    }
    runs
}

/// The stages that the last one is made of.
fn needed_stages(facts: &Facts<'_>) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut todo: Vec<usize> = facts.stages.len().checked_sub(1).into_iter().collect();
    while let Some(stage) = todo.pop() {
        if needed.insert(stage) {
            todo.extend(match facts.stages[stage].base {
                Base::Stage(parent) => Some(parent),
                _ => None,
            });
            todo.extend(facts.steps_of(stage).iter().flat_map(|step| sources(facts, step)));
        }
    }
    needed
}

/// The stages that a step takes files from.
fn sources<'f>(facts: &'f Facts<'_>, step: &'f Step<'_>) -> impl Iterator<Item = usize> + 'f {
    let copied = match &step.action {
        Action::Copy(copy) => copy.from.as_deref(),
        _ => None,
    };
    let mounts = step.run().map(|run| &run.mounts[..]).unwrap_or_default();
    let mounted = mounts.iter().filter_map(|mount| mount.from.as_deref());
    copied.into_iter().chain(mounted).filter_map(|name| facts.stage_named(name, step.stage?))
}

/// Whether a step reads what has changed from the context.
fn brings(step: &Step<'_>, change: Change) -> bool {
    match &step.action {
        Action::Copy(copy) => copy.from.is_none() && !copy.heredoc && copies(copy, change),
        Action::Run(run) => {
            run.mounts.iter().any(|mount| mount.kind == "bind" && mount.from.is_none())
                && change == Change::Source
        }
        _ => false,
    }
}

fn copies(copy: &Copy, change: Change) -> bool {
    copy.sources.iter().any(|source| {
        let Some(path) = source.text() else { return true };
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let is_url = path.contains("://") || path.starts_with("git@");
        let is_whole = matches!(path, "" | "." | "*" | "/");
        // `package*.json`, `*.csproj`
        let is_list = is_manifest(&path.replace('*', "")) || is_manifest(&path.replace('*', "x"));
        !is_url
            && match change {
                Change::Source => !is_list,
                Change::Manifest => is_whole || is_list,
            }
    })
}

#[cfg(test)]
mod tests {
    use dockeropt_syntax::parse;

    use super::*;

    #[track_caller]
    fn again(text: &str, source: usize, manifest: usize) {
        let file = parse(text);
        let facts = Facts::new(&file);
        let runs = [Change::Source, Change::Manifest].map(|change| runs_again(&facts, change));
        assert_eq!(runs, [source, manifest], "{text}");
    }

    #[test]
    fn what_follows_a_copy_runs_again() {
        again("FROM a\nRUN x\nCOPY . .\nRUN y\nRUN z\n", 2, 2);
        again("FROM a\nRUN x\nCOPY package*.json ./\nRUN y\nCOPY . .\nRUN z\n", 1, 2);
        again("FROM a\nCOPY *.csproj nuget.config ./\nRUN y\nCOPY src src\n", 0, 1);
        again("FROM a\nADD https://example.com/x /x\nRUN y\n", 0, 0);
        again("FROM a\nCOPY --from=example.com/b /x /x\nRUN y\n", 0, 0);
        again("FROM a\nCOPY app.py .\nRUN y\n", 1, 0);
    }

    #[test]
    fn stages_pass_a_change_on() {
        again("FROM a AS b\nCOPY . .\nRUN x\nFROM a\nRUN y\nCOPY --from=b /x /x\nRUN z\n", 2, 2);
        again("FROM a AS b\nCOPY . .\nRUN x\nFROM b\nRUN y\n", 2, 2);
        again("FROM a AS b\nCOPY . .\nRUN x\nFROM a\nRUN y\n", 0, 0);
        again("FROM a AS b\nCOPY . .\nFROM a\nRUN --mount=from=b,target=/b y\nRUN z\n", 2, 2);
        again("FROM a\nRUN --mount=type=bind,target=/src y\n", 1, 0);
    }
}
