//! Programs that are compiled: the builder has the compiler, the image what it made.

mod dotnet;
mod go;
mod java;
mod rust;
pub(super) mod started;
mod steps;
#[cfg(test)]
mod tests;

use dockeropt_facts::base_contents::Contents;
use dockeropt_facts::bases::official;
use dockeropt_facts::command::Call;
use dockeropt_facts::reshape::Split;
use dockeropt_facts::{Action, Knowledge, Step};
use dockeropt_syntax::Keyword;

use super::layout::{BUILDER, Opening, Plan};
use super::placing::{Place, Placing, accounts};
use super::{Recipe, Refusal, Subject, is_start};
use crate::needs::Needs;
use started::{Started, reachable_scripts};
use steps::{Build, Site};

/// Finds what the last stage starts from, given the builder's image and its tag, and the last step that builds.
type FindLast = for<'c> fn(&Subject<'c>, (&str, &str), &'c Step<'c>) -> Result<Last, Refusal<'c>>;

/// What is known of a compiled language.
pub(super) struct Language {
    /// The programs that build, none of which the last stage has.
    tools: &'static [&'static str],
    /// What the last stage starts from.
    last: FindLast,
    /// What one of them makes.
    made: fn(&Site<'_, '_>, &Call<'_, '_>) -> Result<Made, String>,
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
#[derive(Default)]
struct Last {
    base: String,
    /// The release of Debian that it is made of; `None` if it is made of something else.
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
    let started = Started::of(subject, language)?;
    let build = Build::read(subject, language, cut)?;
    let scripts = reachable_scripts(subject, cut, &started);
    started::refuse_tools(subject, language, cut, &started, &scripts)?;
    let mut last = (language.last)(subject, (image, tag), &steps[cut - 1])?;
    let needed = started.outputs(subject, &build, &scripts)?;
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
    let (mut placing, dropped) = placed(subject, language, &build, &started, &last)?;
    if !packages.is_empty() {
        let is_apk = build.is_apk || last.base.contains("alpine");
        let install = match is_apk {
            true => Opening::New(format!("RUN apk add --no-cache {}", packages.join(" "))),
            false => Opening::Packages(packages.clone()),
        };
        placing.behind_variables(steps, install);
    }
    let path = needed.in_path.then_some(language.bin).flatten();
    let workdir = subject.workdir_of_base(language, cut)?;
    placing.above_copies(steps, path.map(|bin| Opening::New(format!("ENV PATH=\"{bin}:$PATH\""))));
    placing.above_copies(steps, workdir.as_ref().map(|folder| Opening::New(format!("WORKDIR {folder}"))));
    placing.above_copies(steps, last.carried.iter().map(|path| Opening::carry(path)));
    placing.opening.extend(needed.paths.iter().map(|path| Opening::carry(path)));
    let saves = subject.saved(&last, build.packages(), &packages);
    if saves.is_some_and(|saves| saves <= 0) {
        return Ok(None);
    }
    let mut assumptions = last.assumptions;
    let left = left(language, image, &sorting.left);
    assumptions.push(format!("the program calls nothing that {} has and {} lacks", subject.base, last.base));
    assumptions.push(format!("the program does not need {left} when it runs"));
    let mut carried = last.carried;
    carried.extend(needed.paths);
    Ok(Some(Recipe {
        plan: Plan { base: last.base.clone(), ..Plan::new(subject, cut, placing) },
        split: Split {
            builder: BUILDER.to_owned(),
            base: Some(last.base),
            carried,
            packages,
            path: path.map(str::to_owned),
            dropped,
            workdir,
            ..Split::default()
        },
        assumptions,
        note: format!("{left} stay{} out of the image", if left.contains(", ") { "" } else { "s" }),
        saves,
    }))
}

/// Whether a RUN makes users and groups in a way that the image of the last stage knows, too: Debian's slim images need
/// not have `adduser`, Alpine has nothing else.
fn makes_users(step: &Step<'_>, base: &str) -> bool {
    let names = if base.starts_with("alpine") { ["adduser", "addgroup"] } else { ["useradd", "groupadd"] };
    let is_known = |command: &String| names.iter().any(|name| command.split(' ').next() == Some(name));
    accounts(step).is_some_and(|commands| commands.iter().all(is_known))
}

/// What stays in the builder, in words.
fn left(language: &Language, image: &str, packages: &[String]) -> String {
    let mut names: Vec<&str> = vec![match image {
        "gradle" => "gradle",
        "eclipse-temurin" => "javac",
        _ => language.tools[0],
    }];
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
    let knowledge = subject.context.knowledge;
    let Some((base, release)) = last.compared(knowledge) else { return Ok(Vec::new()) };
    let contents = knowledge.contents(subject.base, release).zip(knowledge.contents(base, release));
    let Some((full, light)) = contents else {
        return Err(Refusal::new(format!("it is not known what {} holds", subject.base)));
    };
    let first = subject.context.facts.stages[0].steps.start;
    let numbers: Vec<usize> = (0..subject.steps.len())
        .filter(|&at| at >= cut || is_start(&subject.steps[at]))
        .map(|at| at + first)
        .collect();
    let found = Needs::of_steps(subject.context, &numbers, 0..0, scripts, (&full, &light), tag)?;
    match found.first() {
        Some(package) if Some(release) != last.release => Err(Refusal::new(format!(
            "{package} is called when the program runs, and {} lacks it",
            last.base
        ))),
        _ => Ok(found),
    }
}

/// Where each step of the builder goes, and the variables that only the builder has.
fn placed<'c>(
    subject: &Subject<'c>,
    language: &Language,
    build: &Build<'c>,
    started: &Started<'c>,
    last: &Last,
) -> Result<(Placing, Vec<String>), Refusal<'c>> {
    let steps = subject.steps;
    let mut dropped = Vec::new();
    let placing = Placing::of(subject, build.cut, |at, step| {
        let operation = &step.instruction.operation;
        let both = |is_both: bool| Ok(if is_both { Place::Both } else { Place::Builder });
        match (&step.action, step.instruction.keyword()) {
            (Action::Run(_), _) if accounts(step).is_some() && !makes_users(step, &last.base) => {
                Err(Refusal::at(
                    step,
                    "the RUN at line {line} makes users in a way that other images may not know",
                ))
            }
            (Action::Run(_), _) => both(makes_users(step, &last.base)),
            (Action::Copy(_), _) => both(build.is_copied_again(at)),
            (Action::Workdir(_), _) => both(build.is_entered_again(subject, at)),
            (_, Keyword::Env) => {
                let names = operation.name_values(&step.instruction.logical, step.state.escape);
                let only_builds = |name: &str| {
                    language.variables.contains(&name) && !started.mentions(subject, build.cut, name)
                };
                if names.iter().all(|pair| only_builds(&pair.name.text)) {
                    dropped.extend(names.iter().map(|pair| format!("ENV {}", pair.name.text)));
                    return Ok(Place::Builder);
                }
                subject.refuse_variables_of_base(step, last)?;
                Ok(Place::Both)
            }
            (_, Keyword::Arg) => {
                let names = operation.declarations(&step.instruction.logical, step.state.escape);
                let later = || {
                    let all = steps.iter().enumerate().skip(at + 1);
                    all.filter(|(number, step)| *number >= build.cut || step.run().is_none())
                };
                let is_used =
                    |name: &str| later().any(|(_, step)| step.instruction.logical.text.contains(name));
                both(names.iter().any(|it| is_used(&it.name.text)))
            }
            (_, Keyword::Shell) => Ok(Place::Both),
            (_, Keyword::User | Keyword::Volume | Keyword::Onbuild) => Err(Refusal::at(
                step,
                format!("the {} of line {{line}} stands before the build", step.instruction.keyword().name()),
            )),
            _ => Ok(Place::Last),
        }
    })?;
    for step in steps[build.cut..].iter().chain(placing.moved.iter().map(|&at| &steps[at])) {
        subject.refuse_variables_of_base(step, last)?;
    }
    Ok((placing, dropped))
}

impl Last {
    /// The image and the release with which it is compared what the builder's holds: its own, or, if there are no
    /// tables of its release, those of the oldest of which there are some, which hold much the same.
    fn compared(&self, knowledge: &Knowledge) -> Option<(&str, &'static str)> {
        let release = self.release?;
        Some(match knowledge.has_packages(release) {
            true => (&self.base, release),
            false => ("debian:bullseye-slim", "bullseye"),
        })
    }
}

impl<'c> Subject<'c> {
    /// The folder that the base sets, if commands of the last stage still start in it.
    fn workdir_of_base(&self, language: &Language, cut: usize) -> Result<Option<String>, Refusal<'c>> {
        let is_set = |step: &&Step<'_>| matches!(step.action, Action::Workdir(_));
        if self.steps.iter().any(|step| is_set(&step)) {
            let is_known = |step: &&Step<'_>| matches!(&step.action, Action::Workdir(folder) if folder.text().is_some_and(|it| it.starts_with('/')));
            return match self.steps.iter().find(is_set).filter(|step| !is_known(step)) {
                Some(step) => {
                    Err(Refusal::at(step, "the folder of line {line} lies in one that only the base knows"))
                }
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
