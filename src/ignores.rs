//! The ignore files that a run changes.
//!
//! Several Dockerfiles of one context add to the same file. What they add is put together and shown and
//! written once, at the end, so that the diff can be applied and no write undoes another.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use dockeropt_facts::project::IgnoreFile;
use dockeropt_syntax::Text;

use crate::git::{self, WorkTrees};
use crate::interrupt::Temporaries;
use crate::pipeline::IgnoreChange;
use crate::problem::{Problem, describe};
use crate::write;

/// The changes of a run, by the real path of the file.
#[derive(Debug, Default)]
pub struct IgnoreFiles(BTreeMap<PathBuf, IgnoreChange>);

impl IgnoreFiles {
    /// Adds what a Dockerfile asks for, if it does.
    pub fn extend(&mut self, change: Option<IgnoreChange>) {
        let Some(change) = change else { return };
        let key = real(Path::new(&change.path));
        let Some(known) = self.0.get_mut(&key) else {
            self.0.insert(key, change);
            return;
        };
        let new = change.added.into_iter().filter(|line| !known.added.contains(line));
        let new: Vec<String> = new.collect();
        known.added.extend(new);
        let before = IgnoreFile { path: String::new(), text: known.before.clone() };
        known.after = before.with(&known.added).text.unwrap_or_default();
    }

    /// All changes, in the order of their paths.
    pub fn changes(&self) -> impl Iterator<Item = &IgnoreChange> {
        self.0.values()
    }
}

/// The real path of a file that may not be there.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    folder.join(path.file_name().unwrap_or_default())
}

/// Checks that an ignore file can be written: it is what was read, and its content is committed or
/// `allow_dirty`.
///
/// # Errors
/// If it can't; nothing was written.
pub fn check(change: &IgnoreChange, allow_dirty: bool, work_trees: &WorkTrees) -> Result<(), Problem> {
    let path = Path::new(&change.path);
    let problem = |error: &dyn Display| Problem::new(path, error);
    let found = match std::fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(problem(&describe(&error))),
    };
    if found.as_deref() != change.before.as_deref().map(Text::encode).as_deref() {
        return Err(problem(&write::WriteError::Changed));
    }
    if found.is_none() {
        return Ok(());
    }
    let target = std::fs::canonicalize(path).map_err(|error| problem(&describe(&error)))?;
    let own = real(path);
    let folder = own.parent().unwrap_or(&own);
    let tree = git::work_tree(folder).unwrap_or_else(|| folder.to_path_buf());
    if !target.starts_with(&tree) {
        return Err(problem(&"is a link out of the tree, and left as it is"));
    }
    if !allow_dirty {
        work_trees.check(&target).map_err(|error| problem(&error))?;
    }
    Ok(())
}

/// Writes an ignore file, if it is still what was read.
///
/// # Errors
/// If it can't be written; it is as it was then.
pub fn save(change: &IgnoreChange, temporaries: &Temporaries) -> Result<(), Problem> {
    let path = Path::new(&change.path);
    let after = Text::encode(&change.after);
    match &change.before {
        None => write::create(path, &after, temporaries),
        Some(before) => std::fs::canonicalize(path)
            .map_err(write::WriteError::Io)
            .and_then(|real| write::replace(&real, &Text::encode(before), &after, &[], temporaries)),
    }
    .map_err(|error| Problem::new(path, error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;

    fn change(path: &Path, before: Option<&str>, added: &[&str]) -> IgnoreChange {
        let added: Vec<String> = added.iter().map(|&line| line.to_owned()).collect();
        let file = IgnoreFile { path: path.to_str().unwrap().to_owned(), text: before.map(str::to_owned) };
        let after = file.with(&added).text.unwrap();
        IgnoreChange { path: file.path, before: file.text, after, added }
    }

    #[test]
    fn what_several_add_is_put_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dockerignore");
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let mut files = IgnoreFiles::default();
        files.extend(Some(change(&path, Some("x"), &["a", "b"])));
        files.extend(None);
        files.extend(Some(change(&folder.path().join("a/../.dockerignore"), Some("x"), &["b", "c"])));
        let changes: Vec<_> = files.changes().collect();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].after, "x\na\nb\nc\n");
    }

    #[test]
    fn a_file_that_changed_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dockerignore");
        let (new, old) = (change(&path, None, &["a"]), change(&path, Some("x\n"), &["a"]));
        let trees = WorkTrees::default();
        std::fs::write(&path, "other\n").unwrap();
        for stale in [&new, &old] {
            let refused = [check(stale, false, &trees), save(stale, &Temporaries::default())];
            for refused in refused {
                assert_eq!(refused.unwrap_err().message, "changed since it was read; nothing was written");
            }
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "other\n");
        std::fs::remove_file(&path).unwrap();
        assert!(check(&old, false, &trees).is_err());
        check(&new, false, &trees).unwrap();
        save(&new, &Temporaries::default()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
