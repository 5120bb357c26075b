//! From the command line to the exit code.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser};
use dockeropt_syntax::{LineIndex, Text};
use dockeropt_transforms::Surroundings;

use crate::choices::Choices;
use crate::cli::{Cli, Color, Command, FixArgs, Format};
use crate::diff::Names;
use crate::discover::discover;
use crate::fix::{self, Rewrite, Settings, Streams};
use crate::interrupt::Temporaries;
use crate::names::{self, Name};
use crate::palette::{Palette, stdout_is_terminal};
use crate::pipeline::{Options, Outcome, ReportedFix};
use crate::problem::{Problem, describe};
use crate::project::Contexts;
use crate::read::{read, read_stream};
use crate::recording;
use crate::redact::redact;
use crate::{inspect, list, pipeline, verification};

/// How many bytes of output are collected before they are written.
const BUFFER: usize = 64 << 10;

/// Something would change, with `--check`; something unexpected differs, with `verify`.
pub(crate) const WOULD_CHANGE: u8 = 1;
/// Something went wrong.
pub(crate) const ERROR: u8 = 2;
/// The original doesn't build.
pub(crate) const ORIGINAL: u8 = 3;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors in name only, and go to standard output.
            let _ = error.print();
            return if error.use_stderr() { ERROR.into() } else { ExitCode::SUCCESS };
        }
    };
    // A panic is reported as an error where it is caught; where it happened is for those who ask.
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
    let result = std::panic::catch_unwind(|| run(&cli)).unwrap_or_else(|_| {
        Err(anyhow::anyhow!("a bug in dockeropt; please report it with RUST_BACKTRACE=1"))
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            let style = Palette::choose(cli.color, &stderr()).removed;
            let _ = writeln!(stderr(), "{style}error:{style:#} {error:#}");
            ERROR.into()
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Fix(arguments) => run_fix(arguments, cli.color),
        Command::Verify(arguments) => verification::run(arguments, cli.color),
        Command::List => print(list::list(&list::catalogue()).as_bytes()),
        Command::Explain { id } => print(list::explain(list::find(&list::catalogue(), id)?).as_bytes()),
        Command::Inspect { file } => run_inspect(file),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "dockeropt", &mut script);
            print(&script)
        }
    }
}

fn run_fix(arguments: &FixArgs, color: Color) -> anyhow::Result<ExitCode> {
    let current = std::env::current_dir().context("can't tell the current folder")?;
    let choices = Choices::new(&arguments.choice, &current, arguments.write_baseline)?;
    if arguments.write_baseline {
        return recording::run(arguments, &choices, &current, color);
    }
    let prover = match arguments.verify {
        true => Some(verification::Prover::new(&arguments.builds)?),
        false => None,
    };
    if arguments.stdin_filename.is_some() && !is_standard_input(&arguments.paths)? {
        bail!("--stdin-filename is about standard input; add - to read it");
    }
    let temporaries = Arc::new(Temporaries::default());
    // Builds are stopped by the prover, which ends the program then.
    if arguments.write && prover.is_none() {
        temporaries.remove_on_interrupt().context("can't listen for interrupts")?;
    }
    let contexts = Contexts { named: arguments.builds.context.clone() };
    let rewriter = Rewriter { choices: &choices, contexts: &contexts, prover, found: Mutex::default() };
    let prover = rewriter.prover.as_ref();
    let mut output = Output::open(arguments)?;
    let settings = Settings {
        rewriter: &rewriter,
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
        names: Names::new(&current),
        temporaries,
        interactive: stdout_is_terminal(),
    };
    let (mut out, mut err) = (BufWriter::with_capacity(BUFFER, stdout().lock()), stderr());
    let mut nowhere = io::sink();
    let output: &mut dyn Write = output.as_mut().map_or(&mut nowhere, |output| &mut output.file);
    let streams = Streams { out: &mut out, output, err: &mut err };
    let name = arguments.stdin_filename.as_deref();
    let ending = if is_standard_input(&arguments.paths)? {
        let text = Text::decode(read_stream(stdin().lock(), 0).context("standard input")?);
        choices.options(name.unwrap_or(Path::new("-")))?;
        fix::run_on_text(&text, name, &settings, streams)
    } else {
        let here = [PathBuf::from(".")];
        let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
        let found = discover(paths, settings.jobs);
        // A wrong configuration is told before anything is written.
        for candidate in &found.candidates {
            choices.options(&candidate.path)?;
        }
        fix::run(found, &settings, streams)
    };
    let summary =
        ending.map_err(|error| anyhow::anyhow!("can't write the report: {}", describe(&error)))?.summary;
    let found = rewriter.found.lock().unwrap_or_else(PoisonError::into_inner);
    for wanted in choices.fingerprints() {
        let mut named = found.iter().filter(|found| found.starts_with(wanted));
        let Some(first) = named.next() else {
            bail!(
                "no fix with the fingerprint {wanted} was made: there is none, or it needs another fix to be \
                 named as well (`dockeropt fix --format json` lists them in order)"
            );
        };
        if let Some(second) = named.next() {
            bail!(
                "the fingerprint {wanted} stands for more than one fix, {first} and {second}; give more digits"
            );
        }
    }
    if prover.is_some_and(verification::Prover::is_original_broken) {
        return Ok(ORIGINAL.into());
    }
    Ok(match () {
        () if summary.errors > 0 => ERROR.into(),
        () if arguments.check && summary.changed > 0 => WOULD_CHANGE.into(),
        () => ExitCode::SUCCESS,
    })
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
    prover: Option<verification::Prover>,
    /// The fingerprints of the fixes that were made, if some were asked for.
    found: Mutex<BTreeSet<String>>,
}

impl Rewriter<'_> {
    /// What lies around a file. Where a text without a name is from, nobody knows.
    fn around<'s>(&'s self, path: &'s Path, text: &'s str) -> Surroundings<'s> {
        match path == Path::new("-") && self.contexts.named.is_none() {
            true => Surroundings::unknown(),
            false => self.contexts.around(path, text),
        }
    }

    fn options(&self, path: &Path) -> Result<Arc<Options>, String> {
        self.choices.options(path).map_err(|error| format!("{error:#}"))
    }
}

impl Rewrite for Rewriter<'_> {
    fn rewrite(&self, path: &Path, text: &str) -> Result<Outcome, String> {
        let options = self.options(path)?;
        let outcome = match &self.prover {
            Some(prover) => prover.prove(path, text, &options)?,
            None => pipeline::optimize_in(text, &options, &self.around(path, text)),
        };
        if !options.fingerprints.is_empty() {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(outcome.fixes.iter().map(|fix| fix.fingerprint.clone()));
        }
        Ok(outcome)
    }

    fn alone(&self, path: &Path, text: &str, outcome: &Outcome, fix: &ReportedFix) -> Option<Outcome> {
        pipeline::alone(text, &*self.options(path).ok()?, &self.around(path, text), outcome, fix)
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

fn run_inspect(path: &Path) -> anyhow::Result<ExitCode> {
    let bytes = if path == Path::new("-") { read_stream(stdin().lock(), 0) } else { read(path) };
    let text = Text::decode(bytes.map_err(|error| anyhow::anyhow!("{}", Problem::new(path, error)))?);
    let file = dockeropt_syntax::parse(text.as_str());
    let index = LineIndex::new(text.as_str());
    for diagnostic in &file.diagnostics {
        let place = index.position(text.as_str(), diagnostic.span.start);
        let place = Some((place.line, place.column));
        let _ = writeln!(
            stderr(),
            "error: {}",
            Problem { place, ..Problem::new(path, redact(&diagnostic.message).text) }
        );
    }
    let mut json = serde_json::to_string_pretty(&inspect::json(&file))?;
    json.push('\n');
    print(json.as_bytes())?;
    Ok(if file.diagnostics.is_empty() { ExitCode::SUCCESS } else { ERROR.into() })
}

/// Prints to standard output. A reader that has read enough is no error.
pub(crate) fn print(bytes: &[u8]) -> anyhow::Result<ExitCode> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            bail!("can't write to standard output: {}", describe(&error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
