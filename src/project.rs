//! Reading the build context of a Dockerfile: its files with their sizes, its ignore file, and the texts
//! that decide what a build does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use dockeropt_facts::project::{Caller, Entry, EntryKind, IgnoreFile, Project, largest_text};
use dockeropt_facts::{Action, Facts};
use dockeropt_syntax::Text;
use dockeropt_transforms::Surroundings;

use crate::git;
use crate::names::{Name, classify};

/// No more files than this are looked at.
const MOST_FILES: usize = 200_000;
/// No deeper folders than this are entered.
const DEEPEST: usize = 128;
/// The bytes of all texts that are read.
const MOST_TEXT: u64 = 64 << 20;
/// So many folders above the Dockerfile are looked at for its context.
const MOST_PARENTS: usize = 8;
/// A file without an ending is read if it is a script and no longer than this.
const LARGEST_SCRIPT: u64 = 64 << 10;

/// Folders of which only the size is of interest: nobody writes what lies in them.
pub(crate) const NOT_ENTERED: [&str; 14] = [
    ".bzr",
    ".git",
    ".gradle",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "node_modules",
    "venv",
];

/// Where contexts are.
#[derive(Clone, Debug, Default)]
pub struct Contexts {
    /// The folder that the user named.
    pub named: Option<PathBuf>,
    /// Whether none is to be read.
    pub unread: bool,
}

impl Contexts {
    /// What lies around a Dockerfile at a path, read when it is asked for.
    pub fn around<'s>(&'s self, path: &'s Path) -> Surroundings<'s> {
        Surroundings::new(move |facts| {
            let context = self.of(path, facts)?;
            read(&context, path)
        })
    }

    /// The folder that a Dockerfile is built in: the one that the user named, the Dockerfile's own, or the
    /// nearest above it in which all that it copies exists. `None` if there is none, if it is the root
    /// of the file system or the home of the user, which nobody means, or for standard input.
    pub fn of(&self, path: &Path, facts: &Facts<'_>) -> Option<PathBuf> {
        if self.unread || path == Path::new("-") {
            return None;
        }
        if let Some(named) = &self.named {
            return Some(named.clone());
        }
        let folder = folder_of(path);
        let sources = sources(facts);
        let real = fs::canonicalize(&folder).ok()?;
        let tree = git::work_tree(&real);
        let home = std::env::var_os("HOME").and_then(|home| fs::canonicalize(home).ok());
        let mut candidate = folder;
        for at in real.ancestors().take(MOST_PARENTS) {
            // The root of the file system has none.
            at.parent()?;
            if Some(at) == home.as_deref() {
                return None;
            }
            if sources.iter().all(|source| exists(&candidate, source)) {
                return Some(candidate);
            }
            // Without git nobody says where the project ends.
            if tree.as_deref().is_none_or(|tree| tree == at) {
                return None;
            }
            candidate = match candidate.components().next_back() {
                Some(Component::Normal(_)) => folder_of(&candidate),
                _ => candidate.join(".."),
            };
        }
        None
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// What a Dockerfile copies of its context, as far as it is spelled out.
pub(crate) fn sources(facts: &Facts<'_>) -> Vec<String> {
    let mut sources = Vec::new();
    for step in &facts.steps {
        let Action::Copy(copy) = &step.action else { continue };
        if copy.from.is_some() || copy.heredoc {
            continue;
        }
        let plain = copy.sources.iter().filter_map(|source| source.text());
        sources.extend(
            plain.filter(|it| !it.contains("://") && !it.contains(['*', '?', '['])).map(str::to_owned),
        );
    }
    sources
}

fn exists(folder: &Path, source: &str) -> bool {
    let source = source.trim_start_matches('/');
    let parts = Path::new(source).components().filter(|part| matches!(part, Component::Normal(_)));
    fs::symlink_metadata(folder.join(parts.collect::<PathBuf>())).is_ok()
}

/// Reads a context; `None` if its ignore file can't be read, so that nothing is known of what is sent.
fn read(context: &Path, dockerfile: &Path) -> Option<Project> {
    let mut reader = Reader { project: Project::default(), context, files: 0, text: 0 };
    reader.project.set_ignore(ignore_file(context, dockerfile)?);
    reader.folder(Path::new(""), 0);
    let callers = callers(context, &reader.project);
    reader.project.callers = callers;
    let own = fs::canonicalize(dockerfile).ok();
    for path in reader.dockerfiles() {
        if fs::canonicalize(context.join(&path)).ok() != own {
            let bytes = fs::read(context.join(&path)).unwrap_or_default();
            reader.project.siblings.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Some(reader.project)
}

/// The ignore file of a Dockerfile: the one named for it, or that of the context.
fn ignore_file(context: &Path, dockerfile: &Path) -> Option<IgnoreFile> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    let own = PathBuf::from(own);
    let path = if own.is_file() { own } else { context.join(".dockerignore") };
    let path = path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    let text = match fs::read(&path) {
        Ok(bytes) => Some(Text::decode(bytes).as_str().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => return None,
    };
    Some(IgnoreFile { path: path.into_os_string().into_string().ok()?, text })
}

struct Reader<'r> {
    project: Project,
    context: &'r Path,
    files: usize,
    text: u64,
}

impl Reader<'_> {
    /// Reads a folder, given by its path in the context.
    fn folder(&mut self, folder: &Path, depth: usize) {
        let found = fs::read_dir(self.context.join(folder));
        let Some(found) = found.ok().filter(|_| depth < DEEPEST) else {
            self.project.is_partial = true;
            return;
        };
        let mut found: Vec<fs::DirEntry> = found.flatten().collect();
        found.sort_by_key(fs::DirEntry::file_name);
        for entry in found {
            self.files += 1;
            if self.files > MOST_FILES {
                self.project.is_partial = true;
                return;
            }
            let Ok(name) = entry.file_name().into_string() else {
                // A path that no pattern can name.
                self.project.is_partial = true;
                continue;
            };
            let Ok(metadata) = entry.metadata() else { continue };
            let path = folder.join(&name);
            let shown = shown(&path);
            if metadata.is_symlink() {
                self.project.add(shown, Entry { kind: EntryKind::Link, size: 0, skipped: 0 });
            } else if metadata.is_dir() {
                let not_entered = NOT_ENTERED.contains(&name.as_str());
                let (size, skipped) = if not_entered { self.measure(&entry.path()) } else { (0, 0) };
                self.project.add(shown, Entry { kind: EntryKind::Folder, size, skipped });
                if !not_entered {
                    self.folder(&path, depth + 1);
                }
            } else if !metadata.is_file() {
                // A pipe, a socket, a device: to open it may take for ever.
                self.project.is_partial = true;
            } else {
                let entry = Entry { kind: EntryKind::File, size: metadata.len(), skipped: 0 };
                self.project.add(shown.clone(), entry);
                self.read_text(&path, &name, shown, metadata.len());
            }
        }
    }

    /// The bytes in a folder that is not entered, and how many files there are.
    fn measure(&mut self, folder: &Path) -> (u64, usize) {
        let (mut size, mut count) = (0, 0);
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                self.files += 1;
                if self.files > MOST_FILES {
                    self.project.is_partial = true;
                    return (size, count);
                }
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                    Ok(metadata) => (size, count) = (size + metadata.len(), count + 1),
                    Err(_) => {}
                }
            }
        }
        (size, count)
    }

    fn read_text(&mut self, path: &Path, name: &str, shown: String, size: u64) {
        let is_script = !name.contains('.') && size <= LARGEST_SCRIPT;
        let wanted = largest_text(&shown).is_some_and(|largest| size <= largest) || is_script;
        if !wanted || self.text + size > MOST_TEXT {
            return;
        }
        let mut bytes = Vec::new();
        let read = fs::File::open(self.context.join(path))
            .and_then(|file| file.take(size.saturating_add(1)).read_to_end(&mut bytes));
        let by_name = largest_text(&shown).is_some();
        if read.is_err() || (!by_name && !bytes.starts_with(b"#!")) {
            return;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            self.text += size;
            self.project.add_text(shown, text);
        }
    }

    /// The paths of all Dockerfiles in the context.
    fn dockerfiles(&self) -> Vec<String> {
        let files = self.project.entries().filter(|(_, entry)| entry.kind == EntryKind::File);
        let is_dockerfile = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            matches!(classify(name.as_ref()), Name::Dockerfile | Name::Ambiguous | Name::Template)
        };
        files.filter(|(path, _)| is_dockerfile(path)).map(|(path, _)| path.to_owned()).collect()
    }
}

fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// What names a stage from outside: compose and bake files, CI, scripts. They lie in the context or, of a
/// git work tree, at its root.
fn callers(context: &Path, project: &Project) -> Vec<Caller> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut folders = vec![context.to_path_buf()];
    let tree = fs::canonicalize(context).ok().and_then(|real| git::work_tree(&real));
    const CI: [&str; 4] = ["", ".github/workflows", ".circleci", ".buildkite"];
    folders.extend(tree.iter().flat_map(|tree| CI.map(|below| tree.join(below))));
    for folder in folders {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let small = entry.metadata().is_ok_and(|it| it.is_file() && it.len() < 1 << 20);
            if small
                && may_call(&name)
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                files.insert(entry.path().to_string_lossy().into_owned(), text);
            }
        }
    }
    for (path, _) in project.entries().filter(|(path, _)| path.ends_with(".sh")) {
        if let Some(text) = project.text(path) {
            files.insert(path.to_owned(), text.to_owned());
        }
    }
    let mut callers = Vec::new();
    for (path, text) in files {
        for target in targets(&text) {
            callers.push(Caller { path: path.clone(), target });
        }
    }
    callers
}

pub(crate) fn may_call(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    ends(&[".yml", ".yaml", ".hcl", ".sh", ".mk"])
        || matches!(lower.as_str(), "makefile" | "justfile" | "jenkinsfile" | "taskfile" | "earthfile")
        || lower.starts_with("docker-bake")
}

/// What stands behind `target`: `--target NAME`, `--target=NAME`, `target: NAME`, `target = "NAME"`; for
/// a variable [`Caller::ANY`].
pub(crate) fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for (at, _) in text.match_indices("target") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = text[at + "target".len()..].trim_start_matches(['"', '\'']);
        let value = rest.trim_start_matches([' ', '\t']).trim_start_matches([':', '=']);
        if value.len() == rest.len() {
            continue;
        }
        let value = value.trim_start_matches([' ', '\t', '"', '\'']);
        let name: String = value.chars().take_while(|c| c.is_alphanumeric() || "_-.".contains(*c)).collect();
        if value.starts_with('$') {
            targets.push(Caller::ANY.to_owned());
        } else if !name.is_empty() {
            targets.push(name);
        }
    }
    targets
}

#[cfg(test)]
mod tests;
