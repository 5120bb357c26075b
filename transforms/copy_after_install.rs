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
//! the project, and scripts that are not modelled.

#[cfg(test)]
mod tests;
mod variable;

use dockeropt_facts::command::call;
use dockeropt_facts::effects::{Effects, Reach, is_private, of_script, within};
use dockeropt_facts::shell_state::{has_only_simple_commands, visit};
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Action, Copy, Step};
use dockeropt_syntax::shell::List;
use dockeropt_syntax::{Keyword, rewriter};

use crate::{Context, Fix, Meta, Proposals, Transform};
use variable::move_variable;

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
        for stage in 0..context.facts.stages.len() {
            let steps = context.facts.steps_of(stage);
            // The last COPY first: those above it then have it out of their way.
            for at in (0..steps.len()).rev() {
                let moved = match &steps[at].action {
                    Action::Copy(copy) => move_copy(context, steps, at, copy, out),
                    _ => move_variable(context, steps, at, out),
                };
                if moved {
                    break;
                }
            }
        }
    }
}

/// What stands between a step and the installs below it.
enum Passed {
    /// It may be passed; whether it is an install worth passing.
    Yes { is_install: bool },
    /// It may not, and why, with `{line}` for its line.
    No(String),
}

/// The last install below `at` that can be reached by passing only what may be passed, or why there
/// is none although there are installs.
fn target<'s, 'f>(
    steps: &'s [Step<'f>],
    at: usize,
    mut may_pass: impl FnMut(&Step<'_>) -> Passed,
) -> Result<Option<usize>, (&'s Step<'f>, String)> {
    let mut target = None;
    for (below, step) in steps.iter().enumerate().skip(at + 1) {
        match may_pass(step) {
            Passed::Yes { is_install } => target = if is_install { Some(below) } else { target },
            Passed::No(reason) => {
                let more = steps[below..].iter().any(is_install);
                return if target.is_none() && more { Err((step, reason)) } else { Ok(target) };
            }
        }
    }
    Ok(target)
}

fn propose_move(
    context: &Context<'_>,
    step: &Step<'_>,
    target: &Step<'_>,
    note: &str,
    out: &mut Proposals,
) -> bool {
    let Ok(edits) = rewriter::move_after(context.facts.file, step.item, target.item) else { return false };
    let keyword = step.instruction.keyword().name();
    out.fixes.push(Fix {
        transform: META.id,
        title: format!("Move the {keyword} below the package installs"),
        edits,
        span: step.instruction.span,
        claims: Vec::new(),
        assumptions: Vec::new(),
        notes: vec![note.to_owned()],
    });
    true
}

fn move_copy(context: &Context<'_>, steps: &[Step<'_>], at: usize, copy: &Copy, out: &mut Proposals) -> bool {
    let step = &steps[at];
    let remote =
        copy.sources.iter().any(|source| source.raw().contains("://") || source.raw().starts_with("git@"));
    if copy.from.is_some() || remote || copy.heredoc || !steps[at..].iter().any(is_install) {
        return false;
    }
    let span = step.instruction.span;
    let Some(destination) = copy.destination.text() else {
        out.decline(&META, span, "its destination is decided when the image is built");
        return false;
    };
    if !is_private(destination) {
        out.decline(&META, span, format!("packages may own or read {destination}"));
        return false;
    }
    let by_name = |flag: &str| {
        flag.strip_prefix("--chown=")
            .is_some_and(|owner| owner.contains(|c: char| c != ':' && !c.is_ascii_digit()))
    };
    if copy.flags.iter().any(|flag| flag.text().is_none_or(by_name)) {
        out.decline(&META, span, "its owner is looked up in the image");
        return false;
    }
    let effects = Effects { reads: Reach::default(), writes: Reach::path(destination) };
    let uses_variables = step.instruction.arguments().contains('$');
    let found = target(steps, at, |below| may_pass_copy(below, copy, destination, &effects, uses_variables));
    match found {
        Ok(Some(target)) => propose_move(
            context,
            step,
            &steps[target],
            "a changed file no longer reinstalls the packages",
            out,
        ),
        Ok(None) => false,
        Err((step, reason)) => {
            out.decline_for(&META, span, step, reason);
            false
        }
    }
}

fn may_pass_copy(
    below: &Step<'_>,
    copy: &Copy,
    destination: &str,
    effects: &Effects,
    uses_variables: bool,
) -> Passed {
    let yes = Passed::Yes { is_install: false };
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
            if let Some((name, _)) = named.find(|(_, value)| value.raw().contains(destination)) {
                return Passed::No(format!("{name} names its destination"));
            }
            let own = of_script(list, &below.instruction.logical.text, &below.state.workdir);
            if !own.independent(effects) {
                return Passed::No(format!("the RUN at line {{line}} may read or write {destination}"));
            }
            Passed::Yes { is_install: is_install(below) }
        }
        (Action::Workdir(path), _) => {
            let apart = path.text().is_some_and(|path| !Reach::path(path).overlaps(&effects.writes));
            // The COPY gives a folder that it makes itself the mode of the folder in the context.
            let inside = path.text().is_some_and(|path| destination != path && within(destination, path));
            if apart || (inside && below.state.is_root() && copy.flags.is_empty()) {
                yes
            } else {
                Passed::No("the WORKDIR at line {line} may make its destination".to_owned())
            }
        }
        (Action::Copy(other), _) => {
            let apart =
                other.destination.text().is_some_and(|other| !Reach::path(other).overlaps(&effects.writes));
            if apart { yes } else { Passed::No("line {line} copies to the same place".to_owned()) }
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
        (Action::Other, _) => yes,
    }
}

/// Whether a step installs named packages of a distribution, or of a language by name.
fn is_install(step: &Step<'_>) -> bool {
    let Some(list) = step.run().and_then(|run| run.editable()) else { return false };
    let mut installs = false;
    visit(list, &mut |simple| {
        let Some(managed) = call(simple).and_then(|call| call.managed) else { return };
        let named = managed.operands.iter().all(|&at| simple.words[at].literal().is_some());
        let by_name = match managed.manager {
            Manager::Npm => managed.has_option(simple, &["-g", "--global"]),
            Manager::Pip => !managed.has_option(simple, &["-r", "--requirement", "-e", "--editable"]),
            manager => manager.is_system(),
        };
        installs |= managed.verb == Verb::Install && named && by_name && !managed.operands.is_empty();
    });
    installs
}
