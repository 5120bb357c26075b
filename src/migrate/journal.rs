//! What was done, line by line, so that a run that was killed goes on where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::git::Trouble;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    /// A plan was begun; the key stands for what it is of.
    Plan { key: String },
    /// A repository was looked at, and what was found is kept.
    Looked { name: String },
    /// The plan is done.
    Planned,
    /// Commits are made from now on, with this time, in seconds since 1970.
    Apply { time: u64 },
    /// The commits of a repository are made, and its branch will be.
    Made(Made),
    /// A branch is there.
    Applied { name: String },
    /// It is on a remote, too.
    Pushed { name: String, remote: String },
    /// Something failed with a repository.
    Failed { name: String, step: Step, trouble: Trouble },
    /// A repository was passed over.
    Skipped { name: String, reason: String },
    /// All that was to be applied is.
    Done,
}

/// Commits that were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) name: String,
    pub(super) branch: String,
    /// The commit that they start from.
    pub(super) base: String,
    /// The last of them.
    pub(super) head: String,
    /// How many there are.
    pub(super) commits: usize,
    /// What was accepted, as a mark.
    pub(super) accepted: String,
    /// What else is to be said, such as accepted fixes that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) remarks: Vec<String>,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Apply,
    Push,
}

/// Where a repository stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The commits, if they were made.
    pub(super) made: Option<Made>,
    /// Whether the branch is there.
    pub(super) applied: bool,
    /// The remotes that it was pushed to.
    pub(super) pushed: BTreeSet<String>,
    /// What failed last, and was not done since.
    pub(super) failed: Option<(Step, Trouble)>,
    /// Why it was passed over the last time.
    pub(super) skipped: Option<String>,
}

/// What was done so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// The plan that was begun last.
    pub(super) key: Option<String>,
    /// What was looked at for it.
    pub(super) looked: BTreeSet<String>,
    /// Whether it is done.
    pub(super) planned: bool,
    /// The time for commits, while not all is applied.
    pub(super) time: Option<u64>,
    /// Where each repository stands.
    pub(super) states: BTreeMap<String, State>,
}

impl Past {
    fn add(&mut self, event: Event) {
        match event {
            // What an earlier plan led to is not known any more; branches that are there speak for
            // themselves.
            Event::Plan { key } => *self = Self { key: Some(key), ..Self::default() },
            Event::Looked { name } => drop(self.looked.insert(name)),
            Event::Planned => self.planned = true,
            Event::Apply { time } => self.time = Some(time),
            Event::Done => self.time = None,
            Event::Made(made) => {
                let name = made.name.clone();
                let state = State { made: Some(made), ..State::default() };
                self.states.insert(name, state);
            }
            Event::Applied { name } => {
                let state = self.states.entry(name).or_default();
                (state.applied, state.failed, state.skipped) = (true, None, None);
            }
            Event::Pushed { name, remote } => {
                let state = self.states.entry(name).or_default();
                state.pushed.insert(remote);
                (state.failed, state.skipped) = (None, None);
            }
            Event::Failed { name, step, trouble } => {
                let state = self.states.entry(name).or_default();
                (state.failed, state.skipped) = (Some((step, trouble)), None);
            }
            Event::Skipped { name, reason } => {
                let state = self.states.entry(name).or_default();
                (state.failed, state.skipped) = (None, Some(reason));
            }
        }
    }
}

/// The journal of a plan.
#[derive(Debug)]
pub(super) struct Journal(Mutex<File>);

impl Journal {
    /// Opens the journal and reads what was done.
    pub(super) fn open(path: &Path) -> anyhow::Result<(Self, Past)> {
        let context = || path.display().to_string();
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).read(true).write(true).open(path);
        let mut file = file.with_context(context)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(context)?;
        // A run that was killed may have left a part of a line.
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).with_context(context)?;
        Ok((Self(Mutex::new(file)), replay(&text[..whole]).with_context(context)?))
    }

    /// Reads what was done.
    pub(super) fn read(path: &Path) -> anyhow::Result<Past> {
        let context = || path.display().to_string();
        let text = std::fs::read(path).with_context(context)?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        replay(&text[..whole]).with_context(context)
    }

    /// Notes that something happened.
    pub(super) fn add(&self, events: &[Event]) -> std::io::Result<()> {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&lines)
    }
}

fn replay(text: &[u8]) -> anyhow::Result<Past> {
    let mut past = Past::default();
    for (at, line) in text.split(|&byte| byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        past.add(serde_json::from_slice(line).with_context(|| format!("line {}", at + 1))?);
    }
    Ok(past)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let looked = |name: &str| Event::Looked { name: name.to_owned() };
        let (journal, _) = Journal::open(&path).unwrap();
        journal.add(&[Event::Plan { key: "k".to_owned() }, looked("a")]).unwrap();
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"event\":\"loo");
        std::fs::write(&path, text).unwrap();
        let (journal, past) = Journal::open(&path).unwrap();
        assert!(past.looked.contains("a") && !past.planned);
        journal.add(&[looked("b"), Event::Planned]).unwrap();
        let past = Journal::read(&path).unwrap();
        assert!(past.planned && past.looked.len() == 2);
    }

    #[test]
    fn a_new_plan_forgets_what_was_done() {
        let mut past = Past::default();
        past.add(Event::Skipped { name: "a".to_owned(), reason: "r".to_owned() });
        past.add(Event::Plan { key: "k".to_owned() });
        assert!(past.states.is_empty());
    }
}
