//! Installs with `--no-install-recommends`, and by name what the file relies on.
//!
//! ## Why
//! Debian and Ubuntu install the packages that a package recommends along with it: documentation,
//! translations, tools for a person at a terminal. They are often a third of what is installed.
//!
//! ## Example
//! ```dockerfile
//! FROM debian:bookworm-slim
//! RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
//! ```
//! becomes
//! ```dockerfile
//! FROM debian:bookworm-slim
//! RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates openssh-client && rm -rf /var/lib/apt/lists/*
//! ```
//!
//! ## Safety
//! Safe: for every release that the image's tag may denote, each recommended package that is left out
//! is on a reviewed list of packages that an image does not miss, or is named. The tables cover Debian
//! 11, 12 and 13.
//!
//! Unsafe: other releases, which are taken to be like Debian 12; packages that are not in the tables; or
//! packages left out that something may need although the file does not show it. They are printed.
//!
//! ## Leaves alone
//! Installs with `-t`, packages that are not literal, files (`./x.deb`), packages that recommend dozens
//! of others (`libreoffice`) or none, packages that rely on one of which the name in the release is not
//! known, images that set `APT::Install-Recommends`, and stages of which no layer ends up in the image.

use std::borrow::Cow;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

use dockeropt_facts::bases::Image;
use dockeropt_facts::claim::{Assumption, Claim};
use dockeropt_facts::command::{Call, Managed};
use dockeropt_facts::recommends::{
    Asked, Present, Recommends, exists, exists_beside, is_covered, is_portable, without_recommends,
};
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Base, Step};
use dockeropt_syntax::shell::{Entry, JoinerKind, Simple};
use dockeropt_syntax::{LogicalSpan, RunPlan};

use crate::{Context, Fix, Meta, Proposals, Transform};

/// See the documentation of this file.
pub(crate) struct NoRecommends;

static META: Meta = Meta {
    id: "no-recommends",
    summary: "Install with --no-install-recommends, and by name what the file relies on",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("no_recommends.rs"),
};

impl Transform for NoRecommends {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        let text = context.facts.file.text;
        if !text.contains("install") || text.contains("APT::Install-Recommends") {
            return;
        }
        let removes = removes_packages(context);
        for stage in 0..context.facts.stages.len() {
            let mut present = Present::default();
            for at in context.facts.stages[stage].steps.clone() {
                let step = &context.facts.steps[at];
                let list = step.run().and_then(|run| run.editable());
                let Some(list) = list.filter(|_| context.memo.called(at).has(Manager::Apt)) else { continue };
                let in_background = |entry: &Entry<'_>| {
                    entry.joiner.is_some_and(|joiner| joiner.kind == JoinerKind::Background)
                };
                if list.entries.iter().any(in_background) {
                    out.decline(&META, step.instruction.span, "the script starts a background job");
                    continue;
                }
                let mut plans = Vec::new();
                for call in context.memo.calls(at) {
                    let simple = call.simple;
                    let Some(managed) = install(call) else { continue };
                    let lasts = !removes && is_sure(context, at, (simple, managed));
                    if context.facts.stages[stage].in_image {
                        let plan = look(context, stage, step, (simple, managed), &present, out);
                        let named = plan.iter().flat_map(|plan| &plan.named).filter(|_| lasts);
                        named.for_each(|name| present.add(name));
                        plans.extend(plan.map(|plan| ((simple, managed), plan)));
                    } else if !has_flag(simple, managed) {
                        out.decline(
                            &META,
                            step.instruction.span,
                            "the layers of this stage don't end up in the image",
                        );
                    }
                    let packages = literal_packages(simple, managed).into_iter().flatten();
                    packages.filter(|_| lasts).for_each(|package| present.add(package));
                }
                propose_all(context, step, plans, out);
            }
        }
    }
}

/// How an install gets along without recommended packages.
struct Plan {
    /// The packages to name.
    named: BTreeSet<String>,
    /// Those that are left out although something may need them.
    dropped: BTreeSet<String>,
    assumptions: Vec<Assumption>,
    /// Whether anything of weight is left out.
    saves: bool,
}

/// A call of apt that installs packages.
fn install<'s>(call: &'s Call<'_, '_>) -> Option<&'s Managed> {
    let managed = call.managed.as_ref()?;
    let verb = managed.verb_at.and_then(|at| call.simple.words[at].literal());
    // aptitude has another option for it.
    let is_install = managed.manager == Manager::Apt && managed.verb == Verb::Install;
    (is_install && verb == Some("install") && call.program != "aptitude").then_some(managed)
}

/// Whether the file removes packages: then what it installed before may be gone.
fn removes_packages(context: &Context<'_>) -> bool {
    (0..context.facts.steps.len()).any(|at| {
        context.memo.calls(at).iter().any(|call| match &call.managed {
            Some(managed) => {
                managed.manager == Manager::Apt
                    && (managed.verb == Verb::Remove
                        || managed.has_option(call.simple, &["--auto-remove", "--autoremove", "--purge"]))
            }
            None => call.program == "dpkg",
        })
    })
}

/// Whether an install is run for certain, and installs.
fn is_sure(context: &Context<'_>, at: usize, (simple, managed): (&Simple<'_>, &Managed)) -> bool {
    const ONLY_SHOWS: [&str; 9] = [
        "-d",
        "--download-only",
        "-s",
        "--simulate",
        "--just-print",
        "--dry-run",
        "--recon",
        "--no-act",
        "--print-uris",
    ];
    !managed.has_option(simple, &ONLY_SHOWS)
        && context
            .memo
            .usages(Manager::Apt, at)
            .iter()
            .any(|usage| usage.span == simple.span && !usage.conditional)
}

/// Whether the file may set up the repositories of a release that its base does not denote.
fn names_other_release(context: &Context<'_>, releases: &[&str]) -> bool {
    const RELEASES: [&str; 12] = [
        "jessie",
        "stretch",
        "buster",
        "bullseye",
        "bookworm",
        "trixie",
        "forky",
        "duke",
        "sid",
        "unstable",
        "testing",
        "experimental",
    ];
    let sources = ["/etc/apt/sources", "debian.sources", "/etc/apt/preferences"];
    sources.iter().any(|sources| context.memo.contains(sources))
        && RELEASES.iter().any(|release| !releases.contains(release) && context.memo.mentions(release))
}

fn has_flag(simple: &Simple<'_>, managed: &Managed) -> bool {
    managed.has_option(
        simple,
        &["--no-install-recommends", "--install-recommends", "--without-recommends", "-R"],
    )
}

/// The names of the packages, without pinned versions; `None` if one is not literal or not a name.
fn literal_packages<'s>(simple: &'s Simple<'_>, managed: &Managed) -> Option<Vec<&'s str>> {
    let name = |at: &usize| {
        let word = simple.words[*at].literal()?;
        let word = word.split_once('=').map_or(word, |(name, _)| name);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
        (word.chars().all(plain) && !word.starts_with('.')).then_some(word)
    };
    managed.operands.iter().map(name).collect()
}

/// What the stage starts from, with its name.
fn image<'c>(
    context: &Context<'c>,
    mut stage: usize,
) -> Option<(&'c str, bool, Option<Cow<'static, Image>>)> {
    loop {
        match &context.facts.stages[stage].base {
            Base::Stage(parent) => stage = *parent,
            Base::Image { reference, by_default, .. } => {
                let name = by_default.as_deref()?;
                // A build argument may choose another image.
                return Some((name, reference.text().is_some(), context.knowledge.base(name)));
            }
            Base::Scratch => return None,
        }
    }
}

/// How to leave out what is recommended, if that can be done.
fn look(
    context: &Context<'_>,
    stage: usize,
    step: &Step<'_>,
    (simple, managed): (&Simple<'_>, &Managed),
    present: &Present,
    out: &mut Proposals,
) -> Option<Plan> {
    let span = step.instruction.span;
    if has_flag(simple, managed) || managed.operands.is_empty() {
        return None;
    }
    if managed.has_option(simple, &["-t", "--target-release", "--default-release"]) {
        out.decline(&META, span, "the packages come from a release that an option names");
        return None;
    }
    let Some(packages) = literal_packages(simple, managed) else {
        out.decline(&META, span, "the packages are not all named literally");
        return None;
    };
    let (name, fixed, image) = match image(context, stage) {
        Some((name, fixed, image)) => (name, fixed, image),
        None => ("an image that a build argument names", false, None),
    };
    let mentions = |word: &'static str| context.memo.mentions(word);
    let releases = image.as_deref().map_or(&[][..], |image| &image.releases);
    let known = fixed
        && image.as_deref().is_some_and(|image| image.all_releases_known)
        && releases.iter().all(|release| is_covered(release))
        && !names_other_release(context, releases);
    let tables: Vec<&str> = if known { releases.to_vec() } else { vec!["bookworm"] };
    let asked = if known { Asked::Own } else { Asked::Other };
    let mut all = Recommends { loses_nothing: true, ..Recommends::default() };
    for release in &tables {
        let Some(one) = without_recommends(&packages, present, (release, asked), &mentions) else { continue };
        all.loses_nothing &= one.loses_nothing;
        all.named.extend(one.named);
        all.dropped.extend(one.dropped);
        all.unknown.extend(one.unknown);
        all.too_many = all.too_many.or(one.too_many);
    }
    if let Some(package) = &all.too_many {
        out.decline(&META, span, format!("{package} recommends too much of what it needs"));
        return None;
    }
    // What is added must exist wherever the file is built.
    let nameable = |package: &&String| {
        is_portable(package)
            || (known && tables.iter().all(|release| exists(package, release)))
            || (!known && exists_beside(package, &packages))
    };
    if let Some(package) = all.named.iter().find(|package| !nameable(package)) {
        let reason = format!("it relies on `{package}`, which may have another name in a release");
        out.decline(&META, span, reason);
        return None;
    }
    let named = std::mem::take(&mut all.named);
    let mut assumptions = Vec::new();
    if !known {
        let release =
            if releases.is_empty() { name.to_owned() } else { format!("{name} ({})", releases.join(", ")) };
        assumptions.push(Assumption::Other(format!(
            "what packages recommend in {release} is as in Debian 12, and nothing needs what is left out"
        )));
    }
    if !all.unknown.is_empty() {
        let unknown: Vec<&str> = all.unknown.iter().map(String::as_str).collect();
        assumptions.push(Assumption::Other(format!("nothing needs what {} recommends", unknown.join(", "))));
    }
    if !all.dropped.is_empty() {
        let dropped: Vec<&str> = all.dropped.iter().map(String::as_str).collect();
        assumptions.push(Assumption::Other(format!("nothing needs {}", dropped.join(", "))));
    }
    if let Some(script) = context.memo.unread_script() {
        assumptions
            .push(Assumption::Other(format!("`{script}` does not need packages that are only recommended")));
    }
    if !named.is_empty()
        && ["autoremove", "auto-remove", "apt-mark"].iter().any(|word| context.memo.contains(word))
    {
        assumptions.push(Assumption::Other(
            "packages that are named may stay when apt removes what nobody needs".to_owned(),
        ));
    }
    let saves = !all.loses_nothing || !all.unknown.is_empty();
    Some(Plan { named, dropped: all.dropped, assumptions, saves })
}

/// Proposes what was planned for the installs of a RUN: where one of them gets the option, all do, so that
/// they can become one.
fn propose_all(
    context: &Context<'_>,
    step: &Step<'_>,
    plans: Vec<((&Simple<'_>, &Managed), Plan)>,
    out: &mut Proposals,
) {
    let first = plans.iter().find(|(_, plan)| plan.saves).map(|(_, plan)| plan.assumptions.clone());
    for (call, mut plan) in plans {
        match &first {
            Some(assumptions) if !plan.saves => plan.assumptions.clone_from(assumptions),
            Some(_) => {}
            None => {
                let reason = "the packages recommend nothing of weight";
                out.decline(&META, step.instruction.span, reason);
                continue;
            }
        }
        propose(context, step, call, plan, out);
    }
}

fn propose(
    context: &Context<'_>,
    step: &Step<'_>,
    (simple, managed): (&Simple<'_>, &Managed),
    Plan { named, dropped, assumptions, .. }: Plan,
    out: &mut Proposals,
) {
    let Some(list) = step.run().and_then(|run| run.editable()) else { return };
    let span = step.instruction.span;
    let mut plan = RunPlan::new(context.facts.file, step.instruction, list);
    let named: Vec<String> = named.into_iter().collect();
    let operands: Vec<LogicalSpan> = managed.operands.iter().map(|&at| simple.words[at].span).collect();
    let planned = plan
        .insert_word(option_place(step, simple, managed), "--no-install-recommends")
        .and_then(|()| plan.extend_words(&operands, &named));
    if let Err(error) = planned {
        return out.decline(&META, span, error.to_string());
    }
    let title = match &named[..] {
        [] => "Install without recommended packages".to_owned(),
        named => format!("Install without recommended packages, adding {}", named.join(", ")),
    };
    out.fixes.push(Fix {
        transform: META.id,
        title,
        edits: plan.into_edits(),
        // The command, which may have come into this RUN from another.
        span: step.instruction.logical.source_span(simple.span),
        claims: vec![Claim::WithoutRecommends {
            inert: assumptions.is_empty(),
            dropped: dropped.into_iter().collect(),
            named,
        }],
        notes: if assumptions.is_empty() {
            vec![
                "all that is left out is on the reviewed list of packages that images do not miss".to_owned(),
            ]
        } else {
            Vec::new()
        },
        assumptions,
        ..Fix::default()
    });
}

/// The word behind which the option goes: the last option that directly follows `install`, or `install`.
fn option_place(step: &Step<'_>, simple: &Simple<'_>, managed: &Managed) -> LogicalSpan {
    let verb = managed.verb_at.unwrap_or_default();
    let mut last = verb;
    while let Some(&(at, value)) = managed.options.iter().find(|&&(at, _)| at == last + 1) {
        let next = value.unwrap_or(at);
        let words = simple.words[verb].span.to(simple.words[next].span);
        if !step.instruction.logical.on_one_line(words) {
            break;
        }
        last = next;
    }
    simple.words[last].span
}
