//! `migrate merge`: joins plans that were made of parts of a list.

use std::collections::BTreeSet;

use anyhow::{Context, bail};

use super::decisions::Decisions;
use super::folder::Folder;
use super::journal::{Event, Journal};
use super::names::mark;
use super::plan::Choice;
use super::planner::{Totals, write_down};

/// Joins plans into a folder; the names of the repositories, and what they have in numbers. Who starts
/// from whose image is found out anew.
pub(super) fn merge(plans: &[Folder], output: &Folder) -> anyhow::Result<(Vec<String>, Totals)> {
    let mut names: Vec<String> = Vec::new();
    let mut choice: Option<Choice> = None;
    let mut decisions = Decisions::read(&output.path("decisions.json"))?;
    let mut seen = BTreeSet::new();
    for plan in plans {
        let index = plan.index()?;
        if choice.as_ref().is_some_and(|choice| *choice != index.head.choice) {
            bail!("the plans were made with different --only or --skip");
        }
        choice = Some(index.head.choice);
        for name in index.repositories {
            let name = name.name;
            if !seen.insert(name.clone()) {
                bail!("`{name}` is in two plans");
            }
            let context = || format!("{name}: what was kept of it");
            let (entry, stacks) =
                (plan.entry(&name).with_context(context)?, plan.stacks(&name).with_context(context)?);
            output.keep(&entry, &stacks).with_context(context)?;
            names.push(name);
        }
        if let Some(more) = Decisions::read(&plan.path("decisions.json"))? {
            decisions.get_or_insert_default().merge(more);
        }
    }
    names.sort();
    if let Some(decisions) = decisions {
        decisions.write(&output.path("decisions.json"))?;
    }
    let (journal, _) = Journal::open(&output.path("journal.jsonl"))?;
    let key = mark(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let looked = names.iter().map(|name| Event::Looked { name: name.clone() });
    journal.add(&std::iter::once(Event::Plan { key }).chain(looked).collect::<Vec<_>>())?;
    let choice = choice.unwrap_or_default();
    let texts: Vec<&str> = names.iter().map(String::as_str).collect();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let totals = write_down(output, &texts, &choice, processors)?;
    journal.add(&[Event::Planned])?;
    Ok((names, totals))
}
