//! Managers with an option that keeps them from writing a cache: pip and apk.

use dockeropt_facts::bases::{base, official};
use dockeropt_facts::claim::Assumption;
use dockeropt_facts::command::{Managed, call};
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::usage::{Use, usages};
use dockeropt_facts::{Base, Step};
use dockeropt_syntax::RunPlan;
use dockeropt_syntax::shell::{JoinerKind, Simple};

use super::{META, Target};
use crate::later_use::{deleted_managers, descendants, named_later};
use crate::{Context, Fix, Proposals};

/// The installs of a RUN by a manager, with what they were read as.
fn installs<'t>(target: &Target<'t>, manager: Manager) -> Vec<(&'t Simple<'t>, &'t Managed)> {
    let installs = |managed: &&Managed| {
        let verb =
            managed.verb == Verb::Install || (manager == Manager::Apk && managed.verb == Verb::Upgrade);
        managed.manager == manager && verb && managed.verb_at.is_some()
    };
    let found =
        target.calls.iter().filter_map(|call| Some((call.simple, call.managed.as_ref().filter(installs)?)));
    found.collect()
}

/// Whether the RUN installs with a manager of this kind.
pub(super) fn uses_any(target: &Target<'_>) -> bool {
    [Manager::Pip, Manager::Apk]
        .iter()
        .any(|&manager| target.called.has(manager) && !installs(target, manager).is_empty())
}

pub(super) fn propose(context: &Context<'_>, target: &Target<'_>, out: &mut Proposals) {
    if target.called.has(Manager::Pip) {
        pip(context, target, out);
    }
    if target.called.has(Manager::Apk) {
        apk(context, target, out);
    }
}

/// Whether the RUN removes what the manager keeps.
fn removes(target: &Target<'_>, manager: Manager) -> bool {
    target.calls.iter().any(|call| match &call.managed {
        Some(managed) => managed.manager == manager && managed.verb == Verb::Clean,
        None => deleted_managers(call, target.text).contains(&manager),
    })
}

fn pip(context: &Context<'_>, target: &Target<'_>, out: &mut Proposals) {
    let no_cache = ["--no-cache-dir", "--no-cache", "--cache-dir"];
    let calls: Vec<_> = installs(target, Manager::Pip)
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
        return out.decline(&META, span, format!("{name} decides where pip keeps its cache"));
    }
    if target.run.mounts.iter().any(|mount| mount.may_hold("~/.cache/pip")) {
        return out.decline(&META, span, "pip's cache is on a mount");
    }
    if is_older_than_option(context, target, &["wheezy", "jessie", "precise", "trusty"])
        && !brings_pip(context, target)
    {
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
    });
}

/// Whether the stage starts from a release that is too old for an option.
fn is_older_than_option(context: &Context<'_>, target: &Target<'_>, releases: &[&str]) -> bool {
    image(context, target)
        .and_then(base)
        .is_some_and(|base| base.releases.iter().any(|release| releases.contains(release)))
}

/// Whether the stage starts from an official image of Python, which has a pip of its own, and not the
/// release's. Its first tags, which were left alone before 2015, have one that is too old.
fn brings_pip(context: &Context<'_>, target: &Target<'_>) -> bool {
    const FIRST: [&str; 5] = ["2.7.7", "2.7.8", "3.3.5", "3.4.0", "3.4.1"];
    let Some((name, tag)) = image(context, target).and_then(official) else { return false };
    let is_first = FIRST.iter().any(|first| tag == *first || tag.starts_with(&format!("{first}-")));
    matches!(name, "python" | "pypy") && !is_first
}

/// The image that a stage starts from, maybe through other stages.
fn image<'c>(context: &Context<'c>, target: &Target<'_>) -> Option<&'c str> {
    let mut stage = target.step.stage?;
    loop {
        match &context.facts.stages[stage].base {
            Base::Stage(parent) => stage = *parent,
            Base::Image { by_default, .. } => return by_default.as_deref(),
            Base::Scratch => return None,
        }
    }
}

fn apk(context: &Context<'_>, target: &Target<'_>, out: &mut Proposals) {
    let calls: Vec<_> = installs(target, Manager::Apk)
        .into_iter()
        .filter(|(simple, managed)| takes_no_cache(simple, managed))
        .collect();
    let cached: Vec<_> =
        calls.iter().filter(|(simple, managed)| !managed.has_option(simple, &["--no-cache"])).collect();
    let index: Vec<_> = usages(target.list, target.text, Manager::Apk);
    let updates = index.iter().any(|usage| usage.kind == Use::Update);
    if (cached.is_empty() && !updates) || calls.is_empty() || removes(target, Manager::Apk) {
        return;
    }
    let span = target.step.instruction.span;
    if target
        .run
        .mounts
        .iter()
        .any(|mount| mount.may_hold("/var/cache/apk") || mount.may_hold("/etc/apk/cache"))
    {
        return out.decline(&META, span, "apk's cache is on a mount");
    }
    if let Some(reason) = old_alpine(context, target) {
        return out.decline(&META, span, reason);
    }
    if cached
        .iter()
        .any(|(simple, managed)| managed.has_option(simple, &["--cache-dir", "--root", "-p", "--no-network"]))
    {
        return out.decline(&META, span, "an option decides where apk keeps its index");
    }
    let leaves_index = cached.iter().any(|(simple, managed)| managed.has_option(simple, &UPDATE));
    let mut assumptions = Vec::new();
    if leaves_index {
        match later_index_use(context, target.at) {
            Err(step) => {
                let reason = "line {line} installs from the index that apk keeps";
                return out.decline_for(&META, span, step, reason);
            }
            Ok(assumed) => assumptions = assumed,
        }
    }
    let mut plan = RunPlan::new(context.facts.file, target.step.instruction, target.list);
    let mut planned = Ok(());
    for (simple, managed) in &cached {
        let Some(verb) = managed.verb_at else { continue };
        let update = managed.option(simple, &UPDATE);
        planned = planned.and_then(|()| match update {
            Some(at) => plan.replace_word(simple.words[at].span, "--no-cache"),
            None => plan.insert_word(simple.words[verb].span, "--no-cache"),
        });
    }
    let update = superfluous_update(context, target);
    if let Some(entry) = update {
        planned = planned.and_then(|()| plan.remove_command(entry));
    }
    if let Err(error) = planned {
        return out.decline(&META, span, error.to_string());
    }
    if updates && update.is_none() {
        return out.decline(&META, span, "the index that `apk update` fetches may be needed later");
    }
    out.fixes.push(Fix {
        transform: META.id,
        title: "Install with apk without keeping its index".to_owned(),
        edits: plan.into_edits(),
        span,
        claims: Vec::new(),
        assumptions,
        notes: vec!["the index of Alpine's packages takes about 2 MB".to_owned()],
    });
}

/// Whether a call of apk is one that can do without an index: `add` or `upgrade`.
fn takes_no_cache(simple: &Simple<'_>, managed: &Managed) -> bool {
    let verb = managed.verb_at.and_then(|at| simple.words[at].literal());
    matches!(verb, Some("add" | "upgrade"))
}

/// The options of apk that fetch the index first.
const UPDATE: [&str; 3] = ["--update", "-U", "--update-cache"];

/// What must hold so that nobody after a step installs from the index that it leaves; the step that
/// does otherwise.
fn later_index_use<'c>(context: &Context<'c>, at: usize) -> Result<Vec<Assumption>, &'c Step<'c>> {
    let facts = context.facts;
    let Some(stage) = facts.steps[at].stage else { return Ok(Vec::new()) };
    let below = std::iter::once_with(|| descendants(context, stage))
        .flatten()
        .flat_map(|child| facts.stages[child].steps.clone());
    let mut assumptions = Vec::new();
    for at in (at + 1..facts.stages[stage].steps.end).chain(below) {
        let step = &facts.steps[at];
        if step.instruction.operation.trigger.is_some() && step.instruction.logical.text.contains("apk") {
            return Err(step);
        }
        for usage in context.memo.apk_usages(at) {
            match &usage.kind {
                Use::Update | Use::Delete if !usage.conditional => return Ok(assumptions),
                Use::Need => return Err(step),
                Use::Unknown(command) => {
                    let assumption =
                        Assumption::LeavesIndex { manager: Manager::Apk, command: command.clone() };
                    if !assumptions.contains(&assumption) {
                        assumptions.push(assumption);
                    }
                }
                Use::Update | Use::Delete | Use::Touch => {}
            }
        }
    }
    Ok(assumptions)
}

/// apk has had --no-cache since Alpine 3.3.
fn old_alpine(context: &Context<'_>, target: &Target<'_>) -> Option<&'static str> {
    let old = ["2.6", "2.7", "3.1", "3.2"];
    is_older_than_option(context, target, &old)
        .then_some("the apk of this old release does not know --no-cache")
}

/// The `apk update` of the RUN that only serves installs which can fetch the index themselves.
fn superfluous_update(context: &Context<'_>, target: &Target<'_>) -> Option<usize> {
    let entries = &target.list.entries;
    let managed = |at: usize| {
        let simple = entries[at].pipeline.simple()?;
        call(simple)?.managed.filter(|managed| managed.manager == Manager::Apk)
    };
    let at =
        (0..entries.len()).find(|&at| managed(at).is_some_and(|managed| managed.verb == Verb::Update))?;
    let plain = entries[at]
        .pipeline
        .simple()
        .is_some_and(|simple| simple.redirections.is_empty() && simple.assignments.is_empty());
    let before_and = at == 0 || entries[at - 1].joiner.is_some_and(|joiner| joiner.kind == JoinerKind::And);
    let after_and = entries[at].joiner.is_some_and(|joiner| joiner.kind == JoinerKind::And);
    let chained =
        entries[at..].iter().all(|entry| entry.joiner.is_none_or(|joiner| joiner.kind == JoinerKind::And));
    if !plain || !before_and || !after_and || !chained || entries.len() < 2 {
        return None;
    }
    // In this RUN all other calls install, and get the option in the same fix.
    let only_adds = target.calls.iter().all(|call| {
        let Some(managed) = call.managed.as_ref().filter(|managed| managed.manager == Manager::Apk) else {
            return true;
        };
        takes_no_cache(call.simple, managed) || matches!(managed.verb, Verb::Update | Verb::Remove)
    });
    let unknown = usages(target.list, target.text, Manager::Apk)
        .iter()
        .any(|usage| matches!(usage.kind, Use::Unknown(_)));
    let later =
        context.memo.may_need_apk_after(target.at) || named_later(context, target.at, Manager::Apk).is_some();
    (only_adds && !unknown && !later).then_some(at)
}
