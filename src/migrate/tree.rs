//! The files of a commit: which of them are Dockerfiles, and what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};

use super::git::Git;
use super::git::Trouble;
use crate::discover::{DEPENDENCIES, LeftOut, LeftOutCounts};
use crate::names::{self, Name};
use crate::read::{LIMIT, ReadError, read_stream};

/// The most symlinks that are followed to a file, as systems have it.
const MOST_LINKS: usize = 40;

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    /// Its path from the root; it is UTF-8, as the plan is.
    pub(super) path: String,
    /// Its id.
    pub(super) id: String,
    /// Its mode, as git writes it.
    pub(super) mode: String,
    /// Whether its name leaves open that it is no Dockerfile.
    pub(super) ambiguous: bool,
}

/// Anything in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) id: String,
    /// As git writes it.
    pub(super) mode: String,
}

/// What of a commit matters.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The Dockerfiles, by path.
    pub(super) files: Vec<Blob>,
    /// The files `dockeropt.toml`.
    pub(super) configurations: Vec<Blob>,
    /// What was left out.
    pub(super) left_out: LeftOutCounts,
    /// Dockerfiles whose path can't be written in a plan.
    pub(super) odd: Vec<String>,
    /// All that lies in it, by path, as far as paths are UTF-8.
    pub(super) items: BTreeMap<String, Item>,
    /// Whether there is more.
    pub(super) is_partial: bool,
    links: Vec<Blob>,
    dependencies: BTreeSet<Vec<u8>>,
}

/// Lists a commit, by the rules of `fix`: what it would not look at is left out.
pub(super) fn list(git: &Git, commit: &str) -> Result<Listing, Trouble> {
    let mut listing = Listing::default();
    let arguments = ["ls-tree", "-r", "-z", "--full-tree", commit];
    git.stream(&arguments, &[], |output| {
        for entry in BufReader::new(output).split(0) {
            consider(&entry?, &mut listing);
        }
        Ok(())
    })?;
    if !listing.links.is_empty() {
        follow(git, commit, &mut listing)?;
    }
    let folders = listing.dependencies.len();
    if folders > 0 {
        listing.left_out.insert(LeftOut::Dependencies, folders);
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// Looks at an entry: `mode type id`, a tab, and the path.
fn consider(entry: &[u8], listing: &mut Listing) {
    let Some(tab) = entry.iter().position(|&byte| byte == b'\t') else { return };
    let (head, path) = (String::from_utf8_lossy(&entry[..tab]), &entry[tab + 1..]);
    let mut words = head.split(' ');
    let (Some(mode), Some(_), Some(id)) = (words.next(), words.next(), words.next()) else { return };
    match std::str::from_utf8(path) {
        Ok(path) => {
            let item = Item { id: id.to_owned(), mode: mode.to_owned() };
            listing.items.insert(path.to_owned(), item);
        }
        Err(_) => listing.is_partial = true,
    }
    if let Some(end) = dependencies(path) {
        listing.dependencies.insert(path[..end].to_vec());
        return;
    }
    if mode == "160000" {
        *listing.left_out.entry(LeftOut::Submodule).or_default() += 1;
        return;
    }
    let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let Ok(base) = std::str::from_utf8(base) else { return };
    let is_configuration = base == crate::config::NAME;
    let name = names::classify(OsStr::new(base));
    let left_out = match name {
        _ if is_configuration => None,
        Name::Other => return,
        Name::Template => Some(LeftOut::Template),
        Name::Companion => Some(LeftOut::OtherLanguage),
        Name::Dockerfile | Name::Ambiguous => None,
    };
    if let Some(reason) = left_out {
        *listing.left_out.entry(reason).or_default() += 1;
        return;
    }
    let Ok(path) = String::from_utf8(path.to_vec()) else {
        listing.odd.push(String::from_utf8_lossy(path).into_owned());
        return;
    };
    let ambiguous = name == Name::Ambiguous;
    let blob = Blob { path, id: id.to_owned(), mode: mode.to_owned(), ambiguous };
    match mode {
        "120000" if !is_configuration => listing.links.push(blob),
        "120000" => {}
        _ if is_configuration => listing.configurations.push(blob),
        _ => listing.files.push(blob),
    }
}

/// Where the name of a folder that holds what others wrote ends in a path.
fn dependencies(path: &[u8]) -> Option<usize> {
    let mut start = 0;
    for part in path.split(|&byte| byte == b'/') {
        let end = start + part.len();
        if end < path.len() && DEPENDENCIES.iter().any(|name| name.as_bytes() == part) {
            return Some(end);
        }
        start = end + 1;
    }
    None
}

/// Replaces symlinks by the files of the same commit that they lead to.
fn follow(git: &Git, commit: &str, listing: &mut Listing) -> Result<(), Trouble> {
    for link in std::mem::take(&mut listing.links) {
        let reason = match target(git, commit, &link.path)? {
            Target::File(file) => {
                if !listing.files.iter().any(|other| other.path == file.path) {
                    listing.files.push(Blob { ambiguous: link.ambiguous, ..file });
                }
                continue;
            }
            Target::Outside => LeftOut::OutsideLink,
            Target::Nowhere => LeftOut::BrokenLink,
        };
        *listing.left_out.entry(reason).or_default() += 1;
    }
    Ok(())
}

enum Target {
    File(Blob),
    Outside,
    Nowhere,
}

/// What a path leads to within a commit, links followed.
fn target(git: &Git, commit: &str, path: &str) -> Result<Target, Trouble> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let found = git.run(&["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", &path])?;
        let found = String::from_utf8_lossy(&found);
        let Some((head, _)) = found.split_once('\t') else { return Ok(Target::Nowhere) };
        let words: Vec<&str> = head.split(' ').collect();
        let [mode, _, id] = words[..] else { return Ok(Target::Nowhere) };
        match mode {
            "120000" => {}
            "100644" | "100755" | "100664" => {
                let (id, mode) = (id.to_owned(), mode.to_owned());
                return Ok(Target::File(Blob { path, id, mode, ambiguous: false }));
            }
            _ => return Ok(Target::Nowhere),
        }
        let leads_to = git.run(&["cat-file", "blob", id])?;
        let Ok(leads_to) = String::from_utf8(leads_to) else { return Ok(Target::Nowhere) };
        match join(&path, &leads_to) {
            Some(next) => path = next,
            None => return Ok(Target::Outside),
        }
    }
    Ok(Target::Nowhere)
}

/// The path that a link leads to, from the root; `None` if it is out of the tree.
fn join(link: &str, leads_to: &str) -> Option<String> {
    if leads_to.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in leads_to.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The sizes of files that are here, by id. What is left out of a clone is not asked for.
pub(super) fn sizes(git: &Git, ids: &BTreeSet<&str>) -> Result<BTreeMap<String, u64>, Trouble> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let input: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
    let git = git.with("GIT_NO_LAZY_FETCH", "1");
    let output = git.feed(&["cat-file", "--batch-check=%(objectname) %(objectsize)"], input.as_bytes())?;
    let output = String::from_utf8_lossy(&output);
    let sizes = output.lines().filter_map(|line| {
        let (id, size) = line.split_once(' ')?;
        Some((id.to_owned(), size.parse().ok()?))
    });
    Ok(sizes.collect())
}

/// Reads files, each by its id.
pub(super) fn contents(
    git: &Git,
    ids: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Result<Vec<u8>, ReadError>>, Trouble> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let input: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
    git.stream(&["cat-file", "--batch"], input.as_bytes(), |output| {
        let mut output = BufReader::new(output);
        let mut contents = BTreeMap::new();
        let mut head = String::new();
        while output.read_line(&mut head)? > 0 {
            let words: Vec<&str> = head.trim_end().split(' ').collect();
            let [id, kind, size] = words[..] else {
                return Err(io::Error::other(format!("git says: {}", head.trim_end())));
            };
            let size: u64 = size.parse().map_err(io::Error::other)?;
            let mut body = (&mut output).take(size);
            let read = if kind == "blob" && size <= LIMIT {
                read_stream(&mut body, size as usize)
            } else {
                Err(ReadError::TooLarge)
            };
            io::copy(&mut body, &mut io::sink())?;
            contents.insert(id.to_owned(), read);
            // The newline after the content.
            output.read_exact(&mut [0])?;
            head.clear();
        }
        Ok(contents)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_in_the_tree() {
        assert_eq!(join("a/Dockerfile", "../b/./x").as_deref(), Some("b/x"));
        assert_eq!(join("Dockerfile", "../x"), None);
        assert_eq!(join("Dockerfile", "/etc/passwd"), None);
        assert_eq!(join("a/b", ".."), None);
    }

    #[test]
    fn entries_are_sorted_out() {
        let mut listing = Listing::default();
        for entry in [
            "100644 blob 1\tDockerfile",
            "100644 blob 2\ta/vendor/b/Dockerfile",
            "100644 blob 3\ta/vendor/Dockerfile",
            "160000 commit 4\tDockerfile.d",
            "100644 blob 5\tDockerfile.j2",
            "100644 blob 6\tdockeropt.toml",
            "120000 blob 7\tx/Dockerfile",
            "100644 blob 8\tREADME.md",
            "100644 blob 9\tvendor",
        ] {
            consider(entry.as_bytes(), &mut listing);
        }
        assert_eq!(listing.files.len(), 1);
        assert_eq!(listing.configurations.len(), 1);
        assert_eq!(listing.links.len(), 1);
        assert_eq!(listing.dependencies.len(), 1);
        assert_eq!(listing.left_out, [(LeftOut::Submodule, 1), (LeftOut::Template, 1)].into());
    }
}
