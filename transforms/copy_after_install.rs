//! Moves a `COPY` of the build context below the package installs that do not read what it brings.
//!
//! ## Why
//! A changed source file invalidates the layer of the COPY that brings it in and every layer after it.
//! A COPY above an install makes each change reinstall all packages, for minutes, although the packages
//! are the same.
//!
//! ## Example
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY . /app
//! RUN apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*
//! RUN pip install --no-cache-dir -r requirements.txt
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! RUN apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*
//! COPY . /app
//! RUN pip install --no-cache-dir -r requirements.txt
//! ```
//!
//! ## Safety
//! Safe: an install of literal packages from the configured repositories, a destination that packages
//! neither own nor read (`/app`, `/usr/src/app`, `/code` ...), and nothing in between that reads or
//! writes it. Likewise an ENV or ARG that holds a version or a build number and that nothing up to the
//! new place reads.
//!
//! ## Leaves alone
//! Destinations that packages own (`/etc`, `/var/www/html`, `/usr/local/bin`), copies from other stages,
//! `--chown` by name, destinations that PATH or another variable names, installs that read a file of
//! the project, scripts that are not modelled, and what would come to stand below an `apt-get update`
//! that a later install or script without its own relies on: that install would no longer get new lists.

mod stale;
#[cfg(test)]
mod tests;
mod variable;

use dockeropt_facts::effects::{
    Effects, Reach, is_private, may_name_relative_file, names_files_relatively, of_script, within,
    written_by_copy, written_by_workdir,
};
use dockeropt_facts::naming::names_path;
use dockeropt_facts::order::may_run_before;
use dockeropt_facts::shell_state::has_only_simple_commands;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Action, Copy, Facts, Step};
use dockeropt_syntax::shell::List;
use dockeropt_syntax::{Edits, Keyword, rewriter};

use crate::{Context, Fix, Meta, Proposals, Transform};
use stale::LaterUses;
use variable::variable_verdict;

/// See the documentation of this file.
pub(crate) struct CopyAfterInstall;

static META: Meta = Meta {
    id: "copy-after-install",
    summary: "Move a COPY of the build context below the package installs that do not read it",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("copy_after_install.rs"),
};

impl Transform for CopyAfterInstall {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        for stage in &context.facts.stages {
            Moves::new(*context, stage.steps.clone()).propose(out);
        }
    }
}

/// So many steps are looked at below a COPY: a move is proposed only to where it ends.
const FARTHEST: usize = 40;
const TOO_FAR: &str = "too many steps stand below it";
const STALE: &str = "line {line} may install from package lists that would no longer be fetched anew";

/// What can be moved in a stage.
struct Moves<'c> {
    context: Context<'c>,
    steps: &'c [Step<'c>],
    /// Which steps install packages.
    installs: Vec<bool>,
    /// Who needs the indices that they fetch.
    later_uses: LaterUses<'c>,
    /// What is to become of the steps.
    verdicts: Vec<Option<Verdict<'c>>>,
}

/// What is to become of a step.
enum Verdict<'c> {
    /// It moves below the step `target`.
    Move { target: Target, note: &'static str },
    /// It stays because of what the reason says, and of another step if there is one.
    Decline(String, Option<&'c Step<'c>>),
}

/// Where a step can be moved to.
#[derive(Clone, Copy)]
struct Target {
    /// The step below which it comes to stand.
    below: usize,
    /// The first step that must move, too, so that this one can.
    with: Option<usize>,
}

impl<'c> Moves<'c> {
    fn new(context: Context<'c>, range: std::ops::Range<usize>) -> Self {
        let steps = &context.facts.steps[range.clone()];
        let later_uses = LaterUses::new(context, range.clone());
        let installs = range.zip(steps).map(|(at, step)| is_install(&context, at, step)).collect();
        Self { context, steps, installs, later_uses, verdicts: steps.iter().map(|_| None).collect() }
    }

    fn propose(mut self, out: &mut Proposals) {
        let Some(last_install) = self.installs.iter().rposition(|&is_install| is_install) else { return };
        // The last COPY first: those above it may need it out of their way.
        for at in (0..last_install).rev() {
            self.verdicts[at] = match &self.steps[at].action {
                Action::Copy(copy) => copy_verdict(&self, at, copy),
                _ => variable_verdict(&self, at),
            };
            // Above a step that is too far from where it might go, all are.
            if matches!(&self.verdicts[at], Some(Verdict::Decline(reason, _)) if reason == TOO_FAR) {
                break;
            }
        }
        let mut grouped = vec![false; self.steps.len()];
        for at in 0..last_install {
            match &self.verdicts[at] {
                Some(Verdict::Move { note, .. }) if !grouped[at] => {
                    let group = self.group(at);
                    group.iter().for_each(|&at| grouped[at] = true);
                    out.fixes.extend(self.fix(&group, note));
                }
                Some(Verdict::Decline(reason, None)) => {
                    out.decline(&META, self.steps[at].instruction.span, reason);
                }
                Some(Verdict::Decline(reason, Some(other))) => {
                    out.decline_for(&META, self.steps[at].instruction.span, other, reason);
                }
                _ => {}
            }
        }
    }

    /// A step with those that must move with it.
    fn group(&self, first: usize) -> Vec<usize> {
        std::iter::successors(Some(first), |&at| self.target_of(at)?.with).collect()
    }

    fn target_of(&self, at: usize) -> Option<Target> {
        match self.verdicts[at] {
            Some(Verdict::Move { target, .. }) => Some(target),
            _ => None,
        }
    }

    /// The step of the stage, up to `below`, that names a path, so that an install may look there. One of
    /// a stage that this one starts from is given by the first step of this one.
    fn named_above(&self, below: usize, path: &str) -> Option<&'c Step<'c>> {
        let line = self.context.facts.first_naming(self.steps[0].stage?, path)?;
        let named = |step: &&Step<'_>| step.line() == line;
        match self.steps.iter().find(named) {
            Some(step) => (step.line() <= self.steps[below].line()).then_some(step),
            None => self.steps.first(),
        }
    }

    fn fix(&self, group: &[usize], note: &str) -> Option<Fix> {
        let mut edits = Edits::new();
        for &at in group {
            let target = &self.steps[self.target_of(at)?.below];
            let moved = rewriter::move_after(self.context.facts.file, self.steps[at].item, target.item);
            edits.merge(&moved.ok()?).ok()?;
        }
        let (first, last) = (&self.steps[group[0]], &self.steps[group[group.len() - 1]]);
        let keyword = first.instruction.keyword();
        let what = match group.len() {
            1 => format!("the {}", keyword.name()),
            count if group.iter().all(|&at| self.steps[at].instruction.keyword() == keyword) => {
                format!("{count} {}s", keyword.name())
            }
            count => format!("{count} steps"),
        };
        Some(Fix {
            transform: META.id,
            title: format!("Move {what} below the package installs"),
            edits,
            span: first.instruction.span.to(last.instruction.span),
            claims: Vec::new(),
            assumptions: Vec::new(),
            notes: vec![note.to_owned()],
            ..Fix::default()
        })
    }

    /// The last install below `at` that can be reached by passing only what may be passed; or, if
    /// there is none although there are installs, why.
    fn target(
        &self,
        at: usize,
        mut may_pass: impl FnMut(&Step<'_>) -> Passed,
    ) -> Result<Option<Target>, (String, Option<&'c Step<'c>>)> {
        let mut target = None;
        let mut with = None;
        let mut stale = None;
        let mut end = self.steps.len();
        for (below, step) in self.steps.iter().enumerate().skip(at + 1) {
            if below > end {
                break;
            }
            if below - at > FARTHEST {
                return Err((TOO_FAR.to_owned(), None));
            }
            let passed = match rewriter::is_open(self.context.facts.file, step.item) {
                true => Passed::No("the RUN at line {line} goes on at the end of the file".to_owned()),
                false => may_pass(step),
            };
            match passed {
                Passed::Yes if self.installs[below] => match self.later_uses.of_indices(at + 1, below) {
                    None => target = Some(Target { below, with }),
                    Some(step) => stale = stale.or(Some(&self.context.facts.steps[step])),
                },
                Passed::Yes => {}
                Passed::No(reason) => match self.target_of(below) {
                    // It moves out of the way, and this one comes to stand above it again.
                    Some(other) if with.is_none() => (with, end) = (Some(below), other.below),
                    // It moves with the other one.
                    Some(_) if with.is_some_and(|with| self.group(with).contains(&below)) => {}
                    _ => {
                        let more = self.installs[below..].contains(&true);
                        if target.is_none() && stale.is_none() && more {
                            return Err((reason, Some(step)));
                        }
                        break;
                    }
                },
            }
        }
        match stale {
            Some(step) if target.is_none() => Err((STALE.to_owned(), Some(step))),
            _ => Ok(target),
        }
    }
}

/// What stands between a step and the installs below it.
pub(crate) enum Passed {
    /// It may be passed.
    Yes,
    /// It may not, and why, with `{line}` for its line.
    No(String),
}

fn copy_verdict<'c>(moves: &Moves<'c>, at: usize, copy: &Copy) -> Option<Verdict<'c>> {
    let step = &moves.steps[at];
    let remote =
        copy.sources.iter().any(|source| source.raw().contains("://") || source.raw().starts_with("git@"));
    if copy.from.is_some() || remote || copy.heredoc {
        return None;
    }
    let decline = |reason: String| Some(Verdict::Decline(reason, None));
    let Some(destination) = copy.destination.text() else {
        return decline("its destination is decided when the image is built".to_owned());
    };
    if !is_private(destination) {
        return decline(format!("packages may own or read {destination}"));
    }
    let by_name = |flag: &str| {
        flag.strip_prefix("--chown=")
            .is_some_and(|owner| owner.contains(|c: char| c != ':' && !c.is_ascii_digit()))
    };
    if copy.flags.iter().any(|flag| flag.text().is_none_or(by_name)) {
        return decline("its owner is looked up in the image".to_owned());
    }
    let effects = Effects { reads: Reach::default(), writes: written_by_copy(copy) };
    let uses_variables = step.instruction.arguments().contains('$');
    match moves.target(at, |below| {
        may_pass_copy(moves.context.facts, below, copy, destination, &effects, uses_variables)
    }) {
        Ok(Some(target)) if moves.named_above(target.below, destination).is_some() => {
            let reason = "line {line} names its destination, or brings settings that may";
            Some(Verdict::Decline(reason.to_owned(), moves.named_above(target.below, destination)))
        }
        Ok(target) => {
            let note = "a changed file no longer reinstalls the packages";
            target.map(|target| Verdict::Move { target, note })
        }
        Err((reason, other)) => Some(Verdict::Decline(reason, other)),
    }
}

pub(crate) fn may_pass_copy(
    facts: &Facts<'_>,
    below: &Step<'_>,
    copy: &Copy,
    destination: &str,
    effects: &Effects,
    uses_variables: bool,
) -> Passed {
    match (&below.action, below.instruction.keyword()) {
        (Action::Run(run), _) => {
            if !run.flags.is_empty() {
                return Passed::No("the RUN at line {line} has flags".to_owned());
            }
            // `for file in /app/*; do`, `while ...; done < /app/list`
            let modelled =
                |list: &&List<'_>| list.entries.iter().all(|entry| has_only_simple_commands(&entry.pipeline));
            let Some(list) = run.editable().filter(modelled) else {
                return Passed::No("the RUN at line {line} is not modelled".to_owned());
            };
            let mut named = below.state.env.commonly_read();
            if let Some((name, _)) = named.find(|(_, value)| names_path(value, destination)) {
                return Passed::No(format!("{name} names its destination"));
            }
            let workdir = below.state.workdir.text();
            let meets_workdir =
                workdir.is_none_or(|folder| within(folder, destination) || within(destination, folder));
            let mut named = below.state.env.commonly_read();
            let relative = named.any(|(name, value)| may_name_relative_file(name, value.raw()));
            if meets_workdir && (relative || names_files_relatively(list)) {
                return Passed::No("the RUN at line {line} may read files of the working folder".to_owned());
            }
            let own = of_script(list, &below.instruction.logical.text, &below.state.workdir);
            if !own.independent(effects) || !may_run_before(facts, below, copy) {
                return Passed::No(format!("the RUN at line {{line}} may read or write {destination}"));
            }
            Passed::Yes
        }
        (Action::Workdir(path), _)
            if !copy.written.raw().starts_with('/') && *path != below.state.workdir =>
        {
            Passed::No(
                "its destination is relative to the folder that the WORKDIR at line {line} changes"
                    .to_owned(),
            )
        }
        (Action::Workdir(path), _) => {
            let apart = !written_by_workdir(path, below.state.is_root()).overlaps(&effects.writes);
            // The COPY gives a folder that it makes itself the mode of the folder in the context.
            let inside = path.text().is_some_and(|path| destination != path && within(destination, path));
            if apart || (inside && below.state.is_root() && copy.flags.is_empty()) {
                Passed::Yes
            } else {
                Passed::No("the WORKDIR at line {line} may make its destination".to_owned())
            }
        }
        (Action::Copy(other), _) => {
            let apart = !written_by_copy(other).overlaps(&effects.writes);
            if apart { Passed::Yes } else { Passed::No("line {line} copies to the same place".to_owned()) }
        }
        (Action::Other, Keyword::Env | Keyword::Arg) if uses_variables => {
            Passed::No("line {line} may set a variable that it uses".to_owned())
        }
        (Action::Other, Keyword::Volume) => {
            Passed::No("the VOLUME at line {line} may hold its destination".to_owned())
        }
        (Action::Other, Keyword::Onbuild | Keyword::From) => {
            Passed::No("line {line} is not passed".to_owned())
        }
        (Action::Other, _) => Passed::Yes,
    }
}

/// Whether the step `at` installs named packages of a distribution, or of a language by name.
fn is_install(context: &Context<'_>, at: usize, step: &Step<'_>) -> bool {
    if context.memo.called(at).is_empty() || step.run().and_then(|run| run.editable()).is_none() {
        return false;
    }
    context.memo.calls(at).iter().any(|call| {
        let (simple, Some(managed)) = (call.simple, &call.managed) else { return false };
        let named = managed.operands.iter().all(|&at| simple.words[at].literal().is_some());
        let by_name = match managed.manager {
            Manager::Npm => managed.has_option(simple, &["-g", "--global"]),
            Manager::Pip => !managed.has_option(simple, &["-r", "--requirement", "-e", "--editable"]),
            manager => manager.is_system(),
        };
        managed.verb == Verb::Install && named && by_name && !managed.operands.is_empty()
    })
}
