//! `migrate plan`: looks at all repositories, and writes down what would change.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::{Context, bail};

use super::cache::Cache;
use super::choice::Choices;
use super::folder::{Folder, write, write_entry};
use super::git::{Git, Trouble};
use super::graph::{self, Node};
use super::journal::{Event, Journal, Past};
use super::message::body;
use super::names::mark;
use super::page;
use super::patch::{Sender, file_name, mail};
use super::plan::{Choice, Entry, Head, Status, VERSION};
use super::sources::Source;
use super::stack::Stacks;
use super::survey::{blank, survey};
use crate::ordered;
use crate::process::Limits;
use crate::progress::Progress;

/// How to plan.
pub(super) struct Planning<'a> {
    pub(super) folder: &'a Folder,
    pub(super) sources: &'a [Source],
    pub(super) choice: Choice,
    pub(super) cache: Cache,
    pub(super) limits: Limits,
    pub(super) timeout: Duration,
    pub(super) jobs: usize,
    pub(super) quiet: bool,
    pub(super) retry_failed: bool,
}

/// What a plan has, in numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) planned: usize,
    pub(super) nothing: usize,
    pub(super) failed: usize,
    pub(super) files: usize,
    pub(super) fixes: usize,
    /// Those that are made when only safe ones are.
    pub(super) safe: usize,
    /// Safe ones that build on unsafe ones.
    pub(super) waiting: usize,
    /// Files that could not be looked at.
    pub(super) errors: usize,
}

/// Looks at all repositories that the journal doesn't have, and then writes the plan.
pub(super) fn plan(planning: &Planning<'_>, journal: &Journal, past: &Past) -> anyhow::Result<Totals> {
    let choices = Choices::new(planning.choice.clone())?;
    let done = begin(planning, journal, past)?;
    let todo: Vec<&Source> = planning.sources.iter().filter(|source| !done.contains(&source.name)).collect();
    let mut progress = Progress::new(todo.len(), "repositories", !planning.quiet);
    let mut failure = None;
    ordered::for_each(
        &todo,
        planning.jobs,
        |source| look(source, planning, &choices, journal),
        |looked| {
            progress.advance();
            match looked {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        },
    );
    progress.finish();
    if let Some(error) = failure {
        return Err(error);
    }
    let names: Vec<&str> = planning.sources.iter().map(|source| source.name.as_str()).collect();
    let totals = write_down(planning.folder, &names, &planning.choice, planning.jobs)?;
    journal.add(&[Event::Planned])?;
    Ok(totals)
}

/// Notes that a plan begins, or that it goes on; the repositories that were looked at.
fn begin(planning: &Planning<'_>, journal: &Journal, past: &Past) -> anyhow::Result<BTreeSet<String>> {
    let key = key(planning);
    if past.key.as_ref() == Some(&key) && !past.planned && !planning.retry_failed {
        return Ok(past.looked.clone());
    }
    let mut done = BTreeSet::new();
    if planning.retry_failed {
        for source in planning.sources {
            let entry = planning.folder.entry(&source.name);
            if entry.is_ok_and(|entry| entry.status != Status::Failed) {
                done.insert(source.name.clone());
            }
        }
    }
    let looked = done.iter().map(|name| Event::Looked { name: name.clone() });
    let events: Vec<Event> = std::iter::once(Event::Plan { key }).chain(looked).collect();
    journal.add(&events)?;
    Ok(done)
}

/// What a plan is of: a run with the same goes on where one that was killed was.
fn key(planning: &Planning<'_>) -> String {
    let Choice { only, skip } = &planning.choice;
    let mut texts = vec![env!("CARGO_PKG_VERSION").to_owned(), only.join(","), skip.join(",")];
    for source in planning.sources {
        let reference = source.reference.clone().unwrap_or_default();
        texts.extend([source.name.clone(), source.text.clone(), reference, source.images.join(",")]);
    }
    mark(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Looks at one repository and keeps what was found. What fails there is kept, too; only what concerns the
/// plan itself is an error.
fn look(
    source: &Source,
    planning: &Planning<'_>,
    choices: &Choices,
    journal: &Journal,
) -> anyhow::Result<()> {
    let git = Git::new(&planning.limits, planning.timeout);
    let (entry, stacks) = match survey(source, &git, &planning.cache, choices) {
        Ok(found) => found,
        Err(Trouble { interrupted: true, .. }) => bail!("interrupted; the same command goes on from here"),
        Err(trouble) => (Entry { failure: Some(trouble), ..blank(source) }, Stacks::default()),
    };
    planning.folder.keep(&entry, &stacks).with_context(|| entry.name.clone())?;
    journal.add(&[Event::Looked { name: entry.name }])?;
    Ok(())
}

/// Writes the plan of the repositories that were looked at: who uses whose image, patches, `plan.json`,
/// and the page.
pub(super) fn write_down(
    folder: &Folder,
    names: &[&str],
    choice: &Choice,
    jobs: usize,
) -> anyhow::Result<Totals> {
    let entry = |name: &str| folder.entry(name).with_context(|| format!("{name}: what was kept of it"));
    let nodes: Vec<Node> =
        names.iter().map(|name| Ok(Node::of(&entry(name)?))).collect::<anyhow::Result<_>>()?;
    let users = graph::users(&nodes);
    drop(nodes);
    let author = Git::new(&Limits::none(), Duration::from_secs(60)).text(&["var", "GIT_AUTHOR_IDENT"]);
    let author = author.ok().and_then(|author| author.rfind('>').map(|end| author[..=end].to_owned()));
    let author = author.unwrap_or_else(|| "dockeropt <dockeropt@localhost>".to_owned());
    let finish = |name: &&str| {
        let mut entry = entry(name)?;
        graph::mark(&mut entry, users.get(*name).cloned().unwrap_or_default());
        patches(folder, &entry, &author).with_context(|| (*name).to_owned())?;
        Ok::<_, anyhow::Error>((serde_json::to_vec(&entry)?, Totals::of(&entry)))
    };
    let head = Head { version: VERSION, tool: env!("CARGO_PKG_VERSION").to_owned(), choice: choice.clone() };
    let mut totals = Totals::default();
    let mut failure = None;
    write(&folder.path("plan.json"), |plan| {
        let head = serde_json::to_string(&head)?;
        write!(plan, "{},\"repositories\":[", head.strip_suffix('}').unwrap_or(&head))?;
        let mut written: io::Result<()> = Ok(());
        let mut is_first = true;
        ordered::for_each(names, jobs, finish, |finished| {
            let (entry, numbers) = match finished {
                Ok(finished) => finished,
                Err(error) => {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            };
            totals.add(&numbers);
            let between: &[u8] = if is_first { b"\n" } else { b",\n" };
            is_first = false;
            written = plan.write_all(between).and_then(|()| plan.write_all(&entry));
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        written?;
        match failure.take() {
            Some(error) => Err(io::Error::other(format!("{error:#}"))),
            None => plan.write_all(b"\n]}\n"),
        }
    })
    .context("plan.json")?;
    page::write_page(folder).context("report.html")?;
    folder.retain(&names.iter().copied().collect())?;
    Ok(totals)
}

/// Writes the patches of a repository, and what is said in a request.
fn patches(folder: &Folder, entry: &Entry, author: &str) -> anyhow::Result<()> {
    let place = folder.of(&entry.name);
    if entry.status == Status::Planned {
        let mut stacks = folder.stacks(&entry.name)?;
        let safe = if entry.used_by.is_empty() { stacks.safe } else { stacks.neutral };
        stacks.all.iter_mut().for_each(|part| graph::mark_part(part, entry));
        let sender = Sender { author, date: entry.date.as_deref().unwrap_or_default() };
        for (kind, parts) in [("safe", &safe), ("all", &stacks.all)] {
            let folder = place.join("patches").join(kind);
            std::fs::create_dir_all(&folder)?;
            for (at, part) in parts.iter().enumerate() {
                let mail = mail(part, at + 1, parts.len(), &sender);
                write(&folder.join(file_name(at + 1, part)), |out| out.write_all(&mail))?;
            }
        }
        let text = body(entry, if safe.is_empty() { &stacks.all } else { &safe }, &[]);
        write(&place.join("body.md"), |out| out.write_all(text.as_bytes()))?;
    }
    Ok(write_entry(&place.join("repository.json"), entry)?)
}

impl Totals {
    fn of(entry: &Entry) -> Self {
        let of_status = |status| usize::from(entry.status == status);
        Self {
            planned: of_status(Status::Planned),
            nothing: of_status(Status::Nothing),
            failed: of_status(Status::Failed),
            files: entry.files.iter().filter(|file| !file.fixes.is_empty()).count(),
            fixes: entry.fixes().count(),
            safe: entry.fixes().filter(|(_, fix)| fix.is_made_by_safe()).count(),
            waiting: entry.fixes().filter(|(_, fix)| fix.is_safe() && !fix.is_made_by_safe()).count(),
            errors: entry.errors.len(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.nothing += other.nothing;
        self.failed += other.failed;
        self.files += other.files;
        self.fixes += other.fixes;
        self.safe += other.safe;
        self.waiting += other.waiting;
        self.errors += other.errors;
    }
}
