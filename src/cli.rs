//! The command line: its commands and options, with the help that they print.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::verify::Kind;

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
    /// Builds a Dockerfile before and after, and shows what differs in the images.
    ///
    /// What a fix claims to change, and what differs between two builds of the same file, is told
    /// apart from the unexpected. Needs docker, podman or buildah.
    Verify(VerifyArgs),
    /// Plans, reviews and applies the rewrites of many repositories.
    ///
    /// `plan` writes a page to review, `apply` makes a branch in each repository with one commit for each
    /// kind of change. Needs git.
    Migrate(crate::migrate::arguments::MigrateArgs),
    /// Serves an editor: fixes as diagnostics and code actions, by the Language Server Protocol.
    ///
    /// The editor starts it, and talks to it on standard input and output.
    Lsp(LspArgs),
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

/// What `lsp` is told.
#[derive(Clone, Debug, Default, Args)]
pub struct LspArgs {
    /// Taken for granted; editors give it.
    #[arg(long, hide = true)]
    pub stdio: bool,
    /// Which fixes are made when all are.
    #[command(flatten)]
    pub choice: ChoiceArgs,
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

    /// The file that standard input is the text of.
    ///
    /// Its configuration holds, and it is named in reports and diffs. The file itself is not read.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::FilePath)]
    pub stdin_filename: Option<PathBuf>,

    /// Reads a file from each line of standard input, as JSON, and writes the result of each as a line.
    ///
    /// A line is `{"path": "...", "text": "..."}`; docs/JSONL.md has all of it.
    #[arg(long, conflicts_with_all = [
        "paths", "stdin_filename", "write", "format", "output", "verify", "fingerprints", "write_baseline",
    ])]
    pub jsonl: bool,

    /// Goes by the Dockerfile alone: no build context is read.
    ///
    /// What needs to know the project is declined.
    #[arg(long, conflicts_with_all = ["context", "verify"])]
    pub no_context: bool,

    /// Rewrites the files in place.
    ///
    /// A file with uncommitted changes in a git work tree is refused. With - the rewritten file
    /// is printed instead of a report.
    #[arg(long, short, conflicts_with = "check")]
    pub write: bool,
    /// Exits with 1 if something would change, and changes nothing.
    #[arg(long)]
    pub check: bool,
    /// Also rewrites files with uncommitted changes; goes with --write.
    #[arg(long, requires = "write")]
    pub allow_dirty: bool,

    /// Lists all fixes that there are in the baseline, and does nothing else.
    ///
    /// What the baseline has about other files stays, if they are still there.
    #[arg(long, conflicts_with_all = ["write", "check", "verify", "output", "fingerprints"])]
    pub write_baseline: bool,

    /// Which fixes.
    #[command(flatten)]
    pub choice: ChoiceArgs,
    /// Also says where a transform looked and held back, and why.
    #[arg(long)]
    pub why_not: bool,

    /// How to print the result.
    #[arg(long, value_name = "FORMAT", default_value = "diff")]
    pub format: Format,
    /// Also writes a report to a file; standard output stays as it is.
    ///
    /// Its format is that of --output-format, or else what the name says: .sarif, .json, .md, .xml
    /// (JUnit), .diff, .patch, .txt, and gl-code-quality-report.json for GitLab.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// The format of the report in the file.
    #[arg(long, value_name = "FORMAT", requires = "output")]
    pub output_format: Option<Format>,
    /// How many files to work on at the same time; as many as there are processors by default.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Prints no summary and no progress; errors are still printed.
    #[arg(long, short)]
    pub quiet: bool,

    /// Builds each file before and after, and keeps only the fixes that survive.
    #[arg(long)]
    pub verify: bool,
    /// How to build, with --verify.
    #[command(flatten)]
    pub builds: BuildArgs,
}

/// Which fixes are applied.
#[derive(Clone, Debug, Default, Args)]
pub struct ChoiceArgs {
    /// Also applies fixes that rest on a claim or an assumption, which the report names.
    #[arg(long, overrides_with = "no_unsafe")]
    pub r#unsafe: bool,
    /// Applies safe fixes only, whatever the configuration says.
    #[arg(long, overrides_with = "unsafe")]
    pub no_unsafe: bool,
    /// Runs these transforms and no others.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leaves out these transforms.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Also runs these transforms, which are off by default.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub enable: Vec<String>,
    /// Leaves alone the fixes that are listed in this file; --write-baseline makes it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Reads this configuration instead of the dockeropt.toml that is nearest to each file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Reads no configuration.
    #[arg(long, conflicts_with = "config")]
    pub isolated: bool,
    /// Applies only the fix with this fingerprint, as the text and JSON formats print it.
    ///
    /// A fix that builds on others needs theirs as well; the error says which.
    #[arg(long = "fix", value_name = "FINGERPRINT", value_delimiter = ',')]
    pub fingerprints: Vec<String>,
}

/// What `verify` is told.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Exit codes: 0 nothing unexpected differs; 1 something does, or the rewrite does not \
                        build; 2 an error; 3 the original does not build."
)]
pub struct VerifyArgs {
    /// The Dockerfile, or the folder that it is in.
    #[arg(value_hint = ValueHint::AnyPath, default_value = "Dockerfile")]
    pub path: PathBuf,
    /// Compares with this Dockerfile instead of the rewrite; what the rewrite's fixes claim is
    /// expected all the same.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub against: Option<PathBuf>,

    /// Which fixes.
    #[command(flatten)]
    pub choice: ChoiceArgs,

    /// How to build and what to try.
    #[command(flatten)]
    pub builds: BuildArgs,

    /// Times builds from nothing, after touching a source file, and after changing a manifest, so
    /// many times each.
    #[arg(long, value_name = "RUNS", num_args = 0..=1, default_missing_value = "3")]
    pub measure: Option<u16>,
    /// The source file to touch, relative to the context.
    #[arg(long, value_name = "FILE", requires = "measure")]
    pub touch: Option<PathBuf>,
    /// The manifest to change, relative to the context; the first of requirements.txt,
    /// package.json and the like by default.
    #[arg(long, value_name = "FILE", requires = "measure")]
    pub manifest: Option<PathBuf>,
    /// Also shows the bytes in each layer.
    #[arg(long)]
    pub layers: bool,

    /// How to print the result.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: VerifyFormat,
}

/// How to build, and what to try in the images.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Builds")]
pub struct BuildArgs {
    /// The engine; the first of docker, podman and buildah on PATH by default.
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<Kind>,
    /// The build context; the Dockerfile's folder by default.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub context: Option<PathBuf>,
    /// Passed to the engine.
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    pub build_args: Vec<String>,
    /// Passed to the engine.
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// Passed to the engine.
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
    /// Passed to the engine, also when commands are run.
    #[arg(long, value_name = "NETWORK")]
    pub network: Option<String>,
    /// Passed to the engine.
    #[arg(long = "secret", value_name = "SECRET")]
    pub secrets: Vec<String>,
    /// Runs a command by `sh -c` in both images and compares exit code and output.
    #[arg(long = "run", value_name = "COMMAND")]
    pub runs: Vec<String>,
    /// Builds a stage that tests on both sides.
    #[arg(long, value_name = "STAGE")]
    pub test_stage: Option<String>,
    /// Builds the original twice to learn what differs anyway.
    #[arg(long)]
    pub control: bool,
    /// How many seconds a command of the engine may take.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// How `verify` prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// A table and what differs.
    #[default]
    Text,
    /// One JSON object, for programs.
    Json,
    /// Markdown, for a pull request.
    Markdown,
}

/// How to print the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A unified diff.
    #[default]
    Diff,
    /// The source lines, what they become, and why.
    Text,
    /// One JSON object, for programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations in GitHub's workflows.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// Markdown, for a comment.
    Markdown,
    /// JUnit's XML: a suite for each file, a failed test for each fix.
    Junit,
    /// A page for a browser, to filter and review; the same as `migrate plan` writes.
    Html,
}

impl Format {
    /// What the name of a file says about its format.
    pub fn of_file(path: &std::path::Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        if name == "gl-code-quality-report.json" {
            return Some(Self::Gitlab);
        }
        let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        match () {
            () if is(&[".sarif", ".sarif.json"]) => Some(Self::Sarif),
            () if is(&[".json"]) => Some(Self::Json),
            () if is(&[".md", ".markdown"]) => Some(Self::Markdown),
            () if is(&[".xml"]) => Some(Self::Junit),
            () if is(&[".html", ".htm"]) => Some(Self::Html),
            () if is(&[".diff", ".patch"]) => Some(Self::Diff),
            () if is(&[".txt"]) => Some(Self::Text),
            () => None,
        }
    }
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
