//! What git knows about the files: where its work trees are, and what is not committed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::problem::describe;

/// The work tree that a folder, given by its real path, is in; `None` if it is in none.
pub fn work_tree(folder: &Path) -> Option<PathBuf> {
    // git itself passes over a folder `.git` that holds no repository.
    let is_root = |folder: &&Path| {
        let git = folder.join(".git");
        git.is_file() || git.join("HEAD").exists()
    };
    folder.ancestors().find(is_root).map(Path::to_path_buf)
}

/// Whether a folder is the root of a submodule. Its `.git` is a file that names a folder in the
/// `.git/modules` of the outer repository, while that of a linked work tree names `worktrees`.
pub fn is_submodule(folder: &Path) -> bool {
    let link = folder.join(".git");
    fs::symlink_metadata(&link).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 4096)
        && fs::read(&link).is_ok_and(|text| {
            let text = String::from_utf8_lossy(&text);
            text.starts_with("gitdir:") && text.replace('\\', "/").contains("/modules/")
        })
}

/// Whether a folder with a repository of its own is a submodule of the repository around it, which
/// names it in `.gitmodules`.
pub fn is_registered(folder: &Path) -> bool {
    let listed = || {
        let folder = fs::canonicalize(folder).ok()?;
        let root = work_tree(folder.parent()?)?;
        let name = folder.strip_prefix(&root).ok()?.to_str()?.replace('\\', "/");
        let modules = fs::read_to_string(root.join(".gitmodules")).ok()?;
        Some(modules.lines().any(|line| is_path(line, &name)))
    };
    listed().unwrap_or(false)
}

/// Whether a line of `.gitmodules` is `path = name`.
fn is_path(line: &str, name: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    let value = value.trim().trim_matches('"').trim_end_matches('/');
    key.trim().eq_ignore_ascii_case("path") && value == name
}

/// Why a file may not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum Unclean {
    /// Its last content is not in git.
    #[error("has uncommitted changes; commit or stash them, or pass --allow-dirty")]
    Dirty,
    /// git could not tell.
    #[error("can't tell whether it has uncommitted changes: {0}; pass --allow-dirty to go on")]
    Failed(String),
}

/// The states of work trees, asked for once each and only if a file in it is to be rewritten.
///
/// A file must be checked before it is written. Files of one work tree may be checked after others
/// of it were written: what counts is the state at the first check.
#[derive(Debug, Default)]
pub struct WorkTrees(Mutex<BTreeMap<PathBuf, State>>);

#[derive(Debug)]
enum State {
    /// The paths below the root with changes; a folder without any tracked file ends in `/`.
    Changed(Vec<Vec<u8>>),
    Failed(String),
}

impl WorkTrees {
    /// Checks that the content of `file`, given by its real path, is committed. A file outside git
    /// work trees, and one that git ignores, passes.
    pub fn check(&self, file: &Path) -> Result<(), Unclean> {
        let Some(root) = file.parent().and_then(work_tree) else { return Ok(()) };
        let Ok(name) = file.strip_prefix(&root) else { return Ok(()) };
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match states.entry(root.clone()).or_insert_with(|| ask(&root)) {
            State::Failed(message) => Err(Unclean::Failed(message.clone())),
            State::Changed(paths) => {
                let name = name.as_os_str().as_encoded_bytes();
                let covers = |path: &Vec<u8>| path == name || path.ends_with(b"/") && name.starts_with(path);
                if paths.iter().any(covers) { Err(Unclean::Dirty) } else { Ok(()) }
            }
        }
    }
}

/// Asks git about a work tree.
fn ask(root: &Path) -> State {
    let mut command = Command::new("git");
    // The variables that git sets for its hooks would point it to another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let output = command
        .env("LC_ALL", "C")
        // The repository is broken if it isn't this one; a repository around it knows nothing of the file.
        .envs(root.parent().map(|above| ("GIT_CEILING_DIRECTORIES", above)))
        .args([OsStr::new("-C"), root.as_os_str()])
        // The monitor is a program that the repository's configuration names.
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false"])
        .args(["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=all"])
        .output();
    match output {
        Ok(output) if output.status.success() => State::Changed(changed_paths(&output.stdout)),
        Ok(output) => {
            let message = String::from_utf8_lossy(&output.stderr);
            State::Failed(format!("git says: {}", message.lines().next().unwrap_or("nothing")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            State::Failed("git isn't found, and the file is in a git work tree".to_owned())
        }
        Err(error) => State::Failed(format!("git can't be started: {}", describe(&error))),
    }
}

/// Reads the paths from `git status --porcelain=v1 -z`: two letters, a space, the path; the old
/// path of a rename or copy follows as an entry without letters.
fn changed_paths(output: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = output.split(|&byte| byte == 0);
    let mut paths = Vec::new();
    while let Some(entry) = entries.next() {
        let (Some(letters), Some(path)) = (entry.get(..2), entry.get(3..)) else { continue };
        paths.push(path.to_vec());
        if letters.contains(&b'R') || letters.contains(&b'C') {
            entries.next();
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read() {
        let paths = changed_paths(b" M a b\0R  new\0old\0?? dir/\0");
        assert_eq!(paths, [b"a b".to_vec(), b"new".to_vec(), b"dir/".to_vec()]);
        assert!(changed_paths(b"").is_empty());
    }
}
