//! Copies what the dependency install reads, installs, and then copies the rest of the project.
//!
//! ## Why
//! With the whole project copied first, every changed source file installs all dependencies anew, for
//! minutes, although they are the same. With the manifests copied first, only a change of them does.
//!
//! ## Example
//! With this `requirements.txt` beside the Dockerfile:
//! ```text requirements.txt
//! flask==3.0.3
//! gunicorn==22.0.0
//! ```
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY . .
//! RUN pip install --no-cache-dir -r requirements.txt
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY requirements.txt ./
//! RUN pip install --no-cache-dir -r requirements.txt
//! COPY . .
//! ```
//!
//! ## Safety
//! Safe: the build context was read; the manifests and a lock, or a list in which every version is
//! pinned, are sent to the builder; the command keeps to the lock; nothing in the manifests needs the
//! sources or runs a script that might; and nothing that the install makes is in the context, where the
//! second COPY would overwrite it: `node_modules` and `vendor` must also be left out by the ignore file, as
//! developers have them as a rule.
//!
//! Unsafe: the same without a lock or with versions that are not pinned, as newer ones are no longer
//! looked for when only the sources change; packages whose install scripts are not known; a
//! destination that the COPY itself makes, with the mode of the folder in the context; and where a command
//! has to be added: `go mod download` above `go build`, `poetry install --no-root` above `poetry install`.
//!
//! ## Leaves alone
//! Files without a build context, or with one that was not read to its end; manifests that name paths
//! (`-e .`, `file:`, `link:`, `replace => ../x`, `gemspec`), and projects with scripts that run at the
//! install; files that copy the manifests first already; installs with options that are not known, with
//! words that are decided when the image is built, or behind a command that may read the project; a RUN
//! that can't be split because its commands share more than files; `cargo build`, which compiles
//! dependencies and project in one go.

mod answer;
mod bundler;
mod cargo;
mod composer;
mod dotnet;
mod go;
mod java;
mod layout;
mod node;
mod npm;
mod options;
mod pip;
mod pnpm;
mod project_copy;
mod python;
mod script;
#[cfg(test)]
mod tests;
mod yarn;

use dockeropt_facts::claim::{Assumption, Claim};
use dockeropt_facts::command::base_name;
use dockeropt_facts::effects::{Effects, Reach, is_private, may_name_relative_file, within};
use dockeropt_facts::manifest_first::{ManifestCopy, ManifestFirst};
use dockeropt_facts::naming::names_path;
use dockeropt_facts::{Action, Base, Copy, Project, Step, Value, absolute, clean};
use dockeropt_syntax::Keyword;

use crate::copy_after_install::{Passed, may_pass_copy};
use crate::{Context, Fix, Meta, Proposals, Transform};
use answer::Needs;
use layout::Layout;
use project_copy::ProjectCopy;
use script::{Above, Script};

/// See the documentation of this file.
pub(crate) struct CopyManifestFirst;

static META: Meta = Meta {
    id: "copy-manifest-first",
    summary: "Copy the dependency manifests and install before the rest of the project is copied",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("copy_manifest_first.rs"),
};

impl Transform for CopyManifestFirst {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        for stage in &context.facts.stages {
            for at in stage.steps.clone() {
                let Some(install) = Install::find(*context, at) else { continue };
                match install.fix() {
                    Ok(Some(fix)) => {
                        out.fixes.push(fix);
                        // The next install of the stage is looked at when this one is done.
                        break;
                    }
                    Ok(None) => {}
                    Err(Refusal { reason, place }) => {
                        let span = |step: &Step<'_>| step.instruction.span;
                        match place {
                            Place::Copy => out.decline(&META, span(install.copy_step()), reason),
                            Place::Run => out.decline(&META, span(install.run_step()), reason),
                            Place::Other(other) => {
                                out.decline_for(&META, span(install.copy_step()), other, reason);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why nothing is done, and what is to blame.
struct Refusal<'c> {
    reason: String,
    place: Place<'c>,
}

enum Place<'c> {
    /// The COPY, or the project that it brings.
    Copy,
    /// The RUN.
    Run,
    /// Another step, for whose line the reason has a place.
    Other(&'c Step<'c>),
}

impl From<String> for Refusal<'_> {
    fn from(reason: String) -> Self {
        Self { reason, place: Place::Copy }
    }
}

impl Refusal<'_> {
    fn of_run(reason: String) -> Self {
        Self { reason, place: Place::Run }
    }
}

impl From<&str> for Refusal<'_> {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

/// A RUN that installs dependencies, and the COPY above it that brings the project.
struct Install<'c> {
    context: Context<'c>,
    /// The place of the COPY among the steps of the file.
    copy: usize,
    /// The place of the RUN.
    run: usize,
}

impl<'c> Install<'c> {
    /// The install that the step `run` is, with the nearest COPY above it that may bring the project. None
    /// if the manifests are copied before.
    fn find(context: Context<'c>, run: usize) -> Option<Self> {
        let steps = &context.facts.steps;
        let manifests = script::manifests(context.memo.calls(run))?;
        let mounts = &steps[run].run()?.mounts;
        if mounts.iter().any(|mount| mount.kind == "bind") {
            return None;
        }
        let stage = steps[run].stage?;
        let first = context.facts.stages[stage].steps.start;
        let copies = (first..run).rev().filter_map(|at| match &steps[at].action {
            Action::Copy(copy) if project_copy::may_bring_project(copy) => Some((at, copy)),
            _ => None,
        });
        let folder = steps[run].state.workdir.text();
        let holds_folder = |(_, copy): &(usize, &Copy)| {
            let both = copy.destination.text().zip(folder);
            both.is_none_or(|(destination, folder)| within(folder, destination))
        };
        let (copy, _) = copies.clone().find(holds_folder).or_else(|| copies.clone().next())?;
        let install = Self { context, copy, run };
        (!install.copies_manifests_before(stage, &manifests)).then_some(install)
    }

    /// Whether a step above the RUN, in the stage or those that it starts from, copies the manifests.
    fn copies_manifests_before(&self, stage: usize, manifests: &[&str]) -> bool {
        let (facts, mut stage, mut end) = (self.context.facts, stage, self.run);
        loop {
            let brings = |step: &Step<'_>| matches!(&step.action, Action::Copy(copy) if project_copy::brings_manifests(copy, manifests));
            if facts.steps[facts.stages[stage].steps.start..end].iter().any(brings) {
                return true;
            }
            let Base::Stage(parent) = facts.stages[stage].base else { return false };
            (stage, end) = (parent, facts.stages[parent].steps.end);
        }
    }

    fn copy_step(&self) -> &'c Step<'c> {
        &self.context.facts.steps[self.copy]
    }

    fn run_step(&self) -> &'c Step<'c> {
        &self.context.facts.steps[self.run]
    }

    /// The fix, or why there is none; nothing if the commands don't need the project.
    fn fix(&self) -> Result<Option<Fix>, Refusal<'c>> {
        let Some(project) = self.context.project() else {
            return Err("the build context is not known".into());
        };
        if project.is_partial {
            return Err("the build context was not read to its end".into());
        }
        let Some(copy) = ProjectCopy::of(self.copy_step(), project)? else { return Ok(None) };
        check_destination(&copy.destination)?;
        let mut script =
            Script::new(self.run_step(), project, &copy, self.earlier()).map_err(Refusal::of_run)?;
        let Some(mut above) = script.above().map_err(Refusal::of_run)? else { return Ok(None) };
        self.check_between(&copy, project, &mut above)?;
        self.check_environment(&copy, project)?;
        let needs = &above.needs;
        check_kept(needs, &copy, project)?;
        self.layout(&copy, &above, &script, project).map(Some)
    }

    /// The commands of the stage up to the RUN, as words.
    fn earlier(&self) -> Vec<String> {
        let stage = self.run_step().stage.unwrap_or_default();
        let first = self.context.facts.stages[stage].steps.start;
        let calls = (first..=self.run).flat_map(|at| self.context.memo.calls(at));
        let words = calls.map(|call| {
            let words = call.arguments().map(Option::unwrap_or_default);
            std::iter::once(call.program).chain(words).collect::<Vec<_>>().join(" ")
        });
        words.collect()
    }

    /// The COPY must be able to pass what stands between it and the RUN.
    fn check_between(
        &self,
        copy: &ProjectCopy<'_>,
        project: &Project,
        above: &mut Above,
    ) -> Result<(), Refusal<'c>> {
        let own = copy.copy();
        let effects = Effects { reads: Reach::default(), writes: Reach::path(&copy.destination) };
        let uses_variables = copy.step.instruction.arguments().contains('$');
        let relative = !own.written.raw().starts_with('/');
        for step in &self.context.facts.steps[self.copy + 1..self.run] {
            let reason = match &step.action {
                Action::Workdir(path) if relative && *path != step.state.workdir => {
                    "its destination is relative to the folder that the WORKDIR at line {line} changes".into()
                }
                // The manifests are there, and with them their folder.
                Action::Workdir(_) => continue,
                _ => match may_pass_copy(
                    self.context.facts,
                    step,
                    own,
                    &copy.destination,
                    &effects,
                    uses_variables,
                ) {
                    Passed::Yes => continue,
                    Passed::No(reason) => reason,
                },
            };
            // Installs by name need nothing of the project, but for what pip and npm look for in a folder.
            let script = Script::new(step, project, copy, self.earlier()).ok();
            match script.and_then(|mut script| script.without_project()) {
                Some(commands) => above.others.extend(commands),
                None => return Err(Refusal { reason, place: Place::Other(step) }),
            }
        }
        Ok(())
    }

    /// No setting may point to what the COPY brings.
    fn check_environment(&self, copy: &ProjectCopy<'_>, project: &Project) -> Result<(), Refusal<'c>> {
        let step = self.run_step();
        const OF_MANAGERS: [&str; 10] = [
            "COMPOSER", "POETRY_", "UV_", "PDM_", "PIPENV_", "CARGO_", "GRADLE_", "MAVEN_", "NUGET_", "PNPM_",
        ];
        let of_managers =
            step.state.env.iter().filter(|(name, _)| OF_MANAGERS.iter().any(|start| name.starts_with(start)));
        for (name, value) in of_managers.chain(step.state.env.commonly_read()) {
            let value_is_relative = value.raw().starts_with('.')
                || (value.raw().contains('/')
                    && !value.raw().starts_with('/')
                    && !value.raw().contains("://"));
            let of_manager = OF_MANAGERS.iter().any(|start| name.starts_with(start));
            if (of_manager && value_is_relative)
                || may_name_relative_file(name, value.raw())
                || self.names_project(value, copy, project)
            {
                return Err(format!("{name} names a file of the project").into());
            }
        }
        let stage = step.stage.unwrap_or_default();
        let line = self.context.facts.first_naming(stage, &copy.destination);
        let first = self.context.facts.stages[stage].steps.start;
        if let Some(line) = line.filter(|&line| line < self.copy_step().line()) {
            let other = self.context.facts.steps[first..self.copy].iter().find(|step| step.line() == line);
            let reason = "line {line} names its destination, or brings settings that may".to_owned();
            let other = other.unwrap_or(&self.context.facts.steps[first]);
            return Err(Refusal { reason, place: Place::Other(other) });
        }
        Ok(())
    }

    /// Whether a value names a path that the COPY brings something to. PATH may name `node_modules/.bin`,
    /// which comes with the install.
    fn names_project(&self, value: &Value, copy: &ProjectCopy<'_>, project: &Project) -> bool {
        if !names_path(value, &copy.destination) {
            return false;
        }
        let mut parts = value.raw().split([':', ',', ' ', '=', '|']);
        parts.any(|part| {
            let path = clean(part);
            if within(&copy.destination, &path) && path.len() > 1 {
                return true;
            }
            part.starts_with('/')
                && copy.origin(&path).is_some_and(|origin| answer::is_anything_sent(project, &origin))
        })
    }

    fn layout(
        &self,
        copy: &ProjectCopy<'_>,
        above: &Above,
        script: &Script<'_>,
        project: &Project,
    ) -> Result<Fix, Refusal<'c>> {
        let facts = self.context.facts;
        let needs = &above.needs;
        let mut assumptions: Vec<String> = needs.assumptions.clone();
        if !self.folder_is_there(copy) {
            assumptions.push("the folder of the build context has the usual mode, 755".to_owned());
        }
        // Developers have it, as a rule, and the COPY would bring it where the install has made it.
        let is_everywhere =
            |path: &&String| matches!(base_name(path), "node_modules" | "vendor") && project.is_sent(path);
        if let Some(path) = needs.makes.iter().filter(is_everywhere).min() {
            let reason =
                format!("there is no {path} when the image is built, though no ignore file leaves it out");
            assumptions.push(reason);
        }
        let builds = self.context.settings.builds;
        let layout = Layout { builds, file: facts.file, copy, run: self.run_step(), above, script };
        let edits = layout.edits(self.copy + 1 == self.run)?;
        let copies = if layout.keeps_folders() {
            let (files, folder) = (needs.files.clone(), copy.destination.clone());
            vec![ManifestCopy { files, folder, parents: true }]
        } else {
            let folders = layout::folders(&needs.files).into_iter();
            folders
                .map(|(folder, files)| ManifestCopy { files, folder: copy.place(folder), parents: false })
                .collect()
        };
        let claim = ManifestFirst {
            copies,
            installs: above.installs.clone(),
            others: above.others.clone(),
            added: above.added.clone(),
            forgets: above.forgets.clone(),
            proven: assumptions.is_empty(),
        };
        let mut notes = vec!["a changed source file no longer installs the dependencies anew".to_owned()];
        let unignored = needs.makes.iter().filter(|path| project.is_sent(path));
        if let Some(path) = unignored.min() {
            notes.push(format!(
                "{path} belongs into {}: one that is there when the image is built would overwrite what is \
                 installed",
                project.ignore_file.path
            ));
        }
        let (first, last) = (self.copy_step().instruction.span, self.run_step().instruction.span);
        Ok(Fix {
            transform: META.id,
            title: format!("Copy {} and install before the rest is copied", title(needs)),
            edits,
            span: first.to(last),
            claims: vec![Claim::ManifestFirst(claim)],
            assumptions: assumptions.into_iter().map(Assumption::Other).collect(),
            notes,
            ..Fix::default()
        })
    }

    /// Whether the destination is surely there without the COPY, which would give it the mode that the
    /// folder has in the context.
    fn folder_is_there(&self, copy: &ProjectCopy<'_>) -> bool {
        let facts = self.context.facts;
        let first = self.copy_step().stage.map_or(0, |stage| facts.stages[stage].steps.start);
        facts.steps[first..self.copy].iter().any(|step| match &step.action {
            Action::Workdir(path) => path.text().is_some_and(|path| within(path, &copy.destination)),
            _ => false,
        })
    }
}

/// The first manifest, and how many more.
fn title(needs: &Needs) -> String {
    match &needs.files[..] {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [one, others @ ..] => format!("{one} and {} more", others.len()),
    }
}

/// Installs read and write more of the system than packages of a distribution do.
fn check_destination(destination: &str) -> Result<(), String> {
    let parts: Vec<&str> = destination.split('/').skip(1).collect();
    let depth = match parts[..] {
        ["opt" | "srv" | "mnt" | "media", ..] => 2,
        ["home" | "root", .., last] if !last.starts_with('.') => 3,
        ["usr", "src" | "share", ..] => 3,
        ["var", "www" | "lib" | "task", ..] => 3,
        _ if is_private(destination) => 1,
        _ => usize::MAX,
    };
    if parts.len() < depth || destination == "/" || destination == "/go" {
        return Err(format!("an install may read or write {destination}"));
    }
    Ok(())
}

/// The COPY must not overwrite what the install makes.
fn check_kept(needs: &Needs, copy: &ProjectCopy<'_>, project: &Project) -> Result<(), String> {
    for path in &needs.makes {
        let brought = copy.place_of(path).is_some();
        if brought && answer::is_anything_sent(project, path) {
            return Err(format!("{path} of the build context would overwrite what is installed"));
        }
    }
    Ok(())
}

/// An absolute path that a word names, as seen from a folder.
fn absolute_path(folder: &str, path: &str) -> String {
    let folder = Value::known(folder);
    absolute(&folder, &Value::known(path)).raw().to_owned()
}

/// The keyword of an instruction, in the letter case that another one uses.
fn keyword_like(written: &str, keyword: Keyword) -> String {
    let lower = written.chars().next().is_some_and(|first| first.is_ascii_lowercase());
    if lower { keyword.name().to_ascii_lowercase() } else { keyword.name().to_owned() }
}
