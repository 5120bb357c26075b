//! Builds in a stage of its own, and takes only what the program needs into the image.
//!
//! ## Why
//! Compilers, headers and the tools of a build are often larger than the program, and nobody calls them
//! when it runs. A stage that builds and a stage that runs keep them apart: the image has the program, the
//! libraries that it is linked to, and nothing else.
//!
//! ## Example
//! ```dockerfile
//! FROM python:3.12-slim-bookworm
//! RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev && rm -rf /var/lib/apt/lists/*
//! WORKDIR /app
//! COPY requirements.txt .
//! RUN pip install --no-cache-dir -r requirements.txt
//! COPY . .
//! CMD ["python", "app.py"]
//! ```
//! becomes
//! ```dockerfile
//! FROM python:3.12-slim-bookworm AS builder
//! RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev && rm -rf /var/lib/apt/lists/*
//! WORKDIR /app
//! COPY requirements.txt .
//! RUN python -m venv /opt/venv
//! ENV PATH="/opt/venv/bin:$PATH"
//! RUN pip install --no-cache-dir -r requirements.txt
//!
//! FROM python:3.12-slim-bookworm
//! RUN apt-get update && apt-get install -y --no-install-recommends libpq5 \
//!     && rm -rf /var/lib/apt/lists/*
//! WORKDIR /app
//! ENV PATH="/opt/venv/bin:$PATH"
//! COPY --from=builder /opt/venv /opt/venv
//! COPY . .
//! CMD ["python", "app.py"]
//! ```
//!
//! ## Languages
//! - Python: the builder fills a virtual environment, in the same image.
//! - Node.js: the builder installs, builds and prunes, in the same image; of a front-end that `serve` or `http-server`
//!   serves, only the folder that is served goes into the image.
//! - Go: the program goes into Debian's slim image of the release that the builder has, or into Alpine, with
//!   the certificates and, where the image has none, the time zones that Go brings.
//! - Rust: the program goes into Debian's slim image with the libraries that the crates in Cargo.lock are linked to.
//! - Java: what Maven or Gradle builds goes into the runtime of Eclipse Temurin of the same version.
//! - .NET: what is published goes into the image of ASP.NET of the same version.
//! - Ruby: the builder installs the gems into /usr/local/bundle, in the same image.
//! - PHP: the builder compiles the extensions, in the same image.
//! - C and C++ on Debian: what is compiled, in the same image.
//!
//! Users and groups that a RUN of their own makes are made in both stages.
//!
//! Files of the project that may be read when the program runs are copied into the image as before; if the build
//! context is known and has nothing but sources, they are not.
//!
//! ## Safety
//! Always unsafe: what a program calls when it runs is not in the Dockerfile. Everything that isn't known to
//! be for building alone stays in the image: of the packages of the distribution only compilers, headers and
//! the like are left behind, of compiled languages also what fetches sources (git, ssh), and for each `-dev` package
//! the library is installed that it is for. Confirm it with `dockeropt verify --unsafe --run ...`.
//!
//! What is copied from the builder depends on the language:
//!
//! | base | the last stage copies |
//! |---|---|
//! | `python:*-slim` | a virtual environment into which pip installs |
//! | `node:*-slim` | the folder of the project, without what only development needs, or the folder that is served |
//! | `ruby:*-slim` | `/usr/local/bundle`, where gems and Bundler's settings lie |
//! | `php` (Debian) | the extensions and the files that load them; the compilers are part of the image, so what is gained are headers |
//! | `debian` | the program that a compiler is told to write, or the folder in which make or CMake builds |
//!
//! ## Leaves alone
//! Files with several stages, or whose stages a compose file or a CI workflow names by number; packages or
//! programs that may be needed when the program runs; commands that can't be put into one of the stages;
//! installs into a place of their own (`--user`, `--target`, `-e`, `BUNDLE_PATH`, `bundle install --deployment`);
//! programs started by cron, supervisord or `su -`, which have a PATH of their own. Packages and scripts of npm that
//! leave files outside of the project. Gems from a repository or a
//! folder, extensions of PHP of which it isn't known what they are made of, `make install`, Makefiles that can't
//! be read or that write elsewhere, and Ubuntu, of which there are no tables. Other compiled languages: steps that do
//! more than to build, programs that are started and not known to be built, scripts that can't be read or call the
//! compiler, crates of which it isn't known what they are linked to.

mod built;
mod c;
mod layout;
mod makefile;
mod node;
mod packages;
mod php;
mod placing;
mod program;
mod python;
mod ruby;
mod served;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_c;
#[cfg(test)]
mod tests_node;
#[cfg(test)]
mod tests_php;
#[cfg(test)]
mod tests_ruby;

use dockeropt_facts::claim::{Assumption, Claim};
use dockeropt_facts::command::{Call, Managed, base_name, call};
use dockeropt_facts::remembered::is_builtin;
use dockeropt_facts::reshape::Split;
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::{Class, Verb};
use dockeropt_facts::{Action, Base, Step, clean};
use dockeropt_syntax::{Keyword, Span};

use crate::refusal::Refusal;
use crate::{Context, Fix, Meta, Proposals, Transform};
use layout::{BUILDER, Plan};
use packages::{OTHER_RELEASE, Sorting};
use placing::Placing;

/// See the documentation of this file.
pub(crate) struct SplitStages;

static META: Meta = Meta {
    id: "split-stages",
    summary: "Build in a stage of its own, and take only what the program needs into the image",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("split_stages.rs"),
};

impl Transform for SplitStages {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn is_never_safe(&self) -> bool {
        true
    }

    fn is_of_whole_file(&self) -> bool {
        true
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        let [stage] = &context.facts.stages[..] else { return };
        let Base::Image { reference, platform: None, .. } = &stage.base else { return };
        let Some((name, tag)) = reference.text().and_then(program::named) else { return };
        let compiled = program::language(name);
        // A full image has the compilers anyway: `slim-base` comes first. Those of PHP are all made of the slim one.
        let is_slim = tag.split('-').any(|part| part == "slim");
        if compiled.is_none() && !is_slim && !matches!(name, "php" | "debian" | "ubuntu") {
            return;
        }
        let subject = Subject { context: *context, steps: context.facts.steps_of(0), base: reference.raw() };
        let callers = context.project().map(|project| &project.callers[..]).unwrap_or_default();
        if let Some(caller) = callers.iter().find(|caller| caller.target == "0") {
            out.decline(
                &META,
                subject.steps[0].instruction.span,
                format!("{} names its stage by number", caller.path),
            );
            return;
        }
        if stage.name.as_deref() == Some(BUILDER) {
            out.decline(&META, subject.steps[0].instruction.span, "its stage is called builder already");
            return;
        }
        if let Some(step) = subject.steps.iter().find(|step| step.takes_from(BUILDER)) {
            out.decline(&META, step.instruction.span, "it takes files from an image called builder");
            return;
        }
        let result = match name {
            _ if let Some(language) = compiled => program::plan(&subject, language, (name, tag)),
            "node" => node::plan(&subject, tag),
            // Python 2 has no virtual environments of its own.
            "python" if !tag.starts_with('2') => python::plan(&subject),
            "ruby" => ruby::plan(&subject),
            "php" if !tag.split('-').any(|part| part.starts_with("alpine")) => php::plan(&subject),
            "debian" | "ubuntu" => c::plan(&subject),
            _ => return,
        };
        match result {
            Ok(None) => {}
            Ok(Some(recipe)) => match recipe.split.carried.iter().find(|path| !is_plain_path(path)) {
                Some(path) => {
                    let reason = format!("{path} is a name in which COPY reads more than a name");
                    out.decline(&META, subject.steps[0].instruction.span, reason);
                }
                None => out.fixes.extend(subject.fix(recipe)),
            },
            Err(refusal) => {
                let place = refusal.step().unwrap_or(&subject.steps[0]).instruction.span;
                refusal.decline(out, &META, place);
            }
        }
    }

    fn pass(&self, context: &Context<'_>, out: &mut Proposals) {
        if let Some(from) = context.facts.stages.last().map(|stage| &context.facts.steps[stage.steps.start]) {
            out.decline(&META, from.instruction.span, reason(context));
        }
    }
}

/// Why nothing is proposed for a file of which the transform has nothing to say.
fn reason(context: &Context<'_>) -> String {
    let [stage] = &context.facts.stages[..] else { return "the file has several stages already".to_owned() };
    let Base::Image { reference, .. } = &stage.base else { return "it starts from nothing".to_owned() };
    let is_compiled =
        |reference| program::named(reference).is_some_and(|(name, _)| program::language(name).is_some());
    let is_bare = |reference| {
        program::named(reference).is_some_and(|(name, _)| matches!(name, "debian" | "ubuntu" | "alpine"))
    };
    let is_full = |reference| {
        context.knowledge.slim_variant(reference).is_some() && !is_compiled(reference) && !is_bare(reference)
    };
    match reference.text().filter(|reference| is_full(reference)) {
        Some(reference) => format!("{reference} has the compilers itself, so slim-base would come first"),
        None => "nothing in it is known to be for building alone".to_owned(),
    }
}

/// The only stage of a file.
struct Subject<'c> {
    context: Context<'c>,
    steps: &'c [Step<'c>],
    /// The image that it starts from.
    base: &'c str,
}

/// How a stage is split.
struct Recipe<'c> {
    plan: Plan<'c>,
    split: Split,
    assumptions: Vec<String>,
    note: String,
    saves: Option<i64>,
}

impl<'c> Subject<'c> {
    /// How the stage is split at `cut`, where its packages decide what the builder is for. `split` has what of the
    /// claim is not the same for all, and `assumption` what is taken for granted beside what is.
    fn recipe(
        &self,
        cut: usize,
        placing: Placing,
        sorting: Sorting,
        split: Split,
        assumption: String,
    ) -> Recipe<'c> {
        let left = sorting.left.join(", ");
        let mut assumptions = vec![format!("the program does not need {left} when it runs"), assumption];
        assumptions.extend(OTHER_RELEASE.map(str::to_owned).filter(|_| !sorting.is_known));
        Recipe {
            plan: Plan::new(self, cut, placing),
            split: Split { builder: BUILDER.to_owned(), packages: sorting.kept, ..split },
            assumptions,
            note: format!("{left} and what comes with them stay out of the image"),
            saves: sorting.saves.filter(|&saves| saves > 0),
        }
    }

    fn fix(&self, recipe: Recipe<'c>) -> Option<Fix> {
        let Recipe { plan, split, assumptions, note, saves } = recipe;
        let edits = plan.edits(self.context.facts).ok()?;
        let split = Split { repeated: plan.repeated, ..split };
        let (first, last) = (&self.steps[0], &self.steps[self.steps.len() - 1]);
        Some(Fix {
            transform: META.id,
            title: "Build in a stage of its own".to_owned(),
            edits,
            span: Span::new(first.instruction.span.start, last.instruction.span.end),
            claims: vec![Claim::Split(split)],
            assumptions: assumptions.into_iter().map(Assumption::Other).collect(),
            notes: vec![note],
            saves,
            ..Fix::default()
        })
    }

    /// Refuses if a step behind the builder runs a script that can't be read: it may call a compiler.
    fn refuse_unread_scripts(&self, cut: usize) -> Result<(), Refusal<'c>> {
        self.refuse_unread_but(cut, &|call| call.program.starts_with("python"))
    }

    /// The same, but for calls of which it is known that they need no compiler.
    fn refuse_unread_but(
        &self,
        cut: usize,
        is_harmless: &dyn Fn(&Call<'_, '_>) -> bool,
    ) -> Result<(), Refusal<'c>> {
        for step in self.steps[cut..].iter().filter(|step| step.run().is_some()) {
            let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else {
                return Err(Refusal::at(step, "the RUN at line {line} is not modelled"));
            };
            let mut unread = None;
            visit(list, &mut |simple| {
                let Some(call) = call(simple) else {
                    return unread = Some("a program named by a variable".to_owned());
                };
                if is_harmless(&call) {
                    return;
                }
                let is_shell = call.class() == Some(Class::Shell);
                let script = call.arguments().flatten().find(|word| !word.starts_with('-'));
                let name = if is_shell { script } else { Some(call.program).filter(|_| call.by_path) };
                let system = |name: &str| {
                    simple.words[call.at].literal().is_some_and(|path| path.ends_with(&format!("bin/{name}")))
                };
                if let Some(name) = name.filter(|name| {
                    !(self.has_script(name) || name.contains(' ') || call.by_path && system(name))
                }) {
                    unread = Some(name.to_owned());
                }
                let installs = |it: &Managed| !it.manager.is_system() && it.verb == Verb::Install;
                let is_unknown =
                    call.class().is_none() && call.managed.is_none() && !is_builtin(call.program);
                if is_unknown
                    || matches!(call.class(), Some(Class::Build | Class::Provision))
                    || call.managed.as_ref().is_some_and(installs)
                {
                    unread = Some(call.program.to_owned());
                }
            });
            if let Some(name) = unread {
                return Err(Refusal::at(
                    step,
                    format!("line {{line}} runs {name}, which may need what builds"),
                ));
            }
        }
        Ok(())
    }

    /// The scripts of the project that the builder sees, with their paths.
    fn scripts(&self) -> impl Iterator<Item = (&'c str, &'c str)> + use<'c> {
        self.context.project().into_iter().flat_map(|project| project.scripts())
    }

    /// What a container starts and how it is asked for its health, and the scripts of the project.
    fn texts_of_start(&self) -> impl Iterator<Item = &'c str> + use<'c> {
        let own = self.steps.iter().filter(|step| is_start(step)).map(|step| step.instruction.arguments());
        own.chain(self.scripts().map(|(_, text)| text))
    }

    fn has_script(&self, path: &str) -> bool {
        self.scripts().any(|(own, _)| base_name(own) == base_name(path))
    }

    /// The first step that names a program below `/usr/local/bin` that the file doesn't copy there itself.
    fn called_by_path(&self) -> Option<(&'c Step<'c>, &'c str)> {
        const FOLDER: &str = "/usr/local/bin/";
        let copied = |name: &str| {
            self.steps.iter().any(|step| match &step.action {
                Action::Copy(copy) => {
                    let into = copy.destination.text().is_some_and(|to| format!("{to}/").starts_with(FOLDER));
                    into && step.instruction.arguments().contains(name)
                }
                _ => false,
            })
        };
        let others = self.steps.iter().filter(|step| !matches!(step.action, Action::Copy(_)));
        others.into_iter().find_map(|step| {
            let text = &step.instruction.logical.text;
            text.match_indices(FOLDER).find_map(|(at, _)| {
                let rest = &text[at + FOLDER.len()..];
                let end =
                    rest.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(rest.len());
                let name = &rest[..end];
                (!copied(name)).then_some((step, name))
            })
        })
    }

    /// The text in which names of programs are looked for: the file, and the scripts of the project.
    fn mentions(&self, word: &'static str) -> bool {
        self.context.memo.mentions(word)
            || self.scripts().any(|(_, text)| dockeropt_facts::recommends::mentions(text, "", word))
    }
}

/// Whether a step has a call of which something holds, however it is written.
fn calls(step: &Step<'_>, is: impl Fn(&Call<'_, '_>) -> bool) -> bool {
    let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { return false };
    let mut found = false;
    visit(list, &mut |simple| found |= call(simple).is_some_and(|call| is(&call)));
    found
}

/// Whether a step says what a container starts, or how it is asked for its health.
fn is_start(step: &Step<'_>) -> bool {
    matches!(step.instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck)
}

/// A path as seen from a folder.
fn absolute(folder: &str, path: &str) -> String {
    if path.starts_with('/') { clean(path) } else { clean(&format!("{folder}/{path}")) }
}

/// Whether a path means nothing else to COPY than itself.
fn is_plain_path(path: &str) -> bool {
    path.chars().all(|character| character.is_alphanumeric() || "/._-+@:,=%".contains(character))
}

fn is_copy(step: &Step<'_>) -> bool {
    matches!(step.action, Action::Copy(_))
}

fn is_variable(step: &Step<'_>) -> bool {
    matches!(step.instruction.keyword(), Keyword::Env | Keyword::Arg | Keyword::Shell)
}
