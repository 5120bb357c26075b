//! Moves tools that only development needs into a `development` stage that starts from `production`.
//!
//! ## Why
//! Test runners, linters and debuggers are no part of what runs, but of every image that has them: they are
//! loaded, stored and attacked with it. In a stage of their own they are there for who develops, and
//! `--target production` makes the image without them. A plain build makes the last stage, which is the same image as
//! before; so nothing is gained without `--target`, and this only runs if it is named: `--only
//! development-stage`, `--enable development-stage`, or `enable` in `dockeropt.toml`.
//!
//! ## Example
//! Here with `--unsafe`, as nothing is known of who builds the file,
//!
//! ```dockerfile
//! FROM python:3.10-slim
//! WORKDIR /app
//! COPY . /app
//! RUN pip install --no-cache-dir -r requirements.txt
//! # What the tests need.
//! RUN pip install --no-cache-dir -r requirements-dev.txt
//! CMD ["python", "app.py"]
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.10-slim AS production
//! WORKDIR /app
//! COPY . /app
//! RUN pip install --no-cache-dir -r requirements.txt
//! CMD ["python", "app.py"]
//!
//! FROM production AS development
//! # What the tests need.
//! RUN pip install --no-cache-dir -r requirements-dev.txt
//! ```
//!
//! ## Safety
//! Safe where the build context shows who names a stage (compose and bake files, CI workflows, scripts): a
//! plain build gives the same image. A stage that has a name keeps it, for all that it was: the stage without the tools gets
//! a new one. Without a build context it is taken for granted that nobody builds the first stage by its
//! number, so the fix is unsafe.
//!
//! ## Leaves alone
//! Files with several stages; tools that are not in `facts/data/development.tsv`; a RUN that does anything else, or
//! that files, users, folders or variables follow; tools that the container starts with, or a script or manifest
//! that it starts; triggers; a stage called `production` already; and stages that a caller names by number.

#[cfg(test)]
mod tests;

use dockeropt_facts::claim::{Assumption, Claim, some_of};
use dockeropt_facts::development::{Part, is_manifest, part, programs};
use dockeropt_facts::shell_state::{has_only_simple_commands, visit};
use dockeropt_facts::{Action, Copy, Project, Run, Step};
use dockeropt_syntax::rewriter::first_attached;
use dockeropt_syntax::{Edits, Instruction, Keyword, Span};

use crate::{Context, Fix, Meta, Proposals, Transform};

/// See the documentation of this file.
pub(crate) struct DevelopmentStage;

static META: Meta = Meta {
    id: "development-stage",
    summary: "Move tools that only development needs into a stage that starts from production",
    on_by_default: false,
    since: "0.1.0",
    source: include_str!("development_stage.rs"),
};

const PRODUCTION: &str = "production";

impl Transform for DevelopmentStage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        let facts = context.facts;
        let tools: Vec<&Step<'_>> = facts.steps.iter().filter(|step| tools_of(step).is_some()).collect();
        let Some(first) = tools.first() else { return };
        if facts.stages.len() != 1 {
            let last = facts.stages.last().and_then(|stage| stage.name.as_deref());
            if !matches!(last, Some("development" | "dev" | "test")) {
                out.decline(&META, first.instruction.span, "the file has several stages");
            }
            return;
        }
        match fix(context) {
            Ok(fix) => out.fixes.push(fix),
            Err(reason) => out.decline(&META, tools[tools.len() - 1].instruction.span, reason),
        }
    }
}

/// The fix for a file of one stage, or why there is none.
fn fix(context: &Context<'_>) -> Result<Fix, String> {
    let facts = context.facts;
    let moved = last_group(facts.steps_of(0))?;
    let names: Vec<String> = moved.iter().filter_map(|step| tools_of(step)).flatten().collect();
    if let Some(reason) = start(context, &moved, &names) {
        return Err(reason);
    }
    let own = facts.stages[0].name.as_deref();
    if own == Some(PRODUCTION) {
        return Err("the stage is called production already, and callers may mean all of it".to_owned());
    }
    let mut assumptions = Vec::new();
    match context.project() {
        Some(project) => {
            if let Some(caller) = project.callers.iter().find(|caller| caller.target == "0") {
                return Err(format!("{} builds the stage by its number", caller.path));
            }
        }
        None => assumptions.push(Assumption::Other("nobody builds the first stage by its number".to_owned())),
    }
    let last = own.unwrap_or("development");
    let edits = edits(context, &moved, last).ok_or("its FROM was not understood")?;
    let what = if names.is_empty() { "the tools".to_owned() } else { some_of(&names) };
    Ok(Fix {
        transform: META.id,
        title: "Move what only development needs into a stage of its own".to_owned(),
        edits,
        span: moved[0].instruction.span.to(moved[moved.len() - 1].instruction.span),
        claims: vec![Claim::Development],
        assumptions,
        notes: vec![format!(
            "a plain build makes the same image, and `--target {PRODUCTION}` one without {what}"
        )],
        ..Fix::default()
    })
}

/// What a RUN installs for development, if it does nothing else.
fn tools_of(step: &Step<'_>) -> Option<Vec<String>> {
    let Action::Run(run) = &step.action else { return None };
    installed(run, &step.instruction.logical.text)
}

fn installed(run: &Run<'_>, text: &str) -> Option<Vec<String>> {
    let list = run.editable()?;
    if !list.entries.iter().all(|entry| has_only_simple_commands(&entry.pipeline)) {
        return None;
    }
    let mut names: Option<Vec<String>> = None;
    let mut all = true;
    visit(list, &mut |simple| match part(simple, text) {
        Some(Part::Installs { packages, manifests }) => {
            names.get_or_insert_default().extend(packages.into_iter().chain(manifests));
        }
        Some(Part::Companion) => {}
        None => all = false,
    });
    names.filter(|_| all)
}

/// The steps at the end of the stage that only development needs, or why they can't be moved.
fn last_group<'f, 's>(steps: &'s [Step<'f>]) -> Result<Vec<&'s Step<'f>>, String> {
    let mut group: Vec<&Step<'_>> = Vec::new();
    let mut behind: Option<&Step<'_>> = None;
    for step in steps.iter().skip(1).rev() {
        let keyword = step.instruction.keyword();
        let is_part = tools_of(step).is_some()
            || matches!(&step.action, Action::Copy(copy) if !group.is_empty() && brings_manifests(copy));
        if is_part {
            if let Some(behind) = behind {
                return Err(format!("line {} follows it, and may depend on it", behind.line()));
            }
            group.push(step);
        } else if keyword == Keyword::Onbuild {
            return Err(format!("line {} is a trigger, which would run in the new stage", step.line()));
        } else if !is_configuration(keyword) {
            if !group.is_empty() {
                break;
            }
            behind = behind.or(Some(step));
        }
    }
    group.reverse();
    if group.is_empty() { Err("it is not at the end".to_owned()) } else { Ok(group) }
}

/// Whether an instruction only says what a container does, and a RUN before or after it doesn't notice.
fn is_configuration(keyword: Keyword) -> bool {
    use Keyword::{Cmd, Entrypoint, Expose, Healthcheck, Label, Maintainer, Stopsignal};
    matches!(keyword, Cmd | Entrypoint | Expose | Healthcheck | Label | Maintainer | Stopsignal)
}

fn brings_manifests(copy: &Copy) -> bool {
    let mut sources = copy.sources.iter();
    copy.from.is_none() && !copy.heredoc && sources.all(|source| source.text().is_some_and(is_manifest))
}

/// Why the container may not start without the tools.
fn start(context: &Context<'_>, moved: &[&Step<'_>], names: &[String]) -> Option<String> {
    let mut tools: Vec<&str> =
        names.iter().map(|name| bare(name)).filter(|name| !is_manifest(name)).collect();
    tools.extend(manifests_of(context.project(), names).flat_map(|text| text.lines().map(bare)));
    tools.extend_from_slice(&programs().collect::<Vec<_>>());
    tools.retain(|name| name.len() > 1);
    let names_tool =
        |text: &str| tools.iter().find(|tool| has_word(text, tool)).map(|tool| (*tool).to_owned());
    let mut started = String::new();
    for step in context.facts.steps_of(0) {
        if !matches!(step.instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck) {
            continue;
        }
        let text = &step.instruction.logical.text;
        if let Some(tool) = names_tool(text) {
            return Some(format!("line {} starts {tool}, which production would not have", step.line()));
        }
        if moved.iter().any(|it| it.item == step.item) {
            return None;
        }
        started += text;
    }
    for (path, text) in context.project().into_iter().flat_map(|project| project.texts()) {
        let own = path.rsplit('/').next().unwrap_or(path);
        let script = started.contains(own).then(|| names_tool(text)).flatten();
        let is_package = own == "package.json" && (started.contains("npm") || started.contains("yarn"));
        let mut lines = text.lines().filter(|line| is_package && line.trim_start().starts_with("\"start"));
        if let Some(tool) = script.or_else(|| lines.find_map(names_tool)) {
            return Some(format!("{path} starts {tool}, which production would not have"));
        }
    }
    None
}

/// The texts of the manifests among some names.
fn manifests_of<'p>(
    project: Option<&'p Project>,
    names: &'p [String],
) -> impl Iterator<Item = &'p str> + use<'p> {
    let manifests = names.iter().filter(|name| is_manifest(name));
    manifests.filter_map(move |name| {
        let end = name.rsplit('/').next().unwrap_or(name);
        project?.texts().find(|(path, _)| path.rsplit('/').next() == Some(end)).map(|(_, text)| text)
    })
}

/// A package without its version, and without a comment.
fn bare(package: &str) -> &str {
    let package = package.trim();
    let end = package.char_indices().skip(1).find(|(_, c)| "=<>~![@:; #".contains(*c));
    let name = end.map_or(package, |(at, _)| &package[..at]);
    if name.starts_with(['#', '-']) { "" } else { name }
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// Names the stage, takes the steps out, and puts them into a new last stage.
fn edits(context: &Context<'_>, moved: &[&Step<'_>], last: &str) -> Option<Edits> {
    let facts = context.facts;
    let file = facts.file;
    let newline = file.newline();
    let mut edits = Edits::new();
    let from = facts.steps_of(0).first()?.instruction;
    edits.replace(name_place(from, file.escape)?, format!(" AS {PRODUCTION}")).ok()?;
    let place = |step: &Step<'_>| {
        let start = file.items[first_attached(file, step.item)].span().start;
        Span::new(start, file.items[step.item].span().end)
    };
    let start = place(moved.first()?).start;
    let mut rest = String::new();
    let mut block = String::new();
    let mut at = start;
    for step in moved {
        let span = place(step);
        rest += &file.text[at..span.start];
        block += &file.text[span.range()];
        at = span.end;
    }
    rest += &file.text[at..];
    let rest = rest.trim_matches(['\r', '\n']);
    let mut tail = rest.to_owned();
    if !rest.is_empty() {
        tail += newline;
    }
    let stands_apart = rest.is_empty() && file.text[..start].ends_with(&newline.repeat(2));
    let gap = if stands_apart { "" } else { newline };
    tail += &format!("{gap}FROM {PRODUCTION} AS {last}{newline}{}", block.trim_end_matches(['\r', '\n']));
    if file.text.ends_with('\n') {
        tail += newline;
    }
    edits.replace(Span::new(start, file.text.len()), tail).ok()?;
    Some(edits)
}

/// Where the name of a stage stands, or would stand.
fn name_place(from: &Instruction<'_>, escape: char) -> Option<Span> {
    let words = from.operation.words(&from.logical, escape);
    let start = from.logical.source_span(words.first()?.span).end;
    let end = words.get(2).map_or(start, |name| from.logical.source_span(name.span).end);
    Some(Span::new(start, end))
}
