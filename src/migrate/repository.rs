//! A repository that can be read and committed to.

use std::path::PathBuf;

use super::cache::{self, Cache, Clone, advertised};
use super::git::{Git, Trouble};
use super::sources::{Place, Source};

/// A repository with the commit to start from.
#[derive(Debug)]
pub(super) struct Repository {
    /// git for it.
    pub(super) git: Git,
    /// The commit.
    pub(super) commit: String,
    /// The branch that others work on: the default branch, or what is checked out.
    pub(super) branch: Option<String>,
    /// The folder with the files, if it is one of this machine that has them.
    pub(super) work_tree: Option<PathBuf>,
    /// Where it was cloned to.
    clone: Option<Clone>,
}

impl Repository {
    /// Finds a repository and brings here what is needed to read it.
    pub(super) fn open(source: &Source, git: &Git, cache: &Cache) -> Result<Self, Trouble> {
        let reference = source.reference.as_deref();
        match source.place.as_ref().map_err(Trouble::new)? {
            Place::Url(url) => {
                let what = advertised(git, url, reference)?;
                let clone = cache.take(url, reference)?;
                cache.fetch(git, &clone, url, &what)?;
                Ok(Self {
                    git: git.of(&clone.folder),
                    commit: what.commit,
                    branch: what.default,
                    work_tree: None,
                    clone: Some(clone),
                })
            }
            Place::Folder(folder) => {
                let shown = folder.to_string_lossy();
                // Found by git itself, which refuses what belongs to another user.
                let found =
                    git.text(&["-C", &shown, "rev-parse", "--absolute-git-dir", "--is-bare-repository"])?;
                let (directory, bare) = found.rsplit_once('\n').unwrap_or((&found, "true"));
                let git = git.of(directory.as_ref()).inside(folder);
                let name = reference.unwrap_or("HEAD");
                let commit =
                    git.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled(name)]);
                let commit = commit.map_err(|trouble| match reference {
                    _ if trouble.interrupted => trouble,
                    None => Trouble::new("is empty: it has no commits"),
                    Some(name) => Trouble::new(format!("has no branch, tag or commit `{name}`")),
                })?;
                let branch = git.text(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok();
                let work_tree = (bare != "true").then(|| folder.clone());
                Ok(Self { git, commit, branch, work_tree, clone: None })
            }
        }
    }

    /// Whether it was cloned.
    pub(super) fn is_clone(&self) -> bool {
        self.clone.is_some()
    }

    /// Brings files here that were left out of the clone.
    pub(super) fn need(&self, cache: &Cache, ids: &[&str]) -> Result<(), Trouble> {
        if self.is_clone() && !ids.is_empty() { cache::fetch_files(&self.git, cache, ids) } else { Ok(()) }
    }

    /// Why nothing may be committed beside what is in the work tree, if that is so.
    pub(super) fn unclean(&self) -> Result<Option<String>, Trouble> {
        let Some(folder) = &self.work_tree else { return Ok(None) };
        let folder = folder.to_string_lossy();
        let status = ["--work-tree", &folder, "status", "--porcelain=v1", "--untracked-files=no"];
        let changed = self.git.text(&[&status[..], &["--ignore-submodules=all"]].concat())?;
        Ok(changed.lines().next().map(|line| {
            format!("has uncommitted changes ({}); commit or stash them", line.get(3..).unwrap_or_default())
        }))
    }
}

fn peeled(name: &str) -> String {
    format!("{name}^{{commit}}")
}
