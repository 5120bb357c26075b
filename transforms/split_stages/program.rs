//! Programs that are compiled: the builder has the compiler, the image what it made.

mod dotnet;
mod go;
mod java;
mod rust;
mod started;
mod steps;
#[cfg(test)]
mod tests;

use dockeropt_facts::base_contents::Contents;
use dockeropt_facts::bases::official;
use dockeropt_facts::command::Call;
use dockeropt_facts::reshape::Split;
use dockeropt_facts::{Action, Step};
use dockeropt_syntax::Keyword;

use super::layout::{BUILDER, Opening, Plan};
use super::{Recipe, Refusal, Subject};
use crate::needs::Needs;
use started::{Started, reachable_scripts};
use steps::{Build, Place};

/// What is known of a compiled language.
pub(super) struct Language {
    /// The programs that build, none of which the last stage has.
    tools: &'static [&'static str],
    /// What one of them makes.
    made: fn(&Place<'_, '_>, &Call<'_, '_>) -> Result<Made, String>,
    /// Whether a file of a project is only read by those who build.
    is_source: fn(&str) -> bool,
    /// The variables that only its tools read.
    variables: &'static [&'static str],
    /// The folder in which its images start, if it isn't in the tables.
    folder: Option<&'static str>,
    /// The folder in PATH into which programs are installed.
    bin: Option<&'static str>,
    /// Programs that the last stage's base has, too.
    stays: &'static [&'static str],
    /// Tools of development that call the compiler while the container runs.
    watchers: &'static [&'static str],
}

/// What a command makes that may be needed when the program runs.
pub(super) enum Made {
    Nothing,
    /// A file.
    File(String),
    /// Programs in a folder in which there is nothing that wasn't built.
    Programs(String),
    /// A folder with all that is in it.
    Folder(String),
}

/// What the last stage starts from.
struct Last {
    base: String,
    /// The releases that it, and what it is compared with, may be made of.
    release: Option<&'static str>,
    /// What of the builder's image it gets, at the same place.
    carried: Vec<String>,
    /// The packages that it gets in any case.
    packages: Vec<String>,
    /// What is taken for granted.
    assumptions: Vec<String>,
}

/// The name and the tag of an image of which the language is known: an official one, or .NET's.
pub(super) fn named(reference: &str) -> Option<(&str, &str)> {
    let sdk = || {
        let (before, tag) = reference.split_once(dotnet::SDK.0)?;
        before.ends_with("/dotnet").then_some(("dotnet/sdk", tag))
    };
    official(reference).or_else(sdk)
}

/// The language of an image.
pub(super) fn language(image: &str) -> Option<&'static Language> {
    match image {
        "golang" => Some(&go::LANGUAGE),
        "rust" => Some(&rust::LANGUAGE),
        "maven" | "gradle" | "eclipse-temurin" => Some(&java::LANGUAGE),
        "dotnet/sdk" => Some(&dotnet::LANGUAGE),
        _ => None,
    }
}

pub(super) fn plan<'c>(
    subject: &Subject<'c>,
    language: &'static Language,
    (image, tag): (&str, &str),
) -> Result<Option<Recipe<'c>>, Refusal<'c>> {
    let steps = subject.steps;
    let Some(cut) = steps.iter().rposition(|step| steps::calls_tool(step, language)).map(|at| at + 1) else {
        return Ok(None);
    };
    let Some(started) = Started::of(subject, language)? else { return Ok(None) };
    let build = Build::read(subject, language, cut)?;
    let scripts = reachable_scripts(subject, cut, &started);
    started::refuse_tools(subject, language, cut, &started, &scripts)?;
    let mut last = match image {
        "golang" => go::last(subject, tag)?,
        "rust" => rust::last(subject, tag)?,
        "dotnet/sdk" => dotnet::last(subject, tag)?,
        _ => java::last(subject, image, tag)?,
    };
    let needed = started.outputs(&build, &scripts)?;
    let sorting = build.sort_packages(subject, last.release, &|package| {
        started::is_called(subject, package, cut, &scripts)
    })?;
    let mut packages = last.packages.clone();
    packages.extend(sorting.kept.iter().cloned());
    packages.extend(missing(subject, &last, cut, &scripts, tag)?);
    started.refuse_missing(subject, language, &build, &last, &packages, &scripts)?;
    packages.sort();
    packages.dedup();
    if packages.iter().any(|package| package == "ca-certificates") {
        last.carried.retain(|path| !path.ends_with("ca-certificates.crt"));
    }
    let is_apk = build.is_apk || last.base.contains("alpine");
    let mut dropped = Vec::new();
    let (opening, moved) = opening(subject, language, &build, &started, &last, &mut dropped)?;
    let mut opening = with_packages(opening, subject, &packages, is_apk);
    let path = needed.in_path.then_some(language.bin).flatten();
    if let Some(bin) = path {
        let at = place_of_files(&opening, steps);
        opening.insert(at, Opening::New(format!("ENV PATH=\"{bin}:$PATH\"")));
    }
    let workdir = subject.workdir_of_base(language, cut)?;
    if let Some(folder) = &workdir {
        let at = place_of_files(&opening, steps);
        opening.insert(at, Opening::New(format!("WORKDIR {folder}")));
    }
    let at = place_of_files(&opening, steps);
    let copy = |path: &String| Opening::New(format!("COPY --from={BUILDER} {path} {path}"));
    opening.splice(at..at, last.carried.iter().map(copy).collect::<Vec<_>>());
    opening.extend(needed.paths.iter().map(copy));
    let saves = subject.saved(&last, build.packages(), &packages);
    if saves.is_some_and(|saves| saves <= 0) {
        return Ok(None);
    }
    let mut assumptions = last.assumptions;
    let left = left(language, &sorting.left);
    assumptions.push(format!("the program calls nothing that {} has and {} lacks", subject.base, last.base));
    assumptions.push(format!("the program does not need {left} when it runs"));
    let mut carried = last.carried;
    carried.extend(needed.paths);
    Ok(Some(Recipe {
        plan: Plan {
            steps,
            cut,
            inserted: Vec::new(),
            closing: None,
            moved,
            opening,
            base: last.base.clone(),
        },
        split: Split {
            builder: BUILDER.to_owned(),
            base: Some(last.base),
            carried,
            packages,
            commands: Vec::new(),
            path: path.map(str::to_owned),
            dropped,
            workdir,
        },
        assumptions,
        note: format!("{left} stay{} out of the image", if left.contains(", ") { "" } else { "s" }),
        saves,
    }))
}

/// What stays in the builder, in words.
fn left(language: &Language, packages: &[String]) -> String {
    let mut names: Vec<&str> = vec![language.tools[0]];
    for package in packages {
        if !names.contains(&package.as_str()) {
            names.push(package);
        }
    }
    names.join(", ")
}

/// The packages of what the last stage calls and its base lacks.
fn missing<'c>(
    subject: &Subject<'c>,
    last: &Last,
    cut: usize,
    scripts: &[&'c str],
    tag: &str,
) -> Result<Vec<String>, Refusal<'c>> {
    let Some(release) = last.release else { return Ok(Vec::new()) };
    let knowledge = subject.context.knowledge;
    let is_known = knowledge.has_packages(release);
    // What the images of older releases hold is much the same.
    let compared = if is_known { release } else { "bullseye" };
    let light = if is_known { &last.base } else { "debian:bullseye-slim" };
    let contents: Option<(Contents<'_>, Contents<'_>)> =
        knowledge.contents(subject.base, compared).zip(knowledge.contents(light, compared));
    let Some((full, light)) = contents else {
        return Err(Refusal::new(format!("it is not known what {} holds", subject.base)));
    };
    let first = subject.context.facts.stages[0].steps.start;
    let starts = |step: &Step<'_>| {
        matches!(step.instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck)
    };
    let numbers: Vec<usize> = (0..subject.steps.len())
        .filter(|&at| at >= cut || starts(&subject.steps[at]))
        .map(|at| at + first)
        .collect();
    let found = Needs::of_steps(subject.context, &numbers, 0..0, scripts, (&full, &light), tag)?;
    match found.first() {
        Some(package) if !is_known => Err(Refusal::new(format!(
            "{package} is called when the program runs, and {} lacks it",
            last.base
        ))),
        _ => Ok(found),
    }
}

/// The steps of the builder that the last stage begins with, and those of them that leave the builder.
fn opening<'c>(
    subject: &Subject<'c>,
    language: &Language,
    build: &Build<'c>,
    started: &Started<'c>,
    last: &Last,
    dropped: &mut Vec<String>,
) -> Result<(Vec<Opening>, Vec<usize>), Refusal<'c>> {
    let steps = subject.steps;
    let mut opening = Vec::new();
    let mut moved = Vec::new();
    for (at, step) in steps.iter().enumerate().take(build.cut).skip(1) {
        let operation = &step.instruction.operation;
        match (&step.action, step.instruction.keyword()) {
            (Action::Run(_), _) => {}
            (Action::Copy(_), _) if build.is_copied_again(at) => opening.push(Opening::Step(at)),
            (Action::Copy(_), _) => {}
            (Action::Workdir(_), _) if build.is_entered_again(subject, at) => opening.push(Opening::Step(at)),
            (Action::Workdir(_), _) => {}
            (_, Keyword::Env) => {
                let names = operation.name_values(&step.instruction.logical, step.state.escape);
                let only_builds = |name: &str| {
                    language.variables.contains(&name) && !started.mentions(subject, build.cut, name)
                };
                if names.iter().all(|pair| only_builds(&pair.name.text)) {
                    dropped.extend(names.iter().map(|pair| format!("ENV {}", pair.name.text)));
                } else {
                    subject.refuse_variables_of_base(step, last)?;
                    opening.push(Opening::Step(at));
                }
            }
            (_, Keyword::Arg) => {
                let names = operation.declarations(&step.instruction.logical, step.state.escape);
                let is_used = |name: &str| {
                    let later = steps[at + 1..]
                        .iter()
                        .enumerate()
                        .filter(|(number, step)| at + 1 + number >= build.cut || step.run().is_none());
                    later.map(|(_, step)| &step.instruction.logical.text).any(|text| text.contains(name))
                };
                if names.iter().any(|it| is_used(&it.name.text)) {
                    opening.push(Opening::Step(at));
                }
            }
            (_, Keyword::Shell) => opening.push(Opening::Step(at)),
            (_, Keyword::User | Keyword::Volume | Keyword::Onbuild) => {
                return Err(Refusal::at(step, "line {line} stands before the build"));
            }
            _ => {
                moved.push(at);
                opening.push(Opening::Moved(at));
            }
        }
    }
    for step in &steps[build.cut..] {
        subject.refuse_variables_of_base(step, last)?;
    }
    for &at in &moved {
        subject.refuse_variables_of_base(&steps[at], last)?;
    }
    Ok((opening, moved))
}

/// Where the last stage gets its files: behind variables and folders, before the first COPY.
fn place_of_files(opening: &[Opening], steps: &[Step<'_>]) -> usize {
    let is_copy =
        |it: &Opening| matches!(it, Opening::Step(at) if matches!(steps[*at].action, Action::Copy(_)));
    opening.iter().position(is_copy).unwrap_or(opening.len())
}

/// With an install above all that changes more often, behind what it may read.
fn with_packages(
    mut opening: Vec<Opening>,
    subject: &Subject<'_>,
    packages: &[String],
    is_apk: bool,
) -> Vec<Opening> {
    if packages.is_empty() {
        return opening;
    }
    let is_variable =
        |it: &Opening| matches!(it, Opening::Step(at) if super::is_variable(&subject.steps[*at]));
    let at = opening.iter().position(|it| !is_variable(it)).unwrap_or(opening.len());
    let install = match is_apk {
        true => Opening::New(format!("RUN apk add --no-cache {}", packages.join(" "))),
        false => Opening::Packages(packages.to_vec()),
    };
    opening.insert(at, install);
    opening
}

impl<'c> Subject<'c> {
    /// The folder that the base sets, if commands of the last stage still start in it.
    fn workdir_of_base(&self, language: &Language, cut: usize) -> Result<Option<String>, Refusal<'c>> {
        let is_set = |step: &&Step<'_>| matches!(step.action, Action::Workdir(_));
        if self.steps.iter().any(|step| is_set(&step)) {
            let first =
                self.steps.iter().find(is_set).filter(|step| !step.instruction.arguments().starts_with('/'));
            return match first {
                Some(step) => Err(Refusal::at(step, "the folder of line {line} lies in one of the base")),
                None => Ok(None),
            };
        }
        let reads = |step: &&Step<'_>| match &step.action {
            Action::Run(_) => true,
            Action::Copy(copy) => copy.destination.text().is_none(),
            _ => false,
        };
        if let Some(step) = self.steps[cut..].iter().find(reads) {
            return Err(Refusal::at(step, "line {line} works in a folder that only the base knows"));
        }
        if let Some(step) = self.steps.iter().find(|step| step.instruction.keyword() == Keyword::User) {
            return Err(Refusal::at(
                step,
                "the user of line {line} may write to the folder that the base sets",
            ));
        }
        match self.folder_of_base(language) {
            Some(folder) => Ok(Some(folder).filter(|folder| folder != "/")),
            None => Err(Refusal::new(format!("it is not known in which folder {} starts", self.base))),
        }
    }

    /// The folder in which commands start as long as the file sets none.
    fn folder_of_base(&self, language: &Language) -> Option<String> {
        let known = || {
            let is_set = self.steps.iter().any(|step| matches!(step.action, Action::Workdir(_)));
            let configuration = self.context.facts.image_configuration(0).ok().filter(|_| !is_set)?;
            Some(if configuration.workdir.is_empty() { "/".to_owned() } else { configuration.workdir })
        };
        language.folder.map(str::to_owned).or_else(known)
    }

    /// Refuses if a step of the last stage reads a variable that only the builder's base sets.
    fn refuse_variables_of_base(&self, step: &'c Step<'c>, last: &Last) -> Result<(), Refusal<'c>> {
        const OF_BASES: [&str; 9] = [
            "CARGO_HOME",
            "GOLANG_VERSION",
            "GOPATH",
            "GOROOT",
            "GRADLE_HOME",
            "GRADLE_VERSION",
            "MAVEN_HOME",
            "RUSTUP_HOME",
            "RUST_VERSION",
        ];
        let text = &step.instruction.logical.text;
        let is_own = |name: &str| step.state.variable(name).is_some();
        match OF_BASES
            .iter()
            .find(|name| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}")))
        {
            Some(name) if !is_own(name) => Err(Refusal::at(
                step,
                format!("line {{line}} reads {name}, which {} does not set", last.base),
            )),
            _ => Ok(()),
        }
    }

    /// How many bytes the image loses, without what the build fetched.
    fn saved(&self, last: &Last, before: Vec<&str>, after: &[String]) -> Option<i64> {
        let release = last.release?;
        let knowledge = self.context.knowledge;
        let (full, light) =
            (knowledge.contents(self.base, release)?, knowledge.contents(&last.base, release)?);
        let bare = |name: &str| name.split('=').next().unwrap_or(name).to_owned();
        let size = |names: &[String], base: &Contents<'_>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            i64::try_from(knowledge.installed_size(&names, base)?).ok()
        };
        let before: Vec<String> = before.into_iter().map(bare).collect();
        let after: Vec<String> = after.iter().map(|name| bare(name)).collect();
        let bases = i64::try_from(full.bytes).ok()? - i64::try_from(light.bytes).ok()?;
        Some(bases + size(&before, &full)? - size(&after, &light)?)
    }
}
