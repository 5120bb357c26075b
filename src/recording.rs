//! `fix --write-baseline`: lists the fixes that there are.

use std::io::{Write, sink, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use crate::baseline::{Baseline, all_fixes};
use crate::choices::Choices;
use crate::cli::{Color, FixArgs};
use crate::discover::discover;
use crate::fix::{self, Settings, Streams};
use crate::palette::Palette;
use crate::pipeline::{Outcome, optimize_in};
use crate::project::Contexts;
use crate::rewriting::jobs;
use crate::run::ERROR;
use crate::summary::count;

/// Runs it.
pub(crate) fn run(
    arguments: &FixArgs,
    choices: &Choices,
    current: &Path,
    color: Color,
) -> anyhow::Result<ExitCode> {
    let path = choices.baseline()?.context("--write-baseline needs --baseline FILE")?;
    let baseline = match path.exists() {
        true => Baseline::read(&path, current)?,
        false => Baseline::empty(&path, current),
    };
    let baseline = Mutex::new(baseline);
    let contexts = Contexts { named: arguments.builds.context.clone(), unread: arguments.no_context };
    let record = |file: &Path, text: &str| {
        let options = choices.options(file).map_err(|error| format!("{error:#}"))?;
        let surroundings = contexts.around(file);
        let (fixes, outcome) = all_fixes(&options, |options| optimize_in(text, options, &surroundings));
        baseline.lock().unwrap_or_else(PoisonError::into_inner).set(file, current, fixes);
        let Outcome { diagnostics, warnings, bugs, .. } = outcome;
        Ok(Outcome { after: text.to_owned(), diagnostics, warnings, bugs, ..Outcome::default() })
    };
    let settings = Settings {
        jobs: jobs(arguments),
        error_palette: Palette::choose(color, &stderr()),
        ..Settings::silent(&record, current)
    };
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
    let found = discover(paths, settings.jobs);
    for candidate in &found.candidates {
        choices.options(&candidate.path)?;
    }
    let streams = Streams { out: &mut sink(), output: &mut sink(), err: &mut stderr() };
    let summary = fix::run(&found, &settings, streams)?.summary;
    let mut baseline = baseline.into_inner().unwrap_or_else(PoisonError::into_inner);
    baseline.forget_missing();
    baseline.write(&path)?;
    if !arguments.quiet {
        let (fixes, files) = baseline.count();
        let (fixes, files) = (count(fixes, "fix", "fixes"), count(files, "file", "files"));
        let _ = writeln!(stderr(), "{} lists {fixes} in {files}", path.display());
    }
    Ok(if summary.errors > 0 { ERROR.into() } else { ExitCode::SUCCESS })
}
