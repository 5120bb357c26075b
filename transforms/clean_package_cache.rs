//! Removes what package managers keep for later, in the layer that would hold it.
//!
//! ## Why
//! Package lists and download caches serve the next install, and an image that is built anew fetches
//! them anew. In the layer that made them they cost nothing to remove; a later RUN can't take them out
//! of the image.
//!
//! ## Example
//! ```dockerfile
//! FROM python:3.12-slim
//! RUN apt-get update && apt-get install -y gcc
//! RUN pip install flask
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.12-slim
//! RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
//! RUN pip install --no-cache-dir flask
//! ```
//!
//! ## Safety
//! Safe: an option that keeps the manager from writing its cache (pip, apk), and a cleanup behind the
//! last use of the manager in a RUN (apt, yum, dnf, microdnf, zypper, pacman, npm, yarn 1, gem,
//! composer, conda). For apt and apk, nothing after it may need the package lists without its own
//! update: not in this stage, not in a stage that starts from it, not in an ONBUILD, and not in what a
//! container starts. An `apk update` that only serves installs goes, and they fetch the index.
//!
//! Unsafe: a later step, or for apk a later command of the RUN, is a script of which the file does not
//! show whether it installs packages; a project that may use Yarn 2 or newer, where `yarn cache clean`
//! deletes what the program loads.
//!
//! ## Leaves alone
//! Stages of which no layer ends up in the image, caches on a mount, caches that the RUN removes
//! already or that a variable moves, exec form and heredocs, and scripts that end with a background job
//! or `exit`. Releases that may be older than an option; installs of apk from an index that an earlier
//! step leaves in the image anyway, or that a change of the repositories follows.

mod apk;
mod by_command;
mod gem;
mod pip;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use dockeropt_facts::command::{Call, Managed};
use dockeropt_facts::remembered::stale_program;
use dockeropt_facts::shell_state::{asks_for_last_command, is_plain};
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Body, Step};
use dockeropt_syntax::LogicalSpan;
use dockeropt_syntax::shell::{Pipeline, parse};

use crate::later_use::deleted_managers;
use crate::memo::Called;
use crate::{Context, Meta, Proposals, Transform};

/// See the documentation of this file.
pub(crate) struct CleanPackageCache;

pub(crate) static META: Meta = Meta {
    id: "clean-package-cache",
    summary: "Remove package lists and caches in the layer that would hold them",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("clean_package_cache.rs"),
};

impl Transform for CleanPackageCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        let mut served_by_apk = BTreeSet::new();
        for (at, step) in context.facts.steps.iter().enumerate() {
            let Some((run, stage)) = step.run().zip(step.stage) else { continue };
            let list = match &run.body {
                Body::Script(list) => list,
                body => {
                    decline_unreadable(step, body, out);
                    continue;
                }
            };
            let called = context.memo.called(at);
            if called.is_empty() {
                continue;
            }
            let calls = context.memo.calls(at);
            let target = Target { at, calls, called, step, run, list, text: &step.instruction.logical.text };
            if !context.facts.stages[stage].in_image {
                if by_command::uses_any(&target) || apk::uses_any(&target) || pip::uses_any(&target) {
                    out.decline(
                        &META,
                        step.instruction.span,
                        "the layers of this stage don't end up in the image",
                    );
                }
                continue;
            }
            apk::propose(context, &target, &mut served_by_apk, out);
            pip::propose(context, &target, out);
            by_command::propose(context, &target, out);
            gem::propose(context, &target, out);
        }
    }
}

/// A RUN to look at.
pub(crate) struct Target<'a> {
    /// Its place among the steps of the file.
    pub(crate) at: usize,
    /// What it calls.
    pub(crate) calls: &'a [Call<'a, 'a>],
    /// The managers that it calls.
    pub(crate) called: Called,
    pub(crate) step: &'a Step<'a>,
    pub(crate) run: &'a dockeropt_facts::Run<'a>,
    pub(crate) list: &'a dockeropt_syntax::shell::List<'a>,
    pub(crate) text: &'a str,
}

/// Whether the RUN removes what the manager keeps.
fn removes(target: &Target<'_>, manager: Manager) -> bool {
    target.calls.iter().any(|call| match &call.managed {
        Some(managed) => managed.manager == manager && managed.verb == Verb::Clean,
        None => deleted_managers(call, target.text).contains(&manager),
    })
}

/// Whether the stage may start from a release of which the manager does not know its option.
fn is_older_than_option(context: &Context<'_>, target: &Target<'_>, managed: &Managed) -> bool {
    target.step.stage.is_some_and(|stage| context.facts.bottom_of(stage).may_lack_option(managed.grammar))
}

/// Whether the shell stops at errors, other than inside of `&&` lists, and the RUN has a control structure
/// or the like for which it matters what stands beside it.
fn stops_at_errors(target: &Target<'_>) -> bool {
    target.step.state.shell.errexit() && !target.list.entries.iter().all(is_plain)
}

/// Why a command of the RUN must neither come nor go: from there on, the shell remembers where it found
/// its program, and its last word. `after` is the place of the first entry that runs after it.
fn teaches_shell(target: &Target<'_>, command: &Pipeline<'_>, after: usize) -> Option<String> {
    let next = target.list.entries.get(after).map(|entry| &target.text[entry.pipeline.span.range()]);
    if next.is_some_and(asks_for_last_command) {
        return Some("the next command asks for the last word of the one before it".to_owned());
    }
    let later: Vec<_> = target.list.entries[after..].iter().map(|entry| &entry.pipeline).collect();
    stale_program(&[command], &later)
        .map(|program| format!("a later command calls `{program}`, which may have moved by then"))
}

/// Like [`teaches_shell`], for commands that are not in the RUN yet.
fn text_teaches_shell(target: &Target<'_>, command: &str, after: usize) -> Option<String> {
    let list = parse(command, LogicalSpan::new(0, command.len())).ok()?;
    list.entries.iter().find_map(|entry| teaches_shell(target, &entry.pipeline, after))
}

fn decline_unreadable(step: &Step<'_>, body: &Body<'_>, out: &mut Proposals) {
    let arguments = step.instruction.arguments();
    let managers = ["apt-get", "apt ", "apk ", "yum ", "dnf ", "pip ", "pip3 ", "npm ", "conda ", "zypper "];
    let body_mentions = match body {
        Body::Heredoc { text, .. } => managers.iter().any(|manager| text.contains(manager)),
        _ => false,
    };
    if !body_mentions && !managers.iter().any(|manager| arguments.contains(manager.trim_end())) {
        return;
    }
    let reason = match body {
        Body::Heredoc { .. } | Body::Foreign(_) => {
            "the commands are in a heredoc or for another shell".to_owned()
        }
        Body::Exec(_) => "the RUN has the exec form".to_owned(),
        Body::Opaque(opaque) => format!("the script was not understood: {}", opaque.reason),
        Body::Script(_) => return,
    };
    out.decline(&META, step.instruction.span, reason);
}
