//! `fix`: from options to a run, and from what it comes to to an exit code.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write, sink, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use dockeropt_syntax::Text;

use crate::choices::Choices;
use crate::cli::{Color, FixArgs, Format};
use crate::discover::{Found, discover};
use crate::fix::{self, Ending, Rewrite, Settings, Streams};
use crate::interrupt::Temporaries;
use crate::jsonl;
use crate::names::{self, Name};
use crate::palette::{Palette, stdout_is_terminal};
use crate::pipeline::{self, Options, Outcome, ReportedFix};
use crate::problem::describe;
use crate::project::Contexts;
use crate::read::read_stream;
use crate::recording;
use crate::run::{ERROR, ORIGINAL, WOULD_CHANGE};
use crate::verification;

/// How many bytes of output are collected before they are written.
const BUFFER: usize = 64 << 10;

/// Runs it.
pub(crate) fn run(arguments: &FixArgs, color: Color) -> anyhow::Result<ExitCode> {
    let current = std::env::current_dir().context("can't tell the current folder")?;
    let choices = Choices::new(&arguments.choice, &current, arguments.write_baseline)?;
    if arguments.write_baseline {
        return recording::run(arguments, &choices, &current, color);
    }
    if arguments.jsonl {
        return jsonl::run(arguments, &choices);
    }
    let prover = match arguments.verify {
        true => Some(verification::Prover::new(&arguments.builds)?),
        false => None,
    };
    let temporaries = Arc::new(Temporaries::default());
    // Builds are stopped by the prover, which ends the program then.
    if arguments.write && prover.is_none() {
        temporaries.remove_on_interrupt().context("can't listen for interrupts")?;
    }
    let contexts = Contexts { named: arguments.builds.context.clone(), unread: arguments.no_context };
    let why_not = arguments.why_not;
    let mut rewriter = Rewriter {
        choices: &choices,
        contexts: &contexts,
        why_not,
        prover: None,
        counted: AtomicUsize::new(0),
    };
    let input = Input::of(arguments, jobs(arguments))?;
    // What is wrong in a configuration or in --fix is told before anything is written.
    input.check(&choices)?;
    if !choices.fingerprints().is_empty() {
        check_fingerprints(&input, &rewriter, arguments, &current)?;
    }
    rewriter.prover = prover;
    let prover = rewriter.prover.as_ref();
    let mut output = Output::open(arguments)?;
    let settings = Settings {
        format: arguments.format,
        output: output.as_ref().map(|output| output.format),
        why_not: arguments.why_not,
        write: arguments.write,
        check: arguments.check,
        allow_dirty: arguments.allow_dirty,
        quiet: arguments.quiet,
        // Builds have the machine to themselves.
        jobs: if prover.is_some() { 1 } else { jobs(arguments) },
        palette: Palette::choose(color, &stdout()),
        error_palette: Palette::choose(color, &stderr()),
        temporaries,
        interactive: stdout_is_terminal(),
        ..Settings::silent(&rewriter, &current)
    };
    let (mut out, mut err) = (BufWriter::with_capacity(BUFFER, stdout().lock()), stderr());
    let mut nowhere = sink();
    let output: &mut dyn Write = output.as_mut().map_or(&mut nowhere, |output| &mut output.file);
    let ending = input.rewrite(&settings, Streams { out: &mut out, output, err: &mut err });
    let summary =
        ending.map_err(|error| anyhow::anyhow!("can't write the report: {}", describe(&error)))?.summary;
    if prover.is_some_and(verification::Prover::is_original_broken) {
        return Ok(ORIGINAL.into());
    }
    Ok(match () {
        () if summary.errors > 0 => ERROR.into(),
        () if arguments.check && summary.changed > 0 => WOULD_CHANGE.into(),
        () => ExitCode::SUCCESS,
    })
}

/// What is to be rewritten.
enum Input {
    /// Standard input, which may be the text of a file of that name.
    Text(Text, Option<PathBuf>),
    Files(Found),
}

impl Input {
    fn of(arguments: &FixArgs, threads: usize) -> anyhow::Result<Self> {
        let name = &arguments.stdin_filename;
        if is_standard_input(&arguments.paths)? {
            let bytes = read_stream(stdin().lock(), 0).context("standard input")?;
            return Ok(Self::Text(Text::decode(bytes), name.clone()));
        }
        if name.is_some() {
            bail!("--stdin-filename is about standard input; add - to read it");
        }
        let here = [PathBuf::from(".")];
        let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
        Ok(Self::Files(discover(paths, threads)))
    }

    /// Looks whether what is configured for it is right.
    fn check(&self, choices: &Choices) -> anyhow::Result<()> {
        match self {
            Self::Text(_, name) => drop(choices.options(name.as_deref().unwrap_or(Path::new("-")))?),
            Self::Files(found) => {
                for candidate in &found.candidates {
                    choices.options(&candidate.path)?;
                }
            }
        }
        Ok(())
    }

    fn rewrite(&self, settings: &Settings<'_>, streams: Streams<'_>) -> io::Result<Ending> {
        match self {
            Self::Text(text, name) => fix::run_on_text(text, name.as_deref(), settings, streams),
            Self::Files(found) => fix::run(found, settings, streams),
        }
    }
}

/// Looks whether each fingerprint that was asked for stands for one fix.
fn check_fingerprints(
    input: &Input,
    rewriter: &Rewriter<'_>,
    arguments: &FixArgs,
    current: &Path,
) -> anyhow::Result<()> {
    let found = Mutex::new(BTreeSet::new());
    let note = |path: &Path, text: &str| {
        let outcome = rewriter.rewrite(path, text)?;
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(outcome.fixes.iter().map(|fix| fix.fingerprint.clone()));
        Ok(outcome)
    };
    let settings = Settings { jobs: jobs(arguments), ..Settings::silent(&note, current) };
    input.rewrite(&settings, Streams { out: &mut sink(), output: &mut sink(), err: &mut sink() })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for wanted in rewriter.choices.fingerprints() {
        let mut named = found.iter().filter(|found| found.starts_with(wanted));
        let Some(first) = named.next() else {
            match needed(input, rewriter, arguments, current, wanted)? {
                Some(needed) => bail!(
                    "the fix {wanted} builds on others, which have to be named as well: --fix {}",
                    needed.join(",")
                ),
                None => bail!(
                    "there is no fix with the fingerprint {wanted} (`dockeropt fix --format json` lists those \
                     that there are)"
                ),
            }
        };
        if let Some(second) = named.next() {
            bail!(
                "the fingerprint {wanted} stands for more than one fix, {first} and {second}; give more digits"
            );
        }
    }
    Ok(())
}

/// The fingerprints of the fixes that are made if the one that is `wanted` is, if there is such a fix.
fn needed(
    input: &Input,
    rewriter: &Rewriter<'_>,
    arguments: &FixArgs,
    current: &Path,
    wanted: &str,
) -> anyhow::Result<Option<Vec<String>>> {
    let found = Mutex::new(None);
    let look = |path: &Path, text: &str| {
        if let Some(fixes) = rewriter.needed(path, text, wanted)? {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.get_or_insert_with(|| fixes.into_iter().map(|fix| fix.fingerprint).collect());
        }
        Ok(Outcome { after: text.to_owned(), ..Outcome::default() })
    };
    let settings = Settings { jobs: jobs(arguments), ..Settings::silent(&look, current) };
    input.rewrite(&settings, Streams { out: &mut sink(), output: &mut sink(), err: &mut sink() })?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// How many files to work on at the same time.
pub(crate) fn jobs(arguments: &FixArgs) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    arguments.jobs.map_or_else(processors, usize::from)
}

/// Rewrites by the pipeline, or with builds.
struct Rewriter<'r> {
    choices: &'r Choices,
    contexts: &'r Contexts,
    why_not: bool,
    prover: Option<verification::Prover>,
    /// How many files were rewritten once more, to count what there is with `--unsafe`.
    counted: AtomicUsize,
}

/// In so many files it is counted what there is with `--unsafe`: it takes as long as the rewrite itself.
const COUNTED: usize = 20;

impl Rewriter<'_> {
    fn options(&self, path: &Path) -> Result<Arc<Options>, String> {
        let options = self.choices.options(path).map_err(|error| format!("{error:#}"))?;
        Ok(if self.why_not { Arc::new(Options { why_not: true, ..(*options).clone() }) } else { options })
    }

    /// The fixes that are made of a text if the one is of which the fingerprint begins so; `None` if it has no
    /// such fix.
    fn needed(&self, path: &Path, text: &str, wanted: &str) -> Result<Option<Vec<ReportedFix>>, String> {
        let options = self.options(path)?;
        let surroundings = self.contexts.around(path);
        for allow_unsafe in [false, true] {
            let options = Options { fingerprints: BTreeSet::new(), allow_unsafe, ..(*options).clone() };
            let outcome = pipeline::optimize_in(text, &options, &surroundings);
            let mut fixes = outcome.fixes.iter().chain(&outcome.held_back);
            if let Some(fix) = fixes.find(|fix| fix.fingerprint.starts_with(wanted)) {
                let alone = pipeline::alone(text, &options, &surroundings, &outcome, fix);
                return Ok(alone.map(|alone| alone.fixes));
            }
        }
        Ok(None)
    }
}

impl Rewrite for Rewriter<'_> {
    fn rewrite(&self, path: &Path, text: &str) -> Result<Outcome, String> {
        let options = self.options(path)?;
        match &self.prover {
            Some(prover) => prover.prove(path, text, &options),
            None => Ok(pipeline::optimize_in(text, &options, &self.contexts.around(path))),
        }
    }

    fn with_unsafe(&self, path: &Path, text: &str) -> Option<Outcome> {
        if self.counted.fetch_add(1, Ordering::Relaxed) >= COUNTED {
            return None;
        }
        // With builds, that takes as many.
        let options = self.options(path).ok().filter(|_| self.prover.is_none())?;
        let options = Options { allow_unsafe: true, ..(*options).clone() };
        Some(pipeline::optimize_in(text, &options, &self.contexts.around(path)))
    }

    fn alone(&self, path: &Path, text: &str, outcome: &Outcome, fix: &ReportedFix) -> Option<Outcome> {
        pipeline::alone(text, &*self.options(path).ok()?, &self.contexts.around(path), outcome, fix)
    }
}

/// The file that a second report goes to.
struct Output {
    format: Format,
    file: BufWriter<File>,
}

impl Output {
    /// Opens the file that was asked for, so that one that can't be written is noticed before the work.
    fn open(arguments: &FixArgs) -> anyhow::Result<Option<Self>> {
        let Some(path) = &arguments.output else { return Ok(None) };
        let shown = path.display();
        let format = arguments.output_format.or_else(|| Format::of_file(path)).with_context(|| {
            format!("the name {shown} does not tell the format of the report; add --output-format")
        })?;
        if path.file_name().is_some_and(|name| names::classify(name) == Name::Dockerfile) {
            bail!("{shown} has the name of a Dockerfile, which a report must not replace");
        }
        let file = File::create(path).map_err(|error| anyhow::anyhow!("{shown}: {}", describe(&error)))?;
        Ok(Some(Self { format, file: BufWriter::with_capacity(BUFFER, file) }))
    }
}

/// Whether the paths say standard input, which goes with no other.
fn is_standard_input(paths: &[PathBuf]) -> anyhow::Result<bool> {
    let is_dash = |path: &PathBuf| path == Path::new("-");
    if paths.len() > 1 && paths.iter().any(is_dash) {
        bail!("- stands for standard input and can't be combined with other paths");
    }
    Ok(paths.iter().any(is_dash))
}
