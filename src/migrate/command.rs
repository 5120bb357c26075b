//! From the command line of `migrate` to its exit code.

use std::io::{Write, stderr, stdin, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};

use super::accept::waiting;
use super::apply::{Applying, Became, apply};
use super::arguments::{
    Accept, ApplyArgs, MergeArgs, MigrateArgs, MigrateCommand, PlanArgs, StatusArgs, StatusFormat, WorkArgs,
};
use super::cache::Cache;
use super::choice::Choices;
use super::commit::Committer;
use super::decisions::Decisions;
use super::folder::Folder;
use super::git::Trouble;
use super::journal::{Event, Journal};
use super::lock::Lock;
use super::merge::merge;
use super::message::counted;
use super::plan::{Choice, Status};
use super::planner::{Planning, Totals, plan};
use super::{sources, status};
use crate::cli::Color;
use crate::ordered;
use crate::palette::Palette;
use crate::problem::printable;
use crate::process::Limits;
use crate::progress::Progress;
use crate::run::{ERROR, print};

/// Runs `migrate`.
pub(crate) fn run(arguments: &MigrateArgs, color: Color) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        MigrateCommand::Plan(arguments) => run_plan(arguments, color),
        MigrateCommand::Apply(arguments) => run_apply(arguments, color),
        MigrateCommand::Status(arguments) => run_status(arguments),
        MigrateCommand::Merge(arguments) => run_merge(arguments, color),
    }
}

fn run_plan(arguments: &PlanArgs, color: Color) -> anyhow::Result<ExitCode> {
    let mut sources = sources::read(&arguments.sources, stdin().lock())?;
    if let Some(part) = &arguments.shard {
        sources = sources::shard(sources, part)?;
    }
    let work = &arguments.work;
    let folder = Folder::new(&arguments.output);
    std::fs::create_dir_all(&arguments.output).with_context(|| arguments.output.display().to_string())?;
    let _lock = lock(&folder)?;
    let (journal, past) = Journal::open(&folder.path("journal.jsonl"))?;
    let planning = Planning {
        folder: &folder,
        sources: &sources,
        choice: Choice { only: arguments.only.clone(), skip: arguments.skip.clone() },
        cache: cache(work)?,
        limits: Limits::with_interrupts(None).context("can't listen for interrupts")?,
        timeout: Duration::from_secs(work.timeout),
        jobs: jobs(work),
        quiet: work.quiet,
        retry_failed: arguments.retry_failed,
    };
    let totals = plan(&planning, &journal, &past)?;
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    tell_failures(&folder, &names, color);
    if !work.quiet {
        tell_totals(&totals, &arguments.output);
    }
    Ok(if totals.failed + totals.errors > 0 { ERROR.into() } else { ExitCode::SUCCESS })
}

fn run_merge(arguments: &MergeArgs, color: Color) -> anyhow::Result<ExitCode> {
    let folder = Folder::new(&arguments.output);
    std::fs::create_dir_all(&arguments.output).with_context(|| arguments.output.display().to_string())?;
    let _lock = lock(&folder)?;
    let plans: Vec<Folder> = arguments.plans.iter().map(|path| Folder::new(path)).collect();
    let (names, totals) = merge(&plans, &folder)?;
    tell_failures(&folder, &names.iter().map(String::as_str).collect::<Vec<_>>(), color);
    tell_totals(&totals, &arguments.output);
    Ok(if totals.failed + totals.errors > 0 { ERROR.into() } else { ExitCode::SUCCESS })
}

/// Says what could not be looked at.
fn tell_failures(folder: &Folder, names: &[&str], color: Color) {
    let style = Palette::choose(color, &stderr()).removed;
    let mut err = stderr().lock();
    for entry in names.iter().filter_map(|name| folder.entry(name).ok()) {
        if let Some(Trouble { reason, .. }) = entry.failure.filter(|_| entry.status == Status::Failed) {
            let _ =
                writeln!(err, "{style}error:{style:#} {}: {}", printable(&entry.source), printable(&reason));
        }
        for error in &entry.errors {
            let place = error.line.map_or_else(String::new, |line| format!(":{line}"));
            let (name, path, message) = (&entry.name, printable(&error.path), printable(&error.message));
            let _ = writeln!(err, "{style}error:{style:#} {name}: {path}{place}: {message}");
        }
    }
}

fn tell_totals(totals: &Totals, output: &Path) {
    let Totals { planned, nothing, failed, files, fixes, safe, waiting, .. } = totals;
    let repositories = counted(planned + nothing + failed, "repository", "repositories");
    let (fixes, files) = (counted(*fixes, "fix", "fixes"), counted(*files, "file", "files"));
    let page = output.join("report.html");
    let waiting = match waiting {
        0 => String::new(),
        _ => format!(", {waiting} more once unsafe ones are accepted"),
    };
    let _ = writeln!(
        stderr(),
        "{repositories}: {planned} would change, {nothing} need nothing, {failed} failed; {fixes} ({safe} safe{waiting}) \
         in {files}; review {}",
        page.display()
    );
}

fn run_apply(arguments: &ApplyArgs, color: Color) -> anyhow::Result<ExitCode> {
    let folder = Folder::new(&arguments.plan);
    let index = folder.index()?;
    let _lock = lock(&folder)?;
    let (journal, past) = Journal::open(&folder.path("journal.jsonl"))?;
    let decisions = decisions(&folder, arguments)?;
    let time = match past.time {
        Some(time) => time,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    let work = &arguments.work;
    let applying = Applying {
        folder: &folder,
        choices: Choices::new(index.head.choice.clone())?,
        decisions,
        accept: arguments.accept,
        branch: arguments.branch.clone(),
        push: arguments.push.clone(),
        dry_run: arguments.dry_run,
        moved: arguments.moved,
        retry_failed: arguments.retry_failed,
        committer: Committer {
            author: arguments.author.as_deref().map(author).transpose()?,
            time,
            signoff: arguments.signoff,
        },
        cache: cache(work)?,
        limits: Limits::with_interrupts(None).context("can't listen for interrupts")?,
        timeout: Duration::from_secs(work.timeout),
    };
    let journal = (!arguments.dry_run).then_some(&journal);
    if let Some(journal) = journal.filter(|_| past.time.is_none()) {
        journal.add(&[Event::Apply { time }])?;
    }
    let names: Vec<&str> = index.repositories.iter().map(|name| name.name.as_str()).collect();
    let mut progress = Progress::new(names.len(), "repositories", !work.quiet);
    let style = Palette::choose(color, &stderr()).removed;
    let (mut branches, mut commits, mut new, mut skipped, mut failed) = (0, 0, 0, 0, 0);
    let mut failure = None;
    ordered::for_each(
        &names,
        jobs(work),
        |name| (*name, apply(name, &applying, journal, &past)),
        |(name, became)| {
            progress.advance();
            progress.aside(|| match became {
                Ok(Became::Nothing) => {}
                Ok(Became::Applied { commits: count, now }) => {
                    branches += 1;
                    commits += count;
                    new += usize::from(now);
                }
                Ok(Became::Shown(commands)) => {
                    let commands = commands.join("\n");
                    let _ = writeln!(stdout(), "# {name}\n(\nset -e\n{}\n)", printable(&commands));
                }
                Ok(Became::Skipped(reason)) => {
                    skipped += 1;
                    if !work.quiet {
                        let _ = writeln!(stderr(), "skipped: {name}: {}", printable(&reason));
                    }
                }
                Ok(Became::Failed(trouble)) => {
                    failed += 1;
                    let reason = printable(&trouble.reason).into_owned();
                    let _ = writeln!(stderr(), "{style}error:{style:#} {name}: {reason}");
                }
                Err(error) => failure = Some(error.context(name.to_owned())),
            });
            if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    progress.finish();
    if let Some(error) = failure {
        return Err(error);
    }
    if let Some(journal) = journal {
        journal.add(&[Event::Done])?;
        if !work.quiet {
            let (branches, commits) =
                (counted(branches, "branch", "branches"), counted(commits, "commit", "commits"));
            let _ = writeln!(
                stderr(),
                "{branches} with {commits}, {new} of them new; {skipped} skipped, {failed} failed"
            );
            if applying.accept == Some(Accept::Safe) {
                tell_waiting(&applying, &names);
            }
        }
    }
    Ok(if failed > 0 { ERROR.into() } else { ExitCode::SUCCESS })
}

/// Says of how many safe fixes nothing came, as they build on unsafe ones, and how to get them.
fn tell_waiting(applying: &Applying<'_>, names: &[&str]) {
    let entries = names.iter().filter_map(|name| applying.folder.entry(name).ok());
    let waiting: usize = entries.map(|entry| waiting(&entry, &applying.decisions)).sum();
    let page = applying.folder.path("report.html");
    let (fixes, build) = match waiting {
        0 => return,
        1 => ("1 safe fix".to_owned(), "builds on an unsafe one and is"),
        _ => (format!("{waiting} safe fixes"), "build on unsafe ones and are"),
    };
    let _ = writeln!(
        stderr(),
        "{fixes} {build} not made by --accept safe: accept the unsafe ones, too, in {}, or pass --accept all",
        page.display()
    );
}

/// What was decided: what the plan's folder has, and what reviews saved elsewhere, which is taken over.
fn decisions(folder: &Folder, arguments: &ApplyArgs) -> anyhow::Result<Decisions> {
    let path = folder.path("decisions.json");
    let kept = Decisions::read(&path)?;
    if kept.is_none() && arguments.decisions.is_empty() && arguments.accept.is_none() {
        bail!(
            "nothing was decided: open {}, save decisions.json from there into the same folder, or pass \
             --accept safe",
            folder.path("report.html").display()
        );
    }
    let mut decisions = kept.unwrap_or_default();
    for file in &arguments.decisions {
        let more = Decisions::read(file)?.with_context(|| format!("{}: no such file", file.display()))?;
        decisions.merge(more);
    }
    if !arguments.decisions.is_empty() && !arguments.dry_run {
        decisions.write(&path).with_context(|| path.display().to_string())?;
    }
    Ok(decisions)
}

fn run_status(arguments: &StatusArgs) -> anyhow::Result<ExitCode> {
    let status = status::read(&Folder::new(&arguments.plan))?;
    let text = match arguments.format {
        StatusFormat::Text => status::table(&status),
        StatusFormat::Json => format!("{}\n", serde_json::to_string_pretty(&status)?),
    };
    print(text.as_bytes())
}

fn author(text: &str) -> anyhow::Result<(String, String)> {
    let parts = text.split_once('<').and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix('>')?)));
    let is_right = |(name, address): &(&str, &str)| !name.is_empty() && address.contains('@');
    let (name, address) = parts.filter(is_right).context("--author: `Name <email>` is wanted")?;
    Ok((name.to_owned(), address.to_owned()))
}

fn lock(folder: &Folder) -> anyhow::Result<Lock> {
    Lock::take(&folder.path("lock")).map_err(anyhow::Error::msg)
}

fn cache(work: &WorkArgs) -> anyhow::Result<Cache> {
    Cache::new(work.cache.as_deref(), work.max_size.saturating_mul(1_000_000))
}

fn jobs(work: &WorkArgs) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    work.jobs.map_or_else(|| 2 * processors(), usize::from)
}
