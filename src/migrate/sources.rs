//! Which repositories: what the user named, lists of them, and parts of lists.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::names::unique_names;
use crate::git::work_tree;

/// How far below a folder repositories are looked for.
const DEPTH: usize = 3;
/// The largest list that is read, in bytes.
const LONGEST_LIST: u64 = 64 << 20;

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In a folder of this machine, by its real path: a work tree or a bare repository.
    Folder(PathBuf),
    /// On a server.
    Url(String),
}

/// A repository to plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// What it is called in the plan.
    pub(super) name: String,
    /// Where it is, as the plan names it.
    pub(super) text: String,
    /// Where it is, or why that can't be.
    pub(super) place: Result<Place, String>,
    /// The branch, tag or commit; the default branch, or what is checked out, if there is none.
    pub(super) reference: Option<String>,
    /// Images that are built from it, as far as the list says.
    pub(super) images: Vec<String>,
}

/// Reads what the user named, in that order, each repository once.
///
/// # Errors
/// If a list can't be read, or a name means nothing.
pub(super) fn read(named: &[String], stdin: impl Read) -> anyhow::Result<Vec<Source>> {
    let mut stdin = Some(stdin);
    let mut sources = Vec::new();
    for text in named {
        if text == "-" {
            let input = stdin.take().context("- is named twice")?;
            let list = read_list(input).context("standard input")?;
            sources.extend(lines(&list));
        } else if is_url(text) {
            sources.push(source(text, None, Vec::new()));
        } else {
            let path = Path::new(text);
            let metadata = fs::metadata(path).with_context(|| format!("{text}: no such folder or list"))?;
            if metadata.is_dir() {
                sources.extend(in_folder(path)?);
            } else {
                let file = fs::File::open(path).with_context(|| text.clone())?;
                let list = read_list(file).with_context(|| text.clone())?;
                sources.extend(lines(&list));
            }
        }
    }
    let mut seen = BTreeSet::new();
    sources.retain(|source| seen.insert((source.text.clone(), source.reference.clone())));
    let names =
        unique_names(sources.iter().map(|source| (source.text.as_str(), source.reference.as_deref())));
    for (source, name) in sources.iter_mut().zip(names) {
        source.name = name;
    }
    Ok(sources)
}

fn read_list(input: impl Read) -> anyhow::Result<String> {
    let mut list = String::new();
    input.take(LONGEST_LIST).read_to_string(&mut list)?;
    Ok(list)
}

/// The repositories of a list. A folder that can't be found is a repository that can't be planned, so that
/// it does not stop the others.
fn lines(list: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for line in list.lines() {
        let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
        let Some(place) = words.next() else { continue };
        let (images, rest): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("image="));
        let images = images.iter().map(|word| word["image=".len()..].to_owned()).collect();
        let mut source = source(place, rest.first().copied(), images);
        if rest.len() > 1 && source.place.is_ok() {
            source.place = Err(format!("the list has `{}` after the reference", rest[1]));
        }
        sources.push(source);
    }
    sources
}

/// A repository that is named by a folder or a URL.
pub(super) fn source(text: &str, reference: Option<&str>, images: Vec<String>) -> Source {
    let mut text = text.to_owned();
    let mut place = if is_url(&text) {
        checked(&text)
    } else {
        match fs::canonicalize(&text) {
            Ok(folder) => {
                text = folder.to_string_lossy().into_owned();
                repository(&folder)
            }
            Err(error) => Err(crate::problem::describe(&error)),
        }
    };
    if has_secret(&text) {
        text = without_user(&text);
    }
    if let Some(reference) = reference.filter(|reference| !is_reference(reference)) {
        place = place.and(Err(format!("`{reference}` is no name of a branch, tag or commit")));
    }
    Source { name: String::new(), text, place, reference: reference.map(str::to_owned), images }
}

/// Whether a text names a repository on a server, or by `file://`.
fn is_url(text: &str) -> bool {
    // As git has it, `host:path` is a URL unless there is a slash before the colon.
    let scp = || text.split_once(':').is_some_and(|(host, _)| host.len() > 1 && !host.contains('/'));
    text.contains("://") || text.contains("::") || scp()
}

/// What git may be asked to fetch from.
fn checked(url: &str) -> Result<Place, String> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        _ if url.starts_with('-') || url.contains(char::is_control) => Err("is no URL".to_owned()),
        // `ext::` and the like run programs.
        _ if url.contains("::") => Err("names a program, and is not fetched from".to_owned()),
        Some("http" | "https") if has_secret(url) => {
            Err("the URL holds a user or a password, which would be in the plan; put them into git's \
             credential helper"
                .to_owned())
        }
        Some("http" | "https" | "ssh" | "git" | "file" | "git+ssh") | None => Ok(Place::Url(url.to_owned())),
        Some(other) => Err(format!("`{other}` is no protocol that is fetched by")),
    }
}

/// Whether a URL for HTTP has a user in it, which may be a token.
fn has_secret(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    scheme.to_ascii_lowercase().starts_with("http")
        && rest.split('/').next().is_some_and(|host| host.contains('@'))
}

fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or_default())
}

/// Whether a name may be passed to git as a reference.
fn is_reference(name: &str) -> bool {
    let odd = |character: char| {
        character.is_control() || matches!(character, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    !name.starts_with(['-', '/']) && !name.contains(odd) && !name.contains("..") && !name.contains("@{")
}

/// The repository that a folder, given by its real path, is.
fn repository(folder: &Path) -> Result<Place, String> {
    if is_repository(folder) {
        return Ok(Place::Folder(folder.to_path_buf()));
    }
    Err(match work_tree(folder) {
        Some(root) => format!("is in the repository {}; name that", root.display()),
        None => "is no git repository".to_owned(),
    })
}

fn is_repository(folder: &Path) -> bool {
    work_tree(folder).is_some_and(|root| root == folder)
        || ["HEAD", "objects", "refs"].iter().all(|name| folder.join(name).exists())
}

/// The repository that a folder is, or those below it.
fn in_folder(folder: &Path) -> anyhow::Result<Vec<Source>> {
    let real = fs::canonicalize(folder).with_context(|| folder.display().to_string())?;
    let mut found = Vec::new();
    if repository(&real).is_err() && work_tree(&real).is_none() {
        find(&real, DEPTH, &mut found);
        if found.is_empty() {
            bail!("{}: is no git repository, and none was found below it", folder.display());
        }
    } else {
        found.push(real);
    }
    found.sort();
    Ok(found.iter().map(|path| source(&path.to_string_lossy(), None, Vec::new())).collect())
}

fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // A symlink might lead anywhere.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        if is_repository(&path) {
            found.push(path);
        } else if depth > 1 {
            find(&path, depth - 1, found);
        }
    }
}

/// The K-th of N parts of a list, as `--shard K/N` names it. Neighbours in the list go to different parts,
/// so that all parts are about as large.
pub(super) fn shard(sources: Vec<Source>, part: &str) -> anyhow::Result<Vec<Source>> {
    let numbers = part.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    let Some((part, parts)): Option<(usize, usize)> = numbers.filter(|&(k, n)| k >= 1 && k <= n) else {
        bail!("--shard {part}: K/N is wanted, with K from 1 to N");
    };
    let is_mine = |at: usize| at % parts == part - 1;
    Ok(sources.into_iter().enumerate().filter(|(at, _)| is_mine(*at)).map(|(_, source)| source).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Source> {
        read(&["-".to_owned()], text.as_bytes()).unwrap()
    }

    #[test]
    fn lists_are_read() {
        let sources = list(
            "# ours\nhttps://example.com/org/app.git main image=org/app # why\n\ngit@example.com:org/b\n\
             https://example.com/org/app.git main\n",
        );
        let names: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(names, ["org-app", "org-b"]);
        assert_eq!(sources[0].reference.as_deref(), Some("main"));
        assert_eq!(sources[0].images, ["org/app"]);
        assert!(sources.iter().all(|source| source.place.is_ok()));
    }

    #[test]
    fn what_is_no_repository_says_so() {
        let odd = [
            ("ext::sh -c true", "program"),
            ("https://user:word@example.com/a", "credential helper"),
            ("https://example.com/a --upload-pack=x", "no name"),
            ("https://example.com/a b c", "has `c` after"),
            ("ftp://example.com/a", "no protocol"),
            ("/nowhere/at/all", "no such file"),
        ];
        for (line, reason) in odd {
            let source = list(line).remove(0);
            let message = source.place.unwrap_err();
            assert!(message.contains(reason), "{line}: {message}");
            assert!(!source.text.contains("word"), "{}", source.text);
        }
    }

    #[test]
    fn parts_are_disjoint_and_complete() {
        let all = list(&(0..10).map(|n| format!("https://example.com/o/{n}\n")).collect::<String>());
        let mut seen: Vec<_> = (1..=3).flat_map(|k| shard(all.clone(), &format!("{k}/3")).unwrap()).collect();
        seen.sort_by(|a, b| a.text.cmp(&b.text));
        assert_eq!(seen, all);
        assert!(shard(all, "4/3").is_err());
    }
}
