//! The build contexts of a commit, read from git's objects when a transform asks for one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dockeropt_facts::project::{Caller, Entry, EntryKind, IgnoreFile, Project, largest_text};
use dockeropt_transforms::Surroundings;

use super::cache::Cache;
use super::git::Trouble;
use super::repository::Repository;
use super::tree::{Item, contents, sizes};
use crate::names::{Name, classify};
use crate::project::{NOT_ENTERED, may_call, sources, targets};

/// No more texts than this are read of a context.
const MOST_TEXTS: usize = 20_000;

/// The build contexts of a commit.
pub(super) struct Contexts<'c> {
    repository: &'c Repository,
    cache: &'c Cache,
    /// All that lies in the commit, by path.
    items: BTreeMap<String, Item>,
    /// Whether there is more, which no path in a plan can name.
    is_partial: bool,
    /// What went wrong when a context was read.
    trouble: Mutex<Option<Trouble>>,
}

/// Why the content of a file is of interest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// As text: up to so many bytes.
    Text(u64),
    /// It may be a script.
    Script,
    /// It is another Dockerfile.
    Sibling,
    /// It may name a stage.
    Calls,
}

impl<'c> Contexts<'c> {
    pub(super) fn new(
        repository: &'c Repository,
        cache: &'c Cache,
        items: BTreeMap<String, Item>,
        is_partial: bool,
    ) -> Self {
        Self { repository, cache, items, is_partial, trouble: Mutex::default() }
    }

    /// What lies around a Dockerfile.
    pub(super) fn around<'s>(&'s self, path: &str) -> Surroundings<'s> {
        let path = path.to_owned();
        Surroundings::new(move |facts| {
            let context = self.of(&path, &sources(facts))?;
            match self.read(&context, &path) {
                Ok(project) => Some(project),
                Err(trouble) => {
                    *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
                    None
                }
            }
        })
    }

    /// What went wrong, if something did: what was found then is not all that there is to find.
    pub(super) fn check(self) -> Result<(), Trouble> {
        match self.trouble.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(trouble) => Err(trouble),
            None => Ok(()),
        }
    }

    /// The folder that a Dockerfile is built in, with a slash at its end, or empty for the root: its own, or
    /// the nearest above it in which all that it copies is there.
    fn of(&self, path: &str, sources: &[String]) -> Option<String> {
        let mut folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        loop {
            if sources.iter().all(|source| self.has(&folder, source)) {
                return Some(folder);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder[..folder.len() - 1]
                .rsplit_once('/')
                .map_or(String::new(), |(above, _)| format!("{above}/"));
        }
    }

    /// Whether a file or folder that is copied is in a folder.
    fn has(&self, folder: &str, source: &str) -> bool {
        let parts = source.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
        let below = parts.collect::<Vec<_>>().join("/");
        let path = format!("{folder}{below}");
        if below.is_empty() || self.items.contains_key(&path) {
            return true;
        }
        let inside = format!("{path}/");
        self.items.range(inside.clone()..).next().is_some_and(|(next, _)| next.starts_with(&inside))
    }

    fn read(&self, context: &str, dockerfile: &str) -> Result<Project, Trouble> {
        let mut project = Project::default();
        project.is_partial = self.is_partial;
        let mut wanted: Vec<(&str, &Item, Use)> = Vec::new();
        let inside = self.items.range(context.to_owned()..).take_while(|(path, _)| path.starts_with(context));
        let mut not_entered: BTreeMap<&str, usize> = BTreeMap::new();
        let mut files = Vec::new();
        for (path, item) in inside {
            let below = &path[context.len()..];
            if let Some(folder) = not_entered_in(below) {
                add_folders(below, folder.len(), &mut project);
                *not_entered.entry(folder).or_default() += 1;
                continue;
            }
            add_folders(below, below.len(), &mut project);
            files.push((below, item));
            if path != dockerfile && matches!(item.mode.as_str(), "100644" | "100755" | "100664") {
                wanted.extend(uses(below, item).into_iter().map(|why| (path.as_str(), item, why)));
            }
        }
        for path in self.items.keys().filter(|path| calls(path, context)) {
            wanted.push((path, &self.items[path], Use::Calls));
        }
        if wanted.len() > MOST_TEXTS {
            wanted.truncate(MOST_TEXTS);
            project.is_partial = true;
        }
        let ignore = [format!("{dockerfile}.dockerignore"), format!("{context}.dockerignore")];
        let ignore = ignore.into_iter().find(|path| self.items.contains_key(path));
        let ignore_id = ignore.as_ref().map(|path| self.items[path].id.as_str());
        let ids: BTreeSet<&str> =
            wanted.iter().map(|(_, item, _)| item.id.as_str()).chain(ignore_id).collect();
        self.repository.need(self.cache, &ids.iter().copied().collect::<Vec<_>>())?;
        let texts = contents(&self.repository.git, &ids)?;
        let text = |id: &str| match texts.get(id) {
            Some(Ok(bytes)) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        };
        let all: BTreeSet<&str> = files.iter().map(|(_, item)| item.id.as_str()).collect();
        let sizes = sizes(&self.repository.git, &all)?;
        for (below, item) in files {
            let size = sizes.get(&item.id).copied().unwrap_or_default();
            let (kind, skipped) = match item.mode.as_str() {
                "120000" => (EntryKind::Link, 0),
                // A submodule may be there or not.
                "160000" => (EntryKind::Folder, 1),
                _ => (EntryKind::File, 0),
            };
            project.add(below, Entry { kind, size, skipped });
        }
        for (folder, skipped) in not_entered {
            project.add(folder, Entry { kind: EntryKind::Folder, size: 0, skipped });
        }
        if context.is_empty() {
            // It lies in every clone.
            project.add(".git", Entry { kind: EntryKind::Folder, size: 0, skipped: 1 });
        }
        for (path, item, why) in wanted {
            let Some(text) = text(&item.id) else { continue };
            let below = path.strip_prefix(context).unwrap_or(path);
            match why {
                Use::Text(most) if text.len() as u64 <= most => project.add_text(below, text),
                Use::Script if text.starts_with("#!") => project.add_text(below, text),
                Use::Text(_) | Use::Script => {}
                Use::Sibling => project.siblings.push(text),
                Use::Calls => project.callers.extend(callers(path, &text)),
            }
        }
        let scripts: Vec<(String, String)> = project
            .entries()
            .filter(|(path, _)| path.ends_with(".sh"))
            .filter_map(|(path, _)| Some((path.to_owned(), project.text(path)?.to_owned())))
            .collect();
        project.callers.extend(scripts.iter().flat_map(|(path, text)| callers(path, text)));
        let path = ignore.unwrap_or_else(|| format!("{context}.dockerignore"));
        project.set_ignore(IgnoreFile { path, text: ignore_id.and_then(text) });
        Ok(project)
    }
}

/// The folder of a path that nobody enters, if it is in one.
fn not_entered_in(path: &str) -> Option<&str> {
    let slashes = path.match_indices('/').map(|(at, _)| &path[..at]);
    let is_one = |folder: &&str| {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        NOT_ENTERED.contains(&name)
    };
    slashes.into_iter().find(is_one)
}

/// Adds the folders above a path, of which the first `end` bytes count.
fn add_folders(path: &str, end: usize, project: &mut Project) {
    for (at, _) in path[..end].match_indices('/') {
        let folder = &path[..at];
        if project.entry(folder).is_none() {
            project.add(folder, Entry { kind: EntryKind::Folder, size: 0, skipped: 0 });
        }
    }
}

/// What the content of a file is of interest for.
fn uses(path: &str, item: &Item) -> Vec<Use> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut uses = Vec::new();
    match largest_text(name) {
        Some(most) => uses.push(Use::Text(most)),
        None if !name.contains('.') && item.mode == "100755" => uses.push(Use::Script),
        None => {}
    }
    if matches!(classify(Path::new(name).as_os_str()), Name::Dockerfile | Name::Ambiguous | Name::Template) {
        uses.push(Use::Sibling);
    }
    uses
}

/// Whether a file may name a stage: it lies in the context, at the root of the repository, or is a workflow.
fn calls(path: &str, context: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    (matches!(folder, "" | ".github/workflows") || folder == context.trim_end_matches('/')) && may_call(name)
}

fn callers(path: &str, text: &str) -> Vec<Caller> {
    targets(text).into_iter().map(|target| Caller { path: path.to_owned(), target }).collect()
}

#[cfg(test)]
mod tests {
    use dockeropt_facts::Facts;
    use dockeropt_syntax::parse;

    use std::time::Duration;

    use super::*;
    use crate::migrate::git::Git;
    use crate::migrate::sources::source;
    use crate::migrate::tree::list;
    use crate::process::Limits;

    /// A repository with one commit that has these files.
    fn committed(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let name = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
        for arguments in [&["init", "-q"][..], &["add", "-A"], &[&name[..], &["commit", "-qm", "x"]].concat()]
        {
            let done = std::process::Command::new("git")
                .current_dir(folder.path())
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .args(arguments)
                .status();
            assert!(done.unwrap().success());
        }
        folder
    }

    #[test]
    fn a_context_is_read_from_a_commit() {
        let folder = committed(&[
            ("app/docker/Dockerfile", "FROM a AS dev\nCOPY package.json src /app/\n"),
            ("app/docker/Dockerfile.dockerignore", "*.log\n"),
            ("app/.dockerignore", "x\n"),
            ("app/package.json", "{}"),
            ("app/src/a.js", "1"),
            ("app/node_modules/m/index.js", "2"),
            ("app/Dockerfile", "FROM b\n"),
            ("compose.yml", "build:\n  target: dev\n"),
            ("other/Makefile", "docker build --target none\n"),
        ]);
        // What is not committed is not there.
        std::fs::write(folder.path().join("app/new"), "").unwrap();
        let git = Git::new(&Limits::none(), Duration::from_secs(60));
        let cache = Cache::new(Some(folder.path()), 1 << 30).unwrap();
        let source = source(folder.path().to_str().unwrap(), None, Vec::new());
        let repository = Repository::open(&source, &git, &cache).unwrap();
        let listing = list(&repository.git, &repository.commit).unwrap();
        let contexts = Contexts::new(&repository, &cache, listing.items, false);
        let path = "app/docker/Dockerfile";
        let text = std::fs::read_to_string(folder.path().join(path)).unwrap();
        let file = parse(&text);
        let surroundings = contexts.around(path);
        let project = surroundings.project(&Facts::new(&file)).unwrap();
        let paths: Vec<_> =
            project.entries().map(|(path, entry)| (path, entry.size, entry.skipped)).collect();
        assert_eq!(
            paths,
            [
                (".dockerignore", 2, 0),
                ("Dockerfile", 7, 0),
                ("docker", 0, 0),
                ("docker/Dockerfile", 42, 0),
                ("docker/Dockerfile.dockerignore", 6, 0),
                ("node_modules", 0, 1),
                ("package.json", 2, 0),
                ("src", 0, 0),
                ("src/a.js", 1, 0),
            ]
        );
        assert_eq!(project.ignore_file.path, "app/docker/Dockerfile.dockerignore");
        assert_eq!(project.ignore_file.text.as_deref(), Some("*.log\n"));
        assert_eq!(project.text("package.json"), Some("{}"));
        assert_eq!(project.siblings, ["FROM b\n"]);
        let callers: Vec<_> = project.callers.iter().map(|caller| (&*caller.path, &*caller.target)).collect();
        assert_eq!(callers, [("compose.yml", "dev")]);
        drop(surroundings);
        assert!(contexts.around(path).project(&Facts::new(&parse("FROM a\nCOPY nowhere /\n"))).is_none());
        contexts.check().unwrap();
    }
}
