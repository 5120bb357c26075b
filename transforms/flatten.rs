//! Makes an image of one layer: a last stage `FROM scratch` that copies all, with the whole configuration.
//!
//! ## Why
//! What a later layer replaces or deletes stays in the layers below, and is loaded and stored with them. An
//! image that is copied as a whole holds each file once. It pays for images that overwrite or delete much;
//! otherwise it costs more than it gains, as no layer is shared with another image and each change loads all
//! of it anew. So it only runs if it is named: `--only flatten`, `--enable flatten`, or `enable` in
//! `dockeropt.toml`.
//!
//! ## Example
//! Here with `--unsafe`,
//!
//! ```dockerfile
//! FROM python:3.10-slim
//! WORKDIR /app
//! ENV PATH=/app/bin:$PATH
//! COPY . /app
//! RUN pip install --no-cache-dir -r requirements.txt
//! EXPOSE 8000
//! CMD ["python", "app.py"]
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.10-slim AS build
//! WORKDIR /app
//! ENV PATH=/app/bin:$PATH
//! COPY . /app
//! RUN pip install --no-cache-dir -r requirements.txt
//! EXPOSE 8000
//! CMD ["python", "app.py"]
//!
//! FROM scratch
//! COPY --from=build / /
//! ENV PATH=/app/bin:/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
//! ENV LANG=C.UTF-8
//! EXPOSE 8000
//! WORKDIR /app
//! CMD ["python", "app.py"]
//! ```
//!
//! ## Safety
//! Unsafe: no layer is shared any more, hard links become copies, and variables of the base whose value depends on the day
//! on which it was built (`PYTHON_VERSION`, say) are no longer set; the report names them. Everything else that the
//! base and the stages configure is spelled out: PATH and all other variables, working folder, user, ports,
//! volumes, labels, health check, stop signal, shell, triggers, entry point and command. A stage that callers
//! name stays and keeps its meaning; it is the image of a plain build that changes.
//!
//! ## Leaves alone
//! Bases that are not in `facts/data/base-configurations.tsv`, or that a build argument decides; values that are decided
//! when the image is built; `--platform`; triggers of a stage that another starts from; files that read one of the
//! variables that would be lost; files whose programs get capabilities by `setcap`, which a copy may lose; images that
//! start from nothing, and those that add nothing to their base.

#[cfg(test)]
mod tests;
mod written;

use dockeropt_facts::claim::Claim;
use dockeropt_facts::command::call;
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::{Action, Base, Facts, Step};
use dockeropt_syntax::Edits;

use crate::{Context, Fix, Meta, Proposals, Transform};
use written::instructions;

/// See the documentation of this file.
pub(crate) struct Flatten;

static META: Meta = Meta {
    id: "flatten",
    summary: "Make an image of one layer, with the whole configuration of base and stages spelled out",
    on_by_default: false,
    since: "0.1.0",
    source: include_str!("flatten.rs"),
};

impl Transform for Flatten {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        let facts = context.facts;
        let Some(last) = facts.stages.len().checked_sub(1) else { return };
        let Some(from) = facts.steps_of(last).first() else { return };
        if facts.stages[last].base == Base::Scratch {
            return;
        }
        match fix(context, last, from) {
            Ok(fix) => out.fixes.push(fix),
            Err(reason) => out.decline(&META, from.instruction.span, reason),
        }
    }
}

/// The fix, or why there is none.
fn fix(context: &Context<'_>, last: usize, from: &Step<'_>) -> Result<Fix, String> {
    let facts = context.facts;
    let file = facts.file;
    if file.escape != '\\' {
        return Err("the escape character is not the backslash".to_owned());
    }
    if !chain(facts, last).any(|step| !matches!(step.action, Action::Other)) {
        return Err("it adds no files to its base".to_owned());
    }
    let configuration = facts.image_configuration(last).map_err(|undecided| undecided.to_string())?;
    if let Some((line, name)) = reader(facts, &configuration.unknown) {
        return Err(format!("line {line} names {name}, whose value is not known"));
    }
    if let Some(step) = facts.steps.iter().find(|step| sets_capabilities(step)) {
        return Err(format!("line {} sets capabilities, which a copy may lose", step.line()));
    }
    let lines =
        instructions(&configuration).ok_or("a value of its configuration can't be written on a line")?;
    let stage = &facts.stages[last];
    let name = stage.name.clone().unwrap_or_else(|| free_name(facts));
    let mut edits = Edits::new();
    let newline = file.newline();
    if stage.name.is_none() {
        let words = from.instruction.operation.words(&from.instruction.logical, file.escape);
        let image = words.first().ok_or("its FROM was not understood")?;
        let end = from.instruction.logical.source_span(image.span).end;
        edits.insert(end, format!(" AS {name}")).map_err(|overlap| overlap.to_string())?;
    }
    let ends = file.text.ends_with('\n');
    let mut text = if ends { String::new() } else { newline.to_owned() };
    let head = [String::new(), "FROM scratch".to_owned(), format!("COPY --from={name} / /")];
    text += &head.into_iter().chain(lines).collect::<Vec<_>>().join(newline);
    if ends {
        text += newline;
    }
    edits.insert(file.text.len(), text).map_err(|overlap| overlap.to_string())?;
    let mut notes = vec!["what a later layer replaces or deletes is no longer part of the image".to_owned()];
    let callers = context.project().map_or(&[][..], |project| &project.callers);
    if let Some(caller) = callers.iter().find(|it| stage.name.as_deref() == Some(&it.target.to_lowercase())) {
        notes.push(format!("{} builds {name}, which stays as it is", caller.path));
    }
    Ok(Fix {
        transform: META.id,
        title: "Flatten the image".to_owned(),
        edits,
        span: from.instruction.span,
        claims: vec![Claim::Flattened { unknown: configuration.unknown }],
        notes,
        ..Fix::default()
    })
}

/// The steps of a stage and of those that it starts from.
fn chain<'f>(facts: &'f Facts<'f>, stage: usize) -> impl Iterator<Item = &'f Step<'f>> {
    let parent = |stage: &usize| match facts.stages[*stage].base {
        Base::Stage(parent) => Some(parent),
        _ => None,
    };
    std::iter::successors(Some(stage), parent).flat_map(|stage| facts.steps_of(stage))
}

/// A step that names one of the variables that are not known.
fn reader(facts: &Facts<'_>, unknown: &[String]) -> Option<(usize, String)> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    facts.steps.iter().find_map(|step| {
        let text = &facts.file.text[step.instruction.span.range()];
        let mut names = unknown.iter().filter(|name| !name.starts_with("label:"));
        let name = names.find(|name| {
            text.match_indices(name.as_str())
                .any(|(at, name)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
        })?;
        Some((step.line(), name.clone()))
    })
}

fn sets_capabilities(step: &Step<'_>) -> bool {
    let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { return false };
    let mut found = false;
    visit(list, &mut |simple| found |= call(simple).is_some_and(|call| call.program == "setcap"));
    found
}

/// A name that no stage has.
fn free_name(facts: &Facts<'_>) -> String {
    let is_taken = |name: &str| {
        facts.stages.iter().any(|stage| stage.name.as_deref() == Some(name))
            || facts
                .steps
                .iter()
                .any(|step| matches!(&step.action, Action::Copy(copy) if copy.from.as_deref() == Some(name)))
    };
    let numbered = (2..).map(|number| format!("build{number}"));
    let names = std::iter::once("build".to_owned()).chain(numbered);
    names.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
}
