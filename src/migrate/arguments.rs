//! The command line of `migrate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

/// What `migrate` is told.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// What `migrate` does.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Finds out what would change in each repository, and writes it down for a review.
    Plan(PlanArgs),
    /// Makes a branch in each repository, with one commit for each kind of change that was accepted.
    Apply(ApplyArgs),
    /// Shows what is planned, applied, pushed, failed and skipped.
    Status(StatusArgs),
    /// Joins plans that were made of parts of a list.
    Merge(MergeArgs),
}

/// What `migrate plan` is told.
#[derive(Debug, Args)]
#[command(
    after_help = "A list has one repository a line: a folder or a URL, and if wanted a branch, tag or \
                        commit, and image=NAME for each image that is built from it."
)]
pub struct PlanArgs {
    /// Folders, URLs, files with a list of them, or - for a list on standard input.
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    /// The folder for the plan.
    #[arg(long, short, value_name = "PLAN", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
    /// Plans only the K-th of N parts of the list; `merge` joins the plans.
    #[arg(long, value_name = "K/N")]
    pub shard: Option<String>,
    /// Runs these transforms and no others.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leaves out these transforms.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Only tries again what failed the last time.
    #[arg(long)]
    pub retry_failed: bool,
    /// How to work.
    #[command(flatten)]
    pub work: WorkArgs,
}

/// What `migrate apply` is told.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The folder of the plan.
    #[arg(value_name = "PLAN", value_hint = ValueHint::DirPath)]
    pub plan: PathBuf,
    /// Takes over decisions that a review saved elsewhere; PLAN/decisions.json is always read.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub decisions: Vec<PathBuf>,
    /// Accepts what no review decided; what was rejected stays rejected.
    #[arg(long, value_name = "WHAT")]
    pub accept: Option<Accept>,
    /// The branch to make.
    #[arg(long, value_name = "NAME", default_value = "dockeropt")]
    pub branch: String,
    /// Pushes the branch to this remote; a repository that was cloned has the remote origin.
    #[arg(long, value_name = "REMOTE")]
    pub push: Option<String>,
    /// Prints the git commands, and changes nothing.
    ///
    /// They can be run as they are, and hold the new text of the files, secrets included.
    #[arg(long)]
    pub dry_run: bool,
    /// What to do with a repository that moved since the plan.
    #[arg(long, value_name = "WHAT", default_value = "replan")]
    pub moved: Moved,
    /// Also tries again what failed the last time.
    #[arg(long)]
    pub retry_failed: bool,
    /// The author of the commits; the one that git is configured with by default.
    #[arg(long, value_name = "NAME <EMAIL>")]
    pub author: Option<String>,
    /// Adds a Signed-off-by line, as git does with format.signOff.
    #[arg(long)]
    pub signoff: bool,
    /// How to work.
    #[command(flatten)]
    pub work: WorkArgs,
}

/// What `migrate status` is told.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The folder of the plan.
    #[arg(value_name = "PLAN", value_hint = ValueHint::DirPath)]
    pub plan: PathBuf,
    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: StatusFormat,
}

/// What `migrate merge` is told.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The folders of the plans.
    #[arg(value_name = "PLAN", required = true, value_hint = ValueHint::DirPath)]
    pub plans: Vec<PathBuf>,
    /// The folder for the joined plan.
    #[arg(long, short, value_name = "PLAN", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
}

/// How to work on many repositories.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Work")]
pub struct WorkArgs {
    /// How many repositories to work on at the same time; twice the number of processors by default,
    /// as most of the time is spent on waiting for servers.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// How many seconds a repository may take.
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    pub timeout: u64,
    /// How many megabytes a clone may take.
    #[arg(long, value_name = "MB", default_value = "1000")]
    pub max_size: u64,
    /// Where clones are kept; dockeropt in the user's cache folder by default.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
    /// Prints errors only.
    #[arg(long, short)]
    pub quiet: bool,
}

/// What stands in for a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accept {
    /// What `fix` makes: the fixes that are safe and don't build on unsafe ones.
    Safe,
    /// What `fix --unsafe` makes.
    All,
}

/// What to do with a repository that moved since the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Moved {
    /// Look anew, and apply those of the accepted fixes that are still there.
    Replan,
    /// Leave it alone.
    Skip,
}

/// How `status` is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// A table.
    Text,
    /// One JSON object, for programs.
    Json,
}
