//! Joins neighbouring RUNs when that pays.
//!
//! ## Why
//! Every RUN makes a layer that is cached on its own. A package list that is fetched in one RUN and
//! used in the next goes stale: the update stays cached for ever while the install is run again, and
//! fails or installs old packages. A file that is made in one RUN and deleted in the next stays in the
//! image all the same.
//!
//! ## Example
//! ```dockerfile
//! FROM debian:bookworm-slim
//! RUN apt-get update
//! RUN apt-get install -y gcc
//! RUN rm -rf /var/lib/apt/lists/*
//! ```
//! becomes
//! ```dockerfile
//! FROM debian:bookworm-slim
//! RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
//! ```
//!
//! ## Safety
//! Safe: an install after the update that it needs, and a deletion after what it deletes, when both
//! RUNs run as the same user in the same folder, shell and environment, and the first leaves nothing
//! behind in its shell that the second would notice. A second RUN with `||` or `;` is put into a
//! group, as `&&` and `||` bind alike.
//!
//! Unsafe: several installs of one package manager as one call, because the manager then chooses all
//! packages together; with the setting `merge-run.when = "always"`, RUNs that gain nothing but a layer
//! less.
//!
//! ## Leaves alone
//! Exec form, heredocs, RUNs with mounts or other flags, ONBUILD, scripts with `set`, `cd`, `export`,
//! `exit`, `trap` or background jobs, two installs of pip or npm (they are resolved together when they
//! are one call, and `pip install -U pip` must not share a shell with the next pip), and RUNs with a
//! linter's pragma, an instruction that is commented out, or the heading of another part of the file between
//! them. Other comments stay with their commands, or stand above the joined RUN where the first of the RUNs is a
//! mere update.

mod blocker;
mod gain;
mod headings;
mod one_install;
#[cfg(test)]
mod tests;

use std::ops::Range;

use dockeropt_facts::claim::Assumption;
use dockeropt_facts::{Run, Stage, Step};
use dockeropt_syntax::shell::{JoinerKind, List};
use dockeropt_syntax::{Edits, JoinLayout as Layout, LINE_WIDTH, RunPlan};

use crate::{Context, Fix, Meta, Proposals, Transform};
use blocker::blocker;
use gain::pays;
use headings::go_above;
use one_install::merge_installs;

/// See the documentation of this file.
pub(crate) struct MergeRun;

static META: Meta = Meta {
    id: "merge-run",
    summary: "Join neighbouring RUNs when that pays",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("merge_run.rs"),
};

impl Transform for MergeRun {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        for stage in &context.facts.stages {
            let mut joined = join_all(context, stage, &[], When::ItPays, out);
            if context.settings.merge_always {
                // What pays comes first, so that it can be had by itself.
                joined.extend(join_all(context, stage, &joined, When::Always, out));
                joined.sort_by_key(|group| group.start);
            }
            let mut joined = joined.into_iter().flatten().peekable();
            for at in stage.steps.clone() {
                if joined.next_if_eq(&at).is_none() && !context.memo.called(at).is_empty() {
                    merge_installs(context, &context.facts.steps[at], out);
                }
            }
        }
        out.fixes.sort_by_key(|fix| fix.span.start);
    }
}

/// When RUNs are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    ItPays,
    Always,
}

/// Proposes to join the RUNs of a stage but for those that are in `others`; returns the groups. Both are in the
/// order of the file.
fn join_all(
    context: &Context<'_>,
    stage: &Stage,
    others: &[Range<usize>],
    when: When,
    out: &mut Proposals,
) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut others = others.iter().peekable();
    let mut at = stage.steps.start;
    while at < stage.steps.end {
        if let Some(other) = others.next_if(|other| other.start == at) {
            at = other.end;
            continue;
        }
        let end = others.peek().map_or(stage.steps.end, |other| other.start);
        let steps = &context.facts.steps[at..end];
        let group = join_from(context, (at, steps), stage.in_image, when, out);
        if group > 1 {
            groups.push(at..at + group);
        }
        at += group;
    }
    groups
}

/// Proposes to join the first of the steps with those that follow; returns how many steps that are.
fn join_from(
    context: &Context<'_>,
    (at, steps): (usize, &[Step<'_>]),
    in_image: bool,
    when: When,
    out: &mut Proposals,
) -> usize {
    let mut group = 1;
    let mut edits = Edits::new();
    let mut gain = None;
    let mut always = false;
    while let Some(next) = steps.get(group) {
        let (left, last) = (&steps[..group], &steps[group - 1]);
        let Some((run, next_run)) = last.run().zip(next.run()) else { break };
        let why = pays(context, (at, left), next, in_image);
        if why.is_none() && when == When::ItPays {
            break;
        }
        let span = last.instruction.span.to(next.instruction.span);
        let joined = match blocker(context, left, next) {
            Some(reason) => Err(reason),
            None => join(context, (last, run), (next, next_run), Layout::default())
                .map_err(|error| error.to_string()),
        };
        match joined {
            Ok(more) if edits.merge(&more).is_ok() => {}
            Ok(_) => break,
            Err(reason) => {
                out.decline(&META, span, reason);
                break;
            }
        }
        always |= why.is_none();
        gain = gain.or(why);
        group += 1;
    }
    // Several RUNs go on one line only if all of them fit.
    let width: usize =
        steps[..group].iter().map(|step| step.instruction.arguments().len() + " && ".len()).sum();
    let on_next_line = group > 2 && width > LINE_WIDTH;
    let comments_above = go_above(context, &steps[..group], &steps[group..]);
    if on_next_line || comments_above {
        edits = laid_out(context, &steps[..group], on_next_line, comments_above).unwrap_or(edits);
    }
    if group > 1 {
        let (first, last) = (&steps[0], &steps[group - 1]);
        let assumption = Assumption::Other("the steps are not cached apart for a reason".to_owned());
        out.fixes.push(Fix {
            transform: META.id,
            title: format!("Join {group} RUNs"),
            edits,
            span: first.instruction.span.to(last.instruction.span),
            claims: Vec::new(),
            assumptions: if always { vec![assumption] } else { Vec::new() },
            notes: vec![gain.unwrap_or("one layer less").to_owned()],
            ..Fix::default()
        });
    }
    group
}

/// Joins all steps; `comments_above` is about the comments between the first two.
fn laid_out(
    context: &Context<'_>,
    steps: &[Step<'_>],
    on_next_line: bool,
    comments_above: bool,
) -> Option<Edits> {
    let mut edits = Edits::new();
    for (at, pair) in steps.windows(2).enumerate() {
        let runs = (&pair[0], pair[0].run()?);
        let layout = Layout { on_next_line, comments_above: comments_above && at == 0 };
        edits.merge(&join(context, runs, (&pair[1], pair[1].run()?), layout).ok()?).ok()?;
    }
    Some(edits)
}

fn join(
    context: &Context<'_>,
    (step, run): (&Step<'_>, &Run<'_>),
    (next, next_run): (&Step<'_>, &Run<'_>),
    layout: Layout,
) -> Result<Edits, dockeropt_syntax::PlanError> {
    let (Some(list), Some(next_list)) = (run.editable(), next_run.editable()) else {
        return Ok(Edits::new());
    };
    let mut plan = RunPlan::new(context.facts.file, step.instruction, list);
    plan.join(next.instruction, next_list, !is_and_list(next_list), layout)?;
    Ok(plan.into_edits())
}

/// Whether a list joins all its commands by `&&`.
fn is_and_list(list: &List<'_>) -> bool {
    list.entries.iter().all(|entry| entry.joiner.is_none_or(|joiner| joiner.kind == JoinerKind::And))
}

/// The script of a step that can be edited, and its text.
fn script<'s>(step: &'s Step<'_>) -> Option<(&'s List<'s>, &'s str)> {
    step.run()?.editable().map(|list| (list, &*step.instruction.logical.text))
}
