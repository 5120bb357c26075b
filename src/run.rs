//! From the command line to the exit code.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser};
use dockeropt_syntax::{LineIndex, Text};

use crate::cli::{ChoiceArgs, Cli, Color, Command, FixArgs};
use crate::diff::Names;
use crate::discover::discover;
use crate::fix::{self, Settings};
use crate::interrupt::Temporaries;
use crate::palette::{Palette, stdout_is_terminal};
use crate::problem::{Problem, describe};
use crate::read::{read, read_stream};
use crate::redact::redact;
use crate::{config, inspect, list, migrate, pipeline, verification};

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
        Command::Migrate(arguments) => migrate::run(arguments, cli.color),
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

/// What the user chose of transforms and fixes, by options and by `dockeropt.toml`.
pub(crate) fn choose(current: &Path, choice: &ChoiceArgs) -> anyhow::Result<pipeline::Options> {
    let (config, path) = config::read(current)?;
    options(&config, path.as_deref().unwrap_or(Path::new(config::NAME)), choice)
}

/// What the user chose by options and by a configuration, which is named in messages.
pub(crate) fn options(
    config: &config::Config,
    config_path: &Path,
    choice: &ChoiceArgs,
) -> anyhow::Result<pipeline::Options> {
    let ChoiceArgs { only, skip, .. } = choice;
    let catalogue = list::catalogue();
    for id in only.iter().chain(skip) {
        list::find(&catalogue, id)?;
    }
    if let Some(id) = only.iter().find(|id| skip.contains(id)) {
        bail!("`{id}` is named by --only and by --skip");
    }
    let shown = config_path.display();
    for id in &config.skip {
        list::find(&catalogue, id).with_context(|| format!("{shown}: skip"))?;
    }
    let newer = match config.edition {
        Some(edition) => list::newer(&catalogue, edition).with_context(|| format!("{shown}: edition"))?,
        None => Vec::new(),
    };
    let not_wanted = config.skip.iter().map(String::as_str).chain(newer);
    let not_wanted = not_wanted.filter(|id| !only.iter().any(|named| named == id)).map(str::to_owned);
    Ok(pipeline::Options {
        only: only.iter().cloned().collect(),
        skip: skip.iter().cloned().chain(not_wanted).collect(),
        allow_unsafe: choice.r#unsafe,
        fingerprints: choice.fingerprints.iter().map(|text| fingerprint(text)).collect::<Result<_, _>>()?,
        banned: BTreeSet::new(),
        merge_always: config.merge_run.when == config::When::Always,
    })
}

fn run_fix(arguments: &FixArgs, color: Color) -> anyhow::Result<ExitCode> {
    let current = std::env::current_dir().context("can't tell the current folder")?;
    let options = choose(&current, &arguments.choice)?;
    let prover = match arguments.verify {
        true => Some(verification::Prover::new(&arguments.builds)?),
        false => None,
    };
    let temporaries = Arc::new(Temporaries::default());
    // Builds are stopped by the prover, which ends the program then.
    if arguments.write && prover.is_none() {
        temporaries.remove_on_interrupt().context("can't listen for interrupts")?;
    }
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let found = Mutex::new(BTreeSet::new());
    let optimize = |path: &Path, text: &str| {
        let outcome = match &prover {
            Some(prover) => prover.prove(path, text, &options)?,
            None => pipeline::optimize(text, &options),
        };
        if !options.fingerprints.is_empty() {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(outcome.fixes.iter().map(|fix| fix.fingerprint.clone()));
        }
        Ok(outcome)
    };
    let settings = Settings {
        optimize: &optimize,
        format: arguments.format,
        why_not: arguments.why_not,
        write: arguments.write,
        check: arguments.check,
        allow_dirty: arguments.allow_dirty,
        quiet: arguments.quiet,
        // Builds have the machine to themselves.
        jobs: if prover.is_some() { 1 } else { arguments.jobs.map_or_else(processors, usize::from) },
        palette: Palette::choose(color, &stdout()),
        error_palette: Palette::choose(color, &stderr()),
        names: Names::new(&current),
        temporaries,
        interactive: stdout_is_terminal(),
    };
    let out = BufWriter::with_capacity(BUFFER, stdout().lock());
    let ending = if is_standard_input(&arguments.paths)? {
        let text = Text::decode(read_stream(stdin().lock(), 0).context("standard input")?);
        fix::run_on_text(&text, &settings, out, stderr())
    } else {
        let here = [PathBuf::from(".")];
        let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
        fix::run(discover(paths, settings.jobs), &settings, out, stderr())
    };
    let summary =
        ending.map_err(|error| anyhow::anyhow!("can't write the report: {}", describe(&error)))?.summary;
    let found = found.lock().unwrap_or_else(PoisonError::into_inner);
    for wanted in &options.fingerprints {
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
    if prover.as_ref().is_some_and(verification::Prover::is_original_broken) {
        return Ok(ORIGINAL.into());
    }
    Ok(match () {
        () if summary.errors > 0 => ERROR.into(),
        () if arguments.check && summary.changed > 0 => WOULD_CHANGE.into(),
        () => ExitCode::SUCCESS,
    })
}

/// A fingerprint as it is compared. A part of it from its start is enough.
fn fingerprint(text: &str) -> anyhow::Result<String> {
    if !(6..=16).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("`{text}` is no fingerprint, which has 16 hexadecimal digits; the first 6 are enough");
    }
    Ok(text.to_ascii_lowercase())
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
