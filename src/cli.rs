//! The command line: its commands and options, with the help that they print.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

/// Rewrites Dockerfiles so that images get smaller and rebuilds get faster.
///
/// dockeropt only makes a change that it can defend. What it does not fully understand it leaves
/// as it was, byte for byte.
#[derive(Debug, Parser)]
#[command(name = "dockeropt", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done or nothing to do; 1 with --check, if something would change; \
                        2 an error.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours.
    ///
    /// `auto` uses them on a terminal, unless NO_COLOR or CLICOLOR=0 say otherwise.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows how Dockerfiles could be better as a diff, or rewrites them.
    ///
    /// Without an option it prints a unified diff, which `git apply` accepts, and changes nothing.
    Fix(FixArgs),
    /// Lists the transforms with what they do and whether they run by default.
    List,
    /// Explains a transform: what it does, why, when it is safe, and what it leaves alone.
    Explain {
        /// The transform's name, as `list` prints it.
        id: String,
    },
    /// Prints what a Dockerfile says, as JSON.
    Inspect {
        /// The file, or - for standard input.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Prints a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What `fix` is told.
#[derive(Debug, Default, Args)]
pub struct FixArgs {
    /// Files and folders, or - for standard input; the current folder if there is none.
    ///
    /// Folders are searched for Dockerfile, Dockerfile.*, *.Dockerfile and Containerfile* in any
    /// letter case. What git ignores, vendor and node_modules folders, submodules, templates and
    /// files marked as generated are left out; a file that is named here is always taken.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Rewrites the files in place.
    ///
    /// A file with uncommitted changes in a git work tree is refused. With - the rewritten file
    /// is printed instead of a report.
    #[arg(long, short, conflicts_with = "check")]
    pub write: bool,
    /// Exits with 1 if something would change, and changes nothing.
    #[arg(long)]
    pub check: bool,
    /// Also rewrites files with uncommitted changes.
    #[arg(long, requires = "write")]
    pub allow_dirty: bool,

    /// Also applies fixes that rest on a claim or an assumption, which the report names.
    #[arg(long)]
    pub r#unsafe: bool,
    /// Runs these transforms and no others.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leaves out these transforms.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Applies only the fix with this fingerprint, as the text and JSON formats print it.
    #[arg(long = "fix", value_name = "FINGERPRINT", value_delimiter = ',')]
    pub fingerprints: Vec<String>,
    /// Also says where a transform looked and held back, and why.
    #[arg(long)]
    pub why_not: bool,

    /// How to print the result.
    #[arg(long, value_name = "FORMAT", default_value = "diff")]
    pub format: Format,
    /// How many files to work on at the same time; as many as there are processors by default.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Prints no summary and no progress; errors are still printed.
    #[arg(long, short)]
    pub quiet: bool,
}

/// How to print the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A unified diff.
    #[default]
    Diff,
    /// The source lines with what would be done to them and why.
    Text,
    /// One JSON object, for programs.
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
