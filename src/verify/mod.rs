//! `verify`: builds a Dockerfile before and after, and shows what differs.

mod brought;
mod compare;
mod content;
mod engine;
mod ignored;
mod image;
mod measure;
mod packages;
mod prove;
mod pruned;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use dockeropt_facts::claim::Claim;
use dockeropt_facts::command::call;
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::Verb;
use dockeropt_facts::{Facts, Step};
use dockeropt_syntax::{Keyword, Text, parse};
use tempfile::TempDir;

pub use crate::process::{Failure, Limits};
pub use compare::{Allowance, Class, Difference};
pub use engine::{BuildOptions, Engine, EngineError, Kind};
pub use measure::{Measures, Spread, Subjects, measure};
pub use prove::{Proof, prove};
pub use report::{json, markdown, text};

use brought::Brought;
use compare::{compare, places};
use engine::Build;
use ignored::Ignored;
use image::{Image, Paths};

use crate::pipeline::{Outcome, ReportedFix};

/// How to compare two images.
#[derive(Clone, Debug, Default)]
pub struct Tests {
    /// Whether to build the original twice, to learn what differs between two builds.
    pub control: bool,
    /// Commands to run in both images.
    pub runs: Vec<String>,
    /// A stage that tests, to be built on both sides.
    pub test_stage: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The original doesn't build, and that is not the rewrite's fault.
    #[error("the original doesn't build: {0}")]
    Original(Failure),
    /// A command of the engine failed, or was stopped.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A file of the laboratory could not be written.
    #[error("a temporary file: {}", crate::problem::describe(.0))]
    Io(#[from] io::Error),
}

/// A place in which Dockerfiles are built. What it makes, it removes.
pub struct Lab {
    engine: Engine,
    options: BuildOptions,
    limits: Limits,
    context: PathBuf,
    folder: TempDir,
    /// What images are called, with a number behind it.
    name: String,
    /// The images by the text that they were built of.
    built: BTreeMap<(String, Option<String>), Result<Built, Broken>>,
    tags: Vec<String>,
    /// The paths of all images.
    paths: Paths,
    /// The file beside the Dockerfile that says what of the context is ignored.
    ignore: Option<Vec<u8>>,
}

/// What is built: a Dockerfile, and what of the context is ignored where that is not what lies on disk.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'t> {
    /// The Dockerfile.
    pub text: &'t str,
    /// The ignore file.
    pub ignore: Option<&'t str>,
}

impl<'t> Recipe<'t> {
    /// A Dockerfile in the context as it is.
    pub fn of(text: &'t str) -> Self {
        Self { text, ignore: None }
    }

    /// What became of a Dockerfile and its context.
    pub fn after(outcome: &'t Outcome) -> Self {
        let ignore = outcome.ignore.as_ref().map(|change| change.after.as_str());
        Self { text: &outcome.after, ignore }
    }
}

/// An image that was built.
#[derive(Clone)]
struct Built {
    tag: String,
    image: Rc<Image>,
}

/// Why a text can't be built: how the engine ended, and the end of what it said.
#[derive(Clone, Debug)]
struct Broken {
    command: String,
    status: std::process::ExitStatus,
    said: String,
}

impl Lab {
    /// A place for the builds of a Dockerfile at `path` in a context.
    pub fn new(
        engine: Engine,
        options: BuildOptions,
        limits: Limits,
        path: &Path,
        context: &Path,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("dockeropt-verify-").tempdir()?;
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let mut ignore = path.as_os_str().to_owned();
        ignore.push(".dockerignore");
        Ok(Self {
            engine,
            options,
            limits,
            context: context.to_path_buf(),
            folder,
            name,
            built: BTreeMap::new(),
            tags: Vec::new(),
            paths: Paths::default(),
            ignore: std::fs::read(ignore).ok(),
        })
    }

    /// Builds a text, or says why it can't be built; each text is built once.
    fn build(&mut self, recipe: Recipe<'_>) -> Result<Result<Built, Broken>, LabError> {
        let key = (recipe.text.to_owned(), recipe.ignore.map(str::to_owned));
        if let Some(known) = self.built.get(&key) {
            return Ok(known.clone());
        }
        let result = match self.build_as(recipe, None, false) {
            Ok(tag) => {
                let paths = &mut self.paths;
                let image = self.engine.save(&tag, &self.limits, |archive| image::read(archive, paths))?;
                Ok(Built { tag, image: Rc::new(image) })
            }
            Err(LabError::Failure(Failure::Exit { command, status, said })) => {
                Err(Broken { command, status, said })
            }
            Err(other) => return Err(other),
        };
        self.built.insert(key, result.clone());
        Ok(result)
    }

    /// Builds a text, or a stage of it, and gives the image's name.
    fn build_as(
        &mut self,
        recipe: Recipe<'_>,
        target: Option<&str>,
        no_cache: bool,
    ) -> Result<String, LabError> {
        let number = self.tags.len();
        let dockerfile = self.write(&number.to_string(), recipe)?;
        let tag = format!("{}:{number}", self.name);
        self.tags.push(tag.clone());
        let mut options = self.options.clone();
        options.target = target.map(str::to_owned).or(options.target);
        let build =
            Build { dockerfile: &dockerfile, context: &self.context, tag: &tag, options: &options, no_cache };
        self.engine.build(&build, &self.limits)?;
        Ok(tag)
    }

    /// Writes a Dockerfile into the laboratory, with what of the context it ignores beside it.
    fn write(&self, name: &str, recipe: Recipe<'_>) -> io::Result<PathBuf> {
        let dockerfile = self.folder.path().join(format!("{name}.Dockerfile"));
        std::fs::write(&dockerfile, Text::encode(recipe.text))?;
        if let Some(ignore) = recipe.ignore.map(str::as_bytes).or(self.ignore.as_deref()) {
            std::fs::write(self.folder.path().join(format!("{name}.Dockerfile.dockerignore")), ignore)?;
        }
        Ok(dockerfile)
    }

    fn original(&mut self, recipe: Recipe<'_>) -> Result<Built, LabError> {
        self.build(recipe)?.map_err(|Broken { command, status, said }| {
            LabError::Original(Failure::Exit { command, status, said })
        })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for tag in &self.tags {
            // A build that failed left no image.
            let _ = self.engine.remove(tag, &self.limits);
        }
    }
}

/// A smoke test in both images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The command, or the stage that tests.
    pub command: String,
    /// How it ended in the original and in the rewrite.
    pub status: (String, String),
    /// What differs, if something does.
    pub differs: Option<String>,
}

/// The numbers of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The bytes in all layers.
    pub size: u64,
    /// The bytes that a later layer replaces or deletes.
    pub wasted: u64,
    /// How many layers there are.
    pub layers: usize,
}

/// What a comparison showed.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The fixes that were applied.
    pub fixes: Vec<ReportedFix>,
    /// The end of what the engine said if the rewrite does not build.
    pub broken: Option<String>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// The smoke tests.
    pub trials: Vec<Trial>,
    /// The original and the rewrite in numbers; the latter if it builds.
    pub numbers: (Numbers, Option<Numbers>),
    /// The layers of both with their sizes.
    pub layers: (Vec<image::Layer>, Vec<image::Layer>),
    /// Times, if they were asked for.
    pub measures: Option<Measures>,
}

impl Verification {
    /// Whether the rewrite does the same, but for what its fixes claim.
    pub fn passed(&self) -> bool {
        self.broken.is_none()
            && self.trials.iter().all(|trial| trial.differs.is_none())
            && self.unexpected().next().is_none()
    }

    /// The differences that nothing explains.
    pub fn unexpected(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.class == Class::Unexpected)
    }
}

/// What the fixes of an outcome let differ in the image of `before`.
pub fn allowance(before: &str, outcome: &Outcome) -> Allowance {
    let claims: Vec<Claim> = outcome.claims.clone();
    let cleans = |fix: &ReportedFix| matches!(fix.transform, "clean-package-cache" | "merge-run");
    let caches = outcome.fixes.iter().any(cleans);
    let file = parse(before);
    let facts = file.diagnostics.is_empty().then(|| Facts::new(&file));
    let steps = facts.as_ref().map_or(&[][..], |facts| &facts.steps);
    let after = parse(&outcome.after);
    let facts_after = after.diagnostics.is_empty().then(|| Facts::new(&after));
    Allowance {
        caches,
        named: named_packages(steps),
        ignored: Ignored::of(steps, &claims),
        brought: Brought::of(steps, facts_after.as_ref().map_or(&[], |facts| &facts.steps), &claims),
        configured: configured(steps),
        claims,
    }
}

/// What a Dockerfile configures: fields by the names that images have for them, and variables.
fn configured(steps: &[Step<'_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for step in steps {
        let operation = &step.instruction.operation;
        let field = match step.instruction.keyword() {
            Keyword::Cmd => "Cmd",
            Keyword::Entrypoint => "Entrypoint",
            Keyword::Label => "Labels",
            Keyword::Env => {
                let pairs = operation.name_values(&step.instruction.logical, step.state.escape);
                names.extend(pairs.into_iter().map(|pair| format!("ENV {}", pair.name.text)));
                continue;
            }
            _ => continue,
        };
        names.insert(field.to_owned());
    }
    names
}

/// The packages that a Dockerfile installs by name.
fn named_packages(steps: &[Step<'_>]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for step in steps {
        let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { continue };
        visit(list, &mut |simple| {
            let Some(managed) = call(simple).and_then(|call| call.managed) else { return };
            if managed.verb == Verb::Install && managed.manager.is_system() {
                let words = managed.operands.iter().filter_map(|&at| simple.words[at].literal());
                named.extend(words.map(|word| word.split('=').next().unwrap_or(word).to_owned()));
            }
        });
    }
    named
}

/// Builds both texts and compares the images.
pub fn verify(
    lab: &mut Lab,
    before: Recipe<'_>,
    after: Recipe<'_>,
    fixes: &[ReportedFix],
    allowance: &Allowance,
    tests: &Tests,
) -> Result<Verification, LabError> {
    let original = lab.original(before)?;
    let numbers =
        |image: &Image| Numbers { size: image.size(), wasted: image.wasted, layers: image.layers.len() };
    let mut result = Verification {
        fixes: fixes.to_vec(),
        broken: None,
        differences: Vec::new(),
        trials: Vec::new(),
        numbers: (numbers(&original.image), None),
        layers: (original.image.layers.clone(), Vec::new()),
        measures: None,
    };
    let rewrite = match lab.build(after)? {
        Ok(built) => built,
        Err(broken) => {
            result.broken = Some(broken.said);
            return Ok(result);
        }
    };
    result.numbers.1 = Some(numbers(&rewrite.image));
    result.layers.1 = rewrite.image.layers.clone();
    let control = if tests.control { control(lab, before, &original)? } else { BTreeSet::new() };
    result.differences = compare(&original.image, &rewrite.image, (allowance, &lab.context), &control);
    for command in &tests.runs {
        let tags = (original.tag.as_str(), rewrite.tag.as_str());
        let mut shown = trial(lab, command, tags)?;
        if shown.differs.is_some() {
            // What starts a server may fail by chance on a busy machine.
            shown = trial(lab, command, tags)?;
        }
        result.trials.push(shown);
    }
    if let Some(stage) = &tests.test_stage {
        result.trials.push(test_stage(lab, stage, (before, after))?);
    }
    Ok(result)
}

/// The places at which a second build of the original differs from the first.
fn control(lab: &mut Lab, recipe: Recipe<'_>, first: &Built) -> Result<BTreeSet<String>, LabError> {
    let tag = lab.build_as(recipe, None, true)?;
    let paths = &mut lab.paths;
    let second = lab.engine.save(&tag, &lab.limits, |archive| image::read(archive, paths))?;
    Ok(places(&first.image, &second))
}

fn trial(lab: &Lab, command: &str, (before, after): (&str, &str)) -> Result<Trial, LabError> {
    let run = |tag: &str| lab.engine.run(tag, command, &lab.options, &lab.limits);
    let (one, other) = (run(before)?, run(after)?);
    let status = (one.status.to_string(), other.status.to_string());
    let differs = if one.status != other.status {
        Some(format!("{} became {}: {}", one.status, other.status, last_line(&other.said)))
    } else if one.output != other.output {
        Some(first_difference(&String::from_utf8_lossy(&one.output), &String::from_utf8_lossy(&other.output)))
    } else {
        None
    };
    Ok(Trial { command: command.to_owned(), status, differs })
}

fn test_stage(
    lab: &mut Lab,
    stage: &str,
    (before, after): (Recipe<'_>, Recipe<'_>),
) -> Result<Trial, LabError> {
    let mut run = |recipe: Recipe<'_>| match lab.build_as(recipe, Some(stage), false) {
        Ok(_) => Ok(None),
        Err(LabError::Failure(Failure::Exit { said, .. })) => Ok(Some(said)),
        Err(other) => Err(other),
    };
    let (one, other) = (run(before)?, run(after)?);
    let name = |said: &Option<String>| if said.is_none() { "builds" } else { "fails" }.to_owned();
    let status = (name(&one), name(&other));
    let differs = (one.is_some() != other.is_some())
        .then(|| format!("{} became {}: {}", status.0, status.1, other.as_deref().map_or("", last_line)));
    Ok(Trial { command: format!("stage {stage}"), status, differs })
}

/// The last line that says something.
fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

/// The first lines that differ.
fn first_difference(one: &str, other: &str) -> String {
    let (mut lines, mut others) = (one.lines(), other.lines());
    loop {
        match (lines.next(), others.next()) {
            (Some(line), Some(other)) if line == other => {}
            (None, None) => return "the ends of lines differ".to_owned(),
            (line, other) => {
                return format!("`{}` became `{}`", line.unwrap_or_default(), other.unwrap_or_default());
            }
        }
    }
}
