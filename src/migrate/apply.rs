//! `migrate apply`: makes the branches, and pushes them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;

use super::accept::{accepted, marked};
use super::arguments::{Accept, Moved};
use super::branch::{self, Attempt, short};
use super::cache::Cache;
use super::choice::Choices;
use super::commit::{self, Commands, Committer};
use super::decisions::Decisions;
use super::folder::{Folder, write};
use super::git::{Git, Trouble};
use super::journal::{Event, Journal, Made, Past, State, Step};
use super::message::body;
use super::plan::{Entry, Status};
use super::repository::Repository;
use super::sources::{self, Source};
use super::stack::{Accepted, Original, stack};
use super::survey::read;
use crate::process::Limits;

/// How to apply.
pub(super) struct Applying<'a> {
    pub(super) folder: &'a Folder,
    pub(super) choices: Choices,
    pub(super) decisions: Decisions,
    pub(super) accept: Option<Accept>,
    pub(super) branch: String,
    pub(super) push: Option<String>,
    pub(super) dry_run: bool,
    pub(super) moved: Moved,
    pub(super) retry_failed: bool,
    pub(super) committer: Committer,
    pub(super) cache: Cache,
    pub(super) limits: Limits,
    pub(super) timeout: Duration,
}

/// What became of a repository.
#[derive(Clone, Debug)]
pub(super) enum Became {
    /// There was nothing to do, now or at all.
    Nothing,
    /// The branch is there, with so many commits, and pushed, if that was asked for.
    Applied {
        commits: usize,
        /// Whether it was made or pushed now.
        now: bool,
    },
    /// It was passed over.
    Skipped(String),
    /// Something failed.
    Failed(Trouble),
    /// These commands would be run.
    Shown(Vec<String>),
}

/// Applies what was accepted of one repository. What fails there is noted; only what concerns the plan itself is
/// an error.
pub(super) fn apply(
    name: &str,
    applying: &Applying<'_>,
    journal: Option<&Journal>,
    past: &Past,
) -> anyhow::Result<Became> {
    let entry = applying.folder.entry(name)?;
    let state = past.states.get(name).cloned().unwrap_or_default();
    let is_left = state.failed.is_some() && !applying.retry_failed;
    if entry.status != Status::Planned || is_left {
        return Ok(Became::Nothing);
    }
    let mut work =
        Work { entry, state, applying, journal, commands: Commands::new(applying.dry_run), now: false };
    let (step, result) = work.run();
    let became = match result {
        Ok(became) => became,
        Err(Trouble { interrupted: true, .. }) => bail!("interrupted; the same command goes on from here"),
        Err(trouble) => Became::Failed(trouble),
    };
    let name = name.to_owned();
    let event = match &became {
        Became::Skipped(reason) => Event::Skipped { name, reason: reason.clone() },
        Became::Failed(trouble) => Event::Failed { name, step, trouble: trouble.clone() },
        _ => return Ok(became),
    };
    work.note(event).map_err(|trouble| anyhow::anyhow!("the journal: {}", trouble.reason))?;
    Ok(became)
}

fn has_commit(repository: &Repository, id: &str) -> bool {
    let git = repository.git.with("GIT_NO_LAZY_FETCH", "1");
    git.run(&["cat-file", "-e", &format!("{id}^{{tree}}")]).is_ok()
}

/// The work on one repository.
struct Work<'a> {
    entry: Entry,
    state: State,
    applying: &'a Applying<'a>,
    journal: Option<&'a Journal>,
    commands: Commands,
    /// Whether something was done now.
    now: bool,
}

/// What is to be committed.
struct Prepared {
    head: String,
    commits: usize,
    is_resumed: bool,
}

impl Work<'_> {
    fn run(&mut self) -> (Step, Result<Became, Trouble>) {
        match self.apply() {
            Ok(Ok((repository, head, commits))) => (Step::Push, self.push(repository, &head, commits)),
            Ok(Err(became)) => (Step::Apply, Ok(became)),
            Err(trouble) => (Step::Apply, Err(trouble)),
        }
    }

    /// Makes the branch; what is needed to push it, or what became of the repository instead.
    #[allow(clippy::type_complexity, reason = "it is taken apart at once")]
    fn apply(&mut self) -> Result<Result<(Option<Repository>, String, usize), Became>, Trouble> {
        let applying = self.applying;
        let accepted = accepted(&self.entry, &applying.decisions, applying.accept);
        if accepted.is_empty() {
            return Ok(Err(Became::Skipped("no fix was accepted".to_owned())));
        }
        let mark = marked(&accepted);
        let branch = &applying.branch;
        if let (Some(made), true) = (&self.state.made, self.state.applied)
            && made.branch == *branch
        {
            if made.accepted == mark {
                let (head, commits) = (made.head.clone(), made.commits);
                let is_pushed = |remote| self.state.pushed.contains(remote);
                if applying.push.as_ref().is_none_or(is_pushed) {
                    return Ok(Ok((None, head, commits)));
                }
                let repository = self.open()?;
                if has_commit(&repository, &head) {
                    return Ok(Ok((Some(repository), head, commits)));
                }
                // The clone was thrown away in the meantime.
                return self.make(repository, &accepted, mark);
            }
            let reason = format!(
                "the branch `{branch}` was made of other decisions; delete it and plan again, or name another \
                 by --branch"
            );
            return Ok(Err(Became::Skipped(reason)));
        }
        let repository = self.open()?;
        self.make(repository, &accepted, mark)
    }

    fn open(&self) -> Result<Repository, Trouble> {
        let git = Git::new(&self.applying.limits, self.applying.timeout);
        Repository::open(&self.source(), &git, &self.applying.cache)
    }

    /// Makes the commits and the branch.
    #[allow(clippy::type_complexity, reason = "it is taken apart at once")]
    fn make(
        &mut self,
        repository: Repository,
        accepted: &Accepted,
        mark: String,
    ) -> Result<Result<(Option<Repository>, String, usize), Became>, Trouble> {
        let branch = &self.applying.branch;
        if let Some(reason) = self.objection(&repository, &self.source())? {
            return Ok(Err(Became::Skipped(reason)));
        }
        let prepared = match self.resumed(&repository, &mark) {
            Some(prepared) => prepared,
            None => match self.prepare(&repository, accepted, mark)? {
                Ok(prepared) => prepared,
                Err(reason) => return Ok(Err(Became::Skipped(reason))),
            },
        };
        let Prepared { head, commits, is_resumed } = prepared;
        match branch::make(&repository, branch, &head, is_resumed, &mut self.commands)? {
            Attempt::Done => {}
            Attempt::Refused(reason) => return Ok(Err(Became::Skipped(reason))),
        }
        self.now = true;
        self.note(Event::Applied { name: self.entry.name.clone() })?;
        Ok(Ok((Some(repository), head, commits)))
    }

    /// Why nothing may be committed, if so.
    fn objection(&self, repository: &Repository, source: &Source) -> Result<Option<String>, Trouble> {
        if let Some(reason) = branch::is_taken(repository, source, &self.applying.branch)? {
            return Ok(Some(reason));
        }
        if let Some(reason) = repository.unclean()? {
            return Ok(Some(reason));
        }
        let planned = self.entry.commit.as_deref().unwrap_or_default();
        let moved = planned != repository.commit && self.applying.moved == Moved::Skip;
        let (from, to) = (short(planned), short(&repository.commit));
        Ok(moved.then(|| format!("moved since the plan, from {from} to {to}")))
    }

    /// The commits that a run that was killed has made, if they are what is wanted.
    fn resumed(&self, repository: &Repository, mark: &str) -> Option<Prepared> {
        let made = self.state.made.as_ref().filter(|_| !self.state.applied && !self.applying.dry_run)?;
        let is_wanted = made.accepted == mark
            && made.branch == self.applying.branch
            && made.base == repository.commit
            && has_commit(repository, &made.head);
        is_wanted.then(|| Prepared { head: made.head.clone(), commits: made.commits, is_resumed: true })
    }

    /// Makes the commits; or says why there are none.
    fn prepare(
        &mut self,
        repository: &Repository,
        accepted: &Accepted,
        mark: String,
    ) -> Result<Result<Prepared, String>, Trouble> {
        let applying = self.applying;
        let mut files = read(repository, &applying.cache)?;
        let contexts = files.contexts(repository, &applying.cache);
        let files = files.found;
        let mut originals = Vec::new();
        for file in files.iter().filter(|file| accepted.contains_key(&file.blob.path)) {
            let options =
                applying.choices.of(&file.blob.path, file.configuration.as_ref()).map_err(Trouble::new)?;
            let (path, text) = (file.blob.path.clone(), file.text.as_str().to_owned());
            let surroundings = contexts.around(&path);
            originals.push(Original { path, text, options, surroundings });
        }
        let stack = stack(&originals, accepted);
        drop(originals);
        contexts.check()?;
        if let Some((path, problem)) = stack.problems.first() {
            return Err(Trouble::new(format!("{path}: {problem}")));
        }
        let is_moved = self.entry.commit.as_deref() != Some(&repository.commit);
        if stack.parts.is_empty() {
            let reason =
                stack.left_out.first().map_or("its files are not there any more", |(_, _, why)| *why);
            let moved = if is_moved { "moved since the plan, and " } else { "" };
            return Ok(Err(format!("{moved}no accepted fix is left: {reason}")));
        }
        let remarks: Vec<String> = stack
            .left_out
            .iter()
            .map(|(path, fingerprint, reason)| format!("{path}: the fix {fingerprint} is left out: {reason}"))
            .chain(is_moved.then(|| {
                let planned = self.entry.commit.as_deref().unwrap_or_default();
                format!("planned at {}, applied to {}", short(planned), short(&repository.commit))
            }))
            .collect();
        let modes: BTreeMap<&str, &str> =
            files.iter().map(|file| (file.blob.path.as_str(), file.blob.mode.as_str())).collect();
        let (git, base) = (&repository.git, &repository.commit);
        let head = commit::make(git, base, &stack.parts, &modes, &applying.committer, &mut self.commands)?;
        let commits = stack.parts.len();
        if !applying.dry_run {
            let now = Entry { commit: Some(base.clone()), ..self.entry.clone() };
            let text = body(&now, &stack.parts, &remarks);
            write(&applying.folder.of(&now.name).join("body.md"), |out| out.write_all(text.as_bytes()))?;
        }
        let (name, branch) = (self.entry.name.clone(), applying.branch.clone());
        let made =
            Made { name, branch, base: base.clone(), head: head.clone(), commits, accepted: mark, remarks };
        self.note(Event::Made(made))?;
        Ok(Ok(Prepared { head, commits, is_resumed: false }))
    }

    /// Pushes the branch, if that was asked for.
    fn push(
        &mut self,
        repository: Option<Repository>,
        head: &str,
        commits: usize,
    ) -> Result<Became, Trouble> {
        let applying = self.applying;
        if let Some(remote) = applying.push.as_ref().filter(|remote| !self.state.pushed.contains(*remote)) {
            let repository = match repository {
                Some(repository) => repository,
                None => self.open()?,
            };
            let branch = &applying.branch;
            match branch::push(&repository.git, remote, branch, head, &mut self.commands)? {
                Attempt::Done => {}
                Attempt::Refused(reason) => return Ok(Became::Skipped(reason)),
            }
            self.now = true;
            self.note(Event::Pushed { name: self.entry.name.clone(), remote: remote.clone() })?;
        }
        Ok(match self.commands.take() {
            Some(commands) => Became::Shown(commands),
            None => Became::Applied { commits, now: self.now },
        })
    }

    fn source(&self) -> Source {
        let reference = self.entry.reference.as_deref();
        Source { name: self.entry.name.clone(), ..sources::source(&self.entry.source, reference, Vec::new()) }
    }

    fn note(&self, event: Event) -> Result<(), Trouble> {
        Ok(self.journal.map_or(Ok(()), |journal| journal.add(&[event]))?)
    }
}
