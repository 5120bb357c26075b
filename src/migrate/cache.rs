//! Clones: shallow and without files where the server allows, kept for the next time.

use std::fs;
use std::path::{Path, PathBuf};

use super::git::{Git, Trouble};
use super::lock::Lock;
use super::names::mark;

/// Where the commit that was fetched last is noted in a clone.
const FETCHED: &str = "refs/dockeropt/base";

/// What git notes when it fetches without files: that the server has them. With a server that can't be
/// asked for one, git would ask for ever.
const PROMISE: [&str; 3] =
    ["remote.origin.promisor", "remote.origin.partialclonefilter", "extensions.partialClone"];

/// The clones.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    /// How many bytes a clone may have.
    most: u64,
}

/// What a server says that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advertised {
    /// The commit that was asked for.
    pub(super) commit: String,
    /// The full name of the reference to fetch, or the commit.
    pub(super) wanted: String,
    /// The default branch.
    pub(super) default: Option<String>,
}

/// A clone that nobody else uses until it is dropped.
#[derive(Debug)]
pub(super) struct Clone {
    /// Its folder, a bare repository.
    pub(super) folder: PathBuf,
    _lock: Lock,
}

impl Cache {
    /// The clones in a folder; in the user's cache folder if none is named.
    pub(super) fn new(folder: Option<&Path>, most: u64) -> anyhow::Result<Self> {
        let folder = match folder {
            Some(folder) => std::path::absolute(folder)?,
            None => {
                let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
                let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
                cache
                    .ok_or_else(|| anyhow::anyhow!("HOME is not set; name a folder by --cache"))?
                    .join("dockeropt")
            }
        };
        Ok(Self { folder, most })
    }

    /// Takes the clone of a URL, which may not be there yet.
    pub(super) fn take(&self, url: &str, reference: Option<&str>) -> Result<Clone, Trouble> {
        fs::create_dir_all(&self.folder)?;
        let name = mark(&[url, reference.unwrap_or_default()]);
        let lock = Lock::wait(&self.folder.join(format!("{name}.lock")))?;
        Ok(Clone { folder: self.folder.join(format!("{name}.git")), _lock: lock })
    }

    /// Brings the advertised commit into a clone.
    pub(super) fn fetch(
        &self,
        git: &Git,
        clone: &Clone,
        url: &str,
        what: &Advertised,
    ) -> Result<(), Trouble> {
        let folder = &clone.folder;
        if folder.exists() {
            // Left behind by a git that was killed: nobody else works here, as the clone is locked.
            let _ = fs::remove_file(folder.join(format!("{FETCHED}.lock")));
            if git.of(folder).with("GIT_NO_LAZY_FETCH", "1").run(&["cat-file", "-e", &tree(what)]).is_ok() {
                return git.of(folder).run(&["update-ref", FETCHED, &what.commit]).map(drop);
            }
            // What a killed run left behind may be in the way; then a new clone is made.
            match self.fill(git, folder, what) {
                Ok(()) => return Ok(()),
                Err(trouble) if trouble.interrupted => return Err(trouble),
                Err(_) => fs::remove_dir_all(folder)?,
            }
        }
        let temporary = folder.with_extension("new");
        if temporary.exists() {
            fs::remove_dir_all(&temporary)?;
        }
        let made = self.make(git, &temporary, url, what);
        match made {
            Ok(()) => Ok(fs::rename(&temporary, folder)?),
            Err(trouble) => {
                let _ = fs::remove_dir_all(&temporary);
                Err(trouble)
            }
        }
    }

    fn make(&self, git: &Git, folder: &Path, url: &str, what: &Advertised) -> Result<(), Trouble> {
        let format = if what.commit.len() == 64 { "sha256" } else { "sha1" };
        let path = folder.to_string_lossy();
        git.run(&["init", "--quiet", "--bare", "--template=", "--object-format", format, "--", &path])?;
        let value = url.replace('\\', r"\\").replace('"', "\\\"");
        let remote = format!("[remote \"origin\"]\n\turl = \"{value}\"\n");
        let mut config = fs::read(folder.join("config"))?;
        config.extend_from_slice(remote.as_bytes());
        fs::write(folder.join("config"), config)?;
        self.fill(git, folder, what)
    }

    fn fill(&self, git: &Git, folder: &Path, what: &Advertised) -> Result<(), Trouble> {
        let git = git.of(folder).at_most(self.most);
        let reference = format!("+{}:{FETCHED}", what.wanted);
        let fetch = |options: &[&str]| {
            let mut arguments = vec!["-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags"];
            arguments.extend(["--no-write-fetch-head", "--no-auto-maintenance"]);
            arguments.extend_from_slice(options);
            arguments.extend(["origin", reference.as_str()]);
            git.remote(&arguments, &[]).map(drop)
        };
        let fetched = match fetch(&["--depth=1", "--filter=blob:none"]) {
            // A server that only hands out files knows neither.
            Err(trouble) if trouble.output.contains("dumb http") || trouble.output.contains("shallow") => {
                for name in PROMISE {
                    let _ = git.run(&["config", "--unset", name]);
                }
                fetch(&[])
            }
            other => other,
        };
        fetched?;
        if crate::process::size_of(folder) > self.most {
            let _ = fs::remove_dir_all(folder);
            let most = self.most / 1_000_000;
            return Err(Trouble::new(format!("has more than {most} MB, which --max-size allows")));
        }
        // What moved between the two questions is planned the next time.
        let fetched = git.text(&["rev-parse", "--verify", &format!("{FETCHED}^{{commit}}")])?;
        if fetched == what.commit {
            Ok(())
        } else {
            Err(Trouble::new("moved while it was fetched; try again"))
        }
    }
}

fn tree(what: &Advertised) -> String {
    format!("{}^{{tree}}", what.commit)
}

/// Asks a server, which may be a remote of a repository, for a reference; the default branch if it is
/// `None`.
pub(super) fn advertised(git: &Git, remote: &str, reference: Option<&str>) -> Result<Advertised, Trouble> {
    let mut arguments = vec!["ls-remote", "--symref", "--", remote, "HEAD"];
    let names: Vec<String> = match reference {
        None => Vec::new(),
        Some(name) if name.starts_with("refs/") => vec![name.to_owned()],
        Some(name) => ["refs/heads/", "refs/tags/"].iter().map(|start| format!("{start}{name}")).collect(),
    };
    let peeled: Vec<String> = names.iter().map(|name| format!("{name}^{{}}")).collect();
    arguments.extend(names.iter().chain(&peeled).map(String::as_str));
    let output = git.remote(&arguments, &[])?;
    let output = String::from_utf8_lossy(&output);
    let mut default = None;
    let mut found: Vec<(&str, &str)> = Vec::new();
    for line in output.lines() {
        let Some((value, name)) = line.split_once('\t') else { continue };
        match value.strip_prefix("ref: refs/heads/") {
            Some(branch) if name == "HEAD" => default = Some(branch.to_owned()),
            _ => found.push((value, name)),
        }
    }
    let find = |wanted: &str| found.iter().find(|(_, name)| *name == wanted).map(|(id, _)| (*id).to_owned());
    let Some(reference) = reference else {
        let Some(commit) = find("HEAD") else {
            return Err(Trouble::new("is empty: it has no commits, or none on its default branch"));
        };
        let wanted = default.as_ref().map_or("HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
        return Ok(Advertised { commit, wanted, default });
    };
    for (name, peeled) in names.iter().zip(&peeled) {
        if let Some(id) = find(peeled).or_else(|| find(name)) {
            return Ok(Advertised { commit: id, wanted: name.clone(), default });
        }
    }
    if matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let commit = reference.to_ascii_lowercase();
        return Ok(Advertised { wanted: commit.clone(), commit, default });
    }
    Err(Trouble::new(format!("has no branch or tag `{reference}`")))
}

/// Brings files into a clone that were left out when it was made, all at once.
pub(super) fn fetch_files(git: &Git, cache: &Cache, ids: &[&str]) -> Result<(), Trouble> {
    let mut input = ids.join("\n");
    input.push('\n');
    let checked =
        git.with("GIT_NO_LAZY_FETCH", "1").feed(&["cat-file", "--batch-check"], input.as_bytes())?;
    let checked = String::from_utf8_lossy(&checked);
    let missing: String = checked
        .lines()
        .filter_map(|line| line.strip_suffix(" missing"))
        .map(|id| format!("{id}\n"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let fetch = [
        "-c",
        "fetch.negotiationAlgorithm=noop",
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--filter=blob:none",
        "--stdin",
        "origin",
    ];
    git.at_most(cache.most).remote(&fetch, missing.as_bytes()).map(drop)
}
