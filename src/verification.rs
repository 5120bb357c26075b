//! `verify` and `fix --verify`: from options to builds, and from what they show to an exit code.

use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use dockeropt_facts::Facts;
use dockeropt_syntax::{Text, parse};

use crate::choices::Choices;
use crate::cli::{BuildArgs, Color, VerifyArgs, VerifyFormat};
use crate::palette::Palette;
use crate::pipeline::{Options, Outcome, optimize_in};
use crate::problem::Problem;
use crate::project::Contexts;
use crate::read::read;
use crate::run::{ERROR, ORIGINAL, WOULD_CHANGE, print};
use crate::verify::{
    BuildOptions, Engine, Failure, Lab, LabError, Limits, Recipe, Subjects, Tests, allowance, json, markdown,
    measure, prove, text, verify,
};

/// Runs `verify`.
pub fn run(arguments: &VerifyArgs, color: Color) -> anyhow::Result<ExitCode> {
    let current = std::env::current_dir().context("can't tell the current folder")?;
    let path = match arguments.path.is_dir() {
        true => arguments.path.join("Dockerfile"),
        false => arguments.path.clone(),
    };
    let options = &*Choices::new(&arguments.choice, &current, false)?.options(&path)?;
    let before = read_text(&path)?;
    let contexts = Contexts { named: arguments.builds.context.clone(), ..Contexts::default() };
    let outcome = optimize_in(before.as_str(), options, &contexts.around(&path));
    if let Some(diagnostic) = outcome.diagnostics.first() {
        bail!("{}:{}:{}: {}", path.display(), diagnostic.line, diagnostic.column, diagnostic.message);
    }
    let after = match &arguments.against {
        Some(other) => read_text(other)?.as_str().to_owned(),
        None => outcome.after.clone(),
    };
    if after == before.as_str() && outcome.ignore.is_none() {
        writeln!(stderr(), "{}: nothing to verify, as nothing would change", path.display())?;
        return Ok(ExitCode::SUCCESS);
    }
    let builder = Builder::new(&arguments.builds)?;
    let result = builder.lab(&path, before.as_str()).map_err(LabError::from).and_then(|mut lab| {
        let ignore = outcome.ignore.as_ref().filter(|_| arguments.against.is_none());
        let after = Recipe { text: &after, ignore: ignore.map(|change| change.after.as_str()) };
        let recipes = (Recipe::of(before.as_str()), after);
        let allowed = allowance(before.as_str(), &outcome);
        let mut shown = verify(&mut lab, recipes.0, recipes.1, &outcome.fixes, &allowed, &builder.tests)?;
        if let Some(runs) = arguments.measure.filter(|_| shown.broken.is_none()) {
            let (source, manifest) = (arguments.touch.clone(), arguments.manifest.clone());
            let subjects = Subjects { runs: usize::from(runs), source, manifest };
            shown.measures = Some(measure(&mut lab, recipes, &subjects)?);
        }
        Ok(shown)
    });
    let shown = match result {
        Ok(shown) => shown,
        Err(error) => {
            let style = Palette::choose(color, &stderr()).removed;
            writeln!(stderr(), "{style}error:{style:#} {}: {error}", path.display())?;
            return Ok(if matches!(error, LabError::Original(_)) { ORIGINAL } else { ERROR }.into());
        }
    };
    let name = path.to_string_lossy();
    let report = match arguments.format {
        VerifyFormat::Text => text(&name, &shown, arguments.layers, &Palette::choose(color, &stdout())),
        VerifyFormat::Json => json(&name, &shown, &[]),
        VerifyFormat::Markdown => markdown(&name, &shown),
    };
    print(report.as_bytes())?;
    Ok(if shown.passed() { ExitCode::SUCCESS } else { WOULD_CHANGE.into() })
}

fn read_text(path: &Path) -> anyhow::Result<Text> {
    let bytes = read(path).map_err(|error| anyhow::anyhow!("{}", Problem::new(path, error)))?;
    Ok(Text::decode(bytes))
}

/// How to build, with an engine that answers.
struct Builder {
    engine: Engine,
    options: BuildOptions,
    limits: Limits,
    contexts: Contexts,
    tests: Tests,
}

impl Builder {
    fn new(arguments: &BuildArgs) -> anyhow::Result<Self> {
        let timeout = arguments.timeout.map(Duration::from_secs);
        let limits = Limits::with_interrupts(timeout).context("can't listen for interrupts")?;
        let engine = Engine::find(arguments.engine)?;
        engine.check(&limits)?;
        Ok(Self {
            engine,
            options: BuildOptions {
                build_args: arguments.build_args.clone(),
                target: arguments.target.clone(),
                platform: arguments.platform.clone(),
                network: arguments.network.clone(),
                secrets: arguments.secrets.clone(),
            },
            limits,
            contexts: Contexts { named: arguments.context.clone(), ..Contexts::default() },
            tests: Tests {
                control: arguments.control,
                runs: arguments.runs.clone(),
                test_stage: arguments.test_stage.clone(),
            },
        })
    }

    /// A place for the builds of a file.
    fn lab(&self, path: &Path, text: &str) -> std::io::Result<Lab> {
        let folder = || path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let context =
            self.contexts.of(path, &Facts::new(&parse(text))).unwrap_or_else(|| folder().to_path_buf());
        Lab::new(self.engine.clone(), self.options.clone(), self.limits.clone(), path, &context)
    }
}

/// What `fix --verify` asks for each file.
pub(crate) struct Prover {
    builder: Mutex<Builder>,
    broken: AtomicBool,
}

impl Prover {
    pub(crate) fn new(arguments: &BuildArgs) -> anyhow::Result<Self> {
        Ok(Self { builder: Mutex::new(Builder::new(arguments)?), broken: AtomicBool::new(false) })
    }

    /// Whether an original didn't build.
    pub(crate) fn is_original_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// What is left of the rewrite of a file when builds have been compared.
    pub(crate) fn prove(&self, path: &Path, before: &str, options: &Options) -> Result<Outcome, String> {
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        let surroundings = builder.contexts.around(path);
        let outcome = optimize_in(before, options, &surroundings);
        if outcome.fixes.is_empty() {
            return Ok(outcome);
        }
        let proof = builder
            .lab(path, before)
            .map_err(LabError::from)
            .and_then(|mut lab| prove(&mut lab, before, &surroundings, options, &builder.tests));
        match proof {
            Ok(proof) => {
                let mut err = stderr().lock();
                for (fix, evidence) in &proof.dropped {
                    let (id, title, line) = (fix.transform, &fix.title, fix.start_line);
                    let shown = path.display();
                    let _ = writeln!(err, "{shown}:{line}: dropped {id}: {title}: {evidence}");
                }
                let name = path.to_string_lossy();
                let _ = write!(err, "{}", text(&name, &proof.verification, false, &Palette::default()));
                Ok(proof.outcome)
            }
            Err(error) => {
                if matches!(error, LabError::Original(_)) {
                    self.broken.store(true, Ordering::Relaxed);
                }
                if matches!(error, LabError::Failure(Failure::Interrupted)) {
                    return Err("interrupted; left as it is".to_owned());
                }
                Err(error.to_string())
            }
        }
    }
}
