//! pip: an option keeps it from writing a cache.

use dockeropt_facts::command::Managed;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_syntax::RunPlan;
use dockeropt_syntax::shell::Simple;

use super::{META, Target, is_older_than_option, removes};
use crate::{Context, Fix, Proposals};

/// An install, with what it was read as.
type Install<'t> = (&'t Simple<'t>, &'t Managed);

/// The installs of a RUN by pip.
fn installs<'t>(target: &Target<'t>) -> Vec<Install<'t>> {
    let install = |managed: &&Managed| {
        managed.manager == Manager::Pip && managed.verb == Verb::Install && managed.verb_at.is_some()
    };
    let found =
        target.calls.iter().filter_map(|call| Some((call.simple, call.managed.as_ref().filter(install)?)));
    found.collect()
}

/// Whether the RUN installs with pip.
pub(super) fn uses_any(target: &Target<'_>) -> bool {
    target.called.has(Manager::Pip) && !installs(target).is_empty()
}

pub(super) fn propose(context: &Context<'_>, target: &Target<'_>, out: &mut Proposals) {
    if !target.called.has(Manager::Pip) {
        return;
    }
    let no_cache = ["--no-cache-dir", "--no-cache", "--cache-dir"];
    let calls: Vec<_> = installs(target)
        .into_iter()
        .filter(|(simple, managed)| simple.words[managed.verb_at.unwrap_or(0)].literal() == Some("install"))
        .filter(|(simple, managed)| !managed.has_option(simple, &no_cache))
        .filter(|(simple, _)| !simple.assignments.iter().any(|it| it.name.starts_with("PIP_")))
        .collect();
    if calls.is_empty() || removes(target, Manager::Pip) {
        return;
    }
    let span = target.step.instruction.span;
    let state = &target.step.state;
    if let Some(name) = ["PIP_NO_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME"]
        .iter()
        .find(|name| state.value(name).is_some_and(|value| !value.raw().contains("ENV ")))
    {
        let reason = match *name {
            "PIP_NO_CACHE_DIR" => "PIP_NO_CACHE_DIR decides whether pip keeps a cache".to_owned(),
            name => format!("{name} decides where pip keeps its cache"),
        };
        return out.decline(&META, span, reason);
    }
    if target.run.mounts.iter().any(|mount| mount.may_hold("~/.cache/pip")) {
        return out.decline(&META, span, "pip's cache is on a mount");
    }
    if calls.iter().any(|(_, managed)| is_older_than_option(context, target, managed)) {
        return out.decline(&META, span, "the pip of this old release does not know --no-cache-dir");
    }
    let mut plan = RunPlan::new(context.facts.file, target.step.instruction, target.list);
    for (simple, managed) in &calls {
        let Some(verb) = managed.verb_at else { continue };
        if let Err(error) = plan.insert_word(simple.words[verb].span, "--no-cache-dir") {
            return out.decline(&META, span, error.to_string());
        }
    }
    out.fixes.push(Fix {
        transform: META.id,
        title: "Install with pip without keeping its cache".to_owned(),
        edits: plan.into_edits(),
        span,
        claims: Vec::new(),
        assumptions: Vec::new(),
        notes: vec!["pip keeps a copy of every package that it downloads or builds".to_owned()],
        ..Fix::default()
    });
}
