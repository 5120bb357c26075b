//! Starts from the lighter variant of an image, and installs what the build then misses.
//!
//! ## Why
//! The images of languages come in a full variant, with compilers, headers and version control for whatever
//! a build may need, and in a slim one without. The difference is some 700 MB, of which most programs use
//! nothing.
//!
//! ## Example
//! ```dockerfile
//! FROM python:3.12-bookworm
//! WORKDIR /app
//! COPY . .
//! RUN pip install --no-cache-dir mysqlclient==2.1.1
//! RUN git config --system core.longpaths true
//! CMD ["python", "app.py"]
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.12-slim-bookworm
//! RUN apt-get update && apt-get install -y --no-install-recommends \
//!     default-libmysqlclient-dev \
//!     gcc \
//!     git \
//!     && rm -rf /var/lib/apt/lists/*
//! WORKDIR /app
//! COPY . .
//! RUN pip install --no-cache-dir mysqlclient==2.1.1
//! RUN git config --system core.longpaths true
//! CMD ["python", "app.py"]
//! ```
//!
//! ## Safety
//! Always unsafe: a program may call what it likes when it runs. What the file, the scripts that it copies and
//! its manifests call is looked up in tables of what both variants hold; what the slim one lacks is installed
//! by name. Confirm it with `dockeropt verify --unsafe --run ...`.
//!
//! ## Leaves alone
//! Images without a lighter variant of the same version and release, and Alpine: another C library is not a
//! lighter variant. Files that build with something of which it isn't known what that needs, that install
//! requirements which can't be read or have no row in the tables, and that run scripts which can't be read.

#[cfg(test)]
mod tests;

use dockeropt_facts::base_contents::Contents;
use dockeropt_facts::bases::official;
use dockeropt_facts::claim::{Assumption, Claim};
use dockeropt_facts::command::{Managed, call};
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_facts::{Base, Stage, Step};
use dockeropt_syntax::{Edits, Keyword};

use crate::needs::Needs;
use crate::refusal::Refusal;
use crate::{Context, Fix, Meta, Proposals, Transform, layout};

/// See the documentation of this file.
pub(crate) struct SlimBase;

static META: Meta = Meta {
    id: "slim-base",
    summary: "Start from the lighter variant of an image, and install what the build then misses",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("slim_base.rs"),
};

impl Transform for SlimBase {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn is_never_safe(&self) -> bool {
        true
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        for stage in &context.facts.stages {
            let Base::Image { reference, platform: None, .. } = &stage.base else { continue };
            let Some(reference) = reference.text().filter(|_| stage.in_image) else { continue };
            let from = &context.facts.steps[stage.steps.start];
            match fix(context, stage, from, reference) {
                Ok(fix) => out.fixes.extend(fix),
                Err(refusal) => refusal.decline(out, &META, from.instruction.span),
            }
        }
    }

    fn pass(&self, context: &Context<'_>, out: &mut Proposals) {
        for stage in context.facts.stages.iter().filter(|stage| stage.in_image) {
            let Base::Image { reference, platform, .. } = &stage.base else { continue };
            let reason = match reference.text() {
                Some(_) if platform.is_some() => "the image is for a platform of its own".to_owned(),
                None => PUT_TOGETHER.to_owned(),
                Some(reference) if context.knowledge.slim_variant(reference).is_some() => {
                    format!("what the build misses in the lighter variant of {reference} weighs as much")
                }
                Some(reference) if reference.split([':', '-']).any(|part| part == "slim") => {
                    format!("{reference} is a lighter variant already")
                }
                Some(reference) => format!("no lighter variant of {reference} is known"),
            };
            out.decline(&META, context.facts.steps[stage.steps.start].instruction.span, reason);
        }
    }
}

const PUT_TOGETHER: &str = "the name of the image is put together when it is built";

/// The first two numbers of a tag: `3.10` of `3.10.2-bookworm`.
fn minor_version(tag: &str) -> &str {
    let version = tag.split('-').next().unwrap_or(tag);
    let mut dots = version.match_indices('.').map(|(at, _)| at);
    dots.nth(1).map_or(version, |at| &version[..at])
}

/// The packages that a stage installs by apt and names.
fn installed_by_apt<'c>(context: &Context<'c>, stage: &Stage) -> Vec<&'c str> {
    let mut names = Vec::new();
    for step in &context.facts.steps[stage.steps.clone()] {
        let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { continue };
        visit(list, &mut |simple| {
            let managed = call(simple).and_then(|call| call.managed);
            let installs = |it: &Managed| it.manager == Manager::Apt && it.verb == Verb::Install;
            for at in managed.filter(installs).into_iter().flat_map(|managed| managed.operands) {
                let word = simple.words[at].literal().map(|word| word.split('=').next().unwrap_or(word));
                names.extend(word);
            }
        });
    }
    names
}

/// Programs that are named as an example of what is gone.
const OFTEN_CALLED: [&str; 7] = ["git", "curl", "gcc", "make", "wget", "python3", "unzip"];

fn fix<'c>(
    context: &Context<'c>,
    stage: &Stage,
    from: &'c Step<'c>,
    reference: &str,
) -> Result<Option<Fix>, Refusal<'c>> {
    let knowledge = context.knowledge;
    let Some(slim) = knowledge.slim_variant(reference) else { return Ok(None) };
    let version = official(reference).map_or("", |(_, tag)| minor_version(tag));
    if !slim.in_step {
        return Err(Refusal::new(format!("{reference} and {} may be of different releases", slim.reference)));
    }
    // What the file installs itself may be in the full image already.
    let own = installed_by_apt(context, stage);
    let mut packages: Vec<String> = Vec::new();
    let mut saves = None;
    let mut examples = Vec::new();
    for (number, release) in slim.releases.iter().enumerate() {
        let contents =
            knowledge.contents(reference, release).zip(knowledge.contents(&slim.reference, release));
        let Some((full, light)) = contents else {
            let reason =
                format!("it is not known what {reference} holds where it is made of Debian's {release}");
            return Err(Refusal::new(reason));
        };
        let needed = Needs::of(*context, stage, (&full, &light), version)?;
        if number > 0 && needed != packages {
            let reason =
                format!("what would be missing has another name in each release that {reference} may be");
            return Err(Refusal::new(reason));
        }
        packages = needed;
        let names: Vec<&str> = packages.iter().map(String::as_str).collect();
        let size = |names: &[&str], contents: &Contents<'_>| {
            knowledge.installed_size(names, contents).and_then(|bytes| i64::try_from(bytes).ok())
        };
        let bytes = |contents: &Contents<'_>| i64::try_from(contents.bytes).ok();
        let both: Vec<&str> = names.iter().chain(&own).copied().collect();
        let added = size(&both, &light).zip(size(&own, &full)).map(|(light, full)| light - full);
        let added = added.or_else(|| size(&names, &light));
        let less = added.and_then(|added| Some(bytes(&full)? - bytes(&light)? - added));
        saves =
            if number == 0 { less } else { saves.zip(less).map(|(one, other): (i64, i64)| one.min(other)) };
        let gone = |name: &&str| {
            let left = !own.contains(name) && !packages.iter().any(|package| package == name);
            left && full.program(name).is_some() && light.program(name).is_none()
        };
        examples = OFTEN_CALLED.into_iter().filter(gone).collect();
    }
    if saves.is_some_and(|saves| saves <= 0) {
        return Ok(None);
    }
    let mut edits = Edits::new();
    let words = from.instruction.operation.words(&from.instruction.logical, from.state.escape);
    let Some(word) = words.first() else { return Ok(None) };
    if from.instruction.logical.text[word.span.range()] != *reference {
        return Err(Refusal::new(PUT_TOGETHER));
    }
    let span = from.instruction.logical.source_span(word.span);
    let file = context.facts.file;
    if edits.replace(span, slim.reference.clone()).is_err() {
        return Ok(None);
    }
    if !packages.is_empty() {
        let install = layout::install(&packages, from.state.escape, file.newline());
        // A SHELL decides who reads the RUN.
        let shell = |step: &&Step<'_>| step.instruction.keyword() == Keyword::Shell;
        let steps = &context.facts.steps[stage.steps.clone()];
        let above = steps[1..].iter().take_while(shell).last().unwrap_or(from);
        let text = layout::line_behind(file.text, above, &install, file.newline());
        if edits.insert(above.instruction.span.end, text).is_err() {
            return Ok(None);
        }
    }
    let mut assumption =
        format!("the program calls nothing that {reference} has and {} lacks", slim.reference);
    if !examples.is_empty() {
        assumption += &format!(", such as {}", examples.join(", "));
    }
    Ok(Some(Fix {
        transform: META.id,
        title: format!("Start from {}", slim.reference),
        edits,
        span: from.instruction.span,
        claims: vec![Claim::Rebase { from: reference.to_owned(), to: slim.reference.clone(), packages }],
        assumptions: vec![Assumption::Other(assumption)],
        notes: vec!["the compilers, headers and tools of the full image are not used".to_owned()],
        saves,
        ..Fix::default()
    }))
}
