//! From the command line to the exit code.

use std::io::{self, Write, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use clap::{CommandFactory, Parser};
use dockeropt_syntax::{LineIndex, Text};

use crate::cli::{Cli, Command};
use crate::palette::Palette;
use crate::problem::{Problem, describe};
use crate::read::{read, read_stream};
use crate::redact::redact;
use crate::{inspect, list, lsp, migrate, rewriting, verification};

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
        Command::Fix(arguments) => rewriting::run(arguments, cli.color),
        Command::Verify(arguments) => verification::run(arguments, cli.color),
        Command::Migrate(arguments) => migrate::run(arguments, cli.color),
        Command::Lsp(arguments) => lsp::run(&arguments.choice),
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
