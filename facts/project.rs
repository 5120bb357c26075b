//! What is known outside the Dockerfile: the build context with its files, and what is left out of it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::ignore::Ignore;
use crate::tables::rows;

/// A build context, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// What lies in the context, by path: relative to it, with `/`. Folders that were not entered
    /// ([`Entry::skipped`]) stand for all that lies in them.
    entries: BTreeMap<String, Entry>,
    /// Whether there is more than was read.
    pub is_partial: bool,
    /// The ignore file.
    pub ignore_file: IgnoreFile,
    ignore: Ignore,
    /// The content of the files that were read, by path.
    texts: BTreeMap<String, String>,
    /// What refers to the stages of the Dockerfile from outside.
    pub callers: Vec<Caller>,
    /// The texts of the other Dockerfiles in the context, which may be built in it, too.
    pub siblings: Vec<String>,
}

/// What lies at a path of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// The bytes of a file; of a folder that was not entered, of all in it.
    pub size: u64,
    /// How many files lie in a folder that was not entered.
    pub skipped: usize,
}

/// What kind of thing lies at a path of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
}

/// The file that says what of the context the builder doesn't see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreFile {
    /// Its path in the folder of the context: `.dockerignore`, or beside the Dockerfile
    /// `NAME.dockerignore`, which takes its place.
    pub path: String,
    /// What it says, if it is there.
    pub text: Option<String>,
}

impl IgnoreFile {
    /// The file with more lines at its end, which end as those that are there.
    pub fn with(&self, lines: &[String]) -> Self {
        let mut text = self.text.clone().unwrap_or_default();
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(newline);
        }
        for line in lines {
            text.push_str(line);
            text.push_str(newline);
        }
        Self { path: self.path.clone(), text: Some(text) }
    }
}

impl Default for IgnoreFile {
    fn default() -> Self {
        Self { path: ".dockerignore".to_owned(), text: None }
    }
}

/// Something outside the Dockerfile that names one of its stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The file that does so.
    pub path: String,
    /// The stage, or its number; [`Caller::ANY`] if a variable decides.
    pub target: String,
}

impl Caller {
    /// Stands for a stage that is named by a variable.
    pub const ANY: &str = "$";
}

/// How many bytes a file may have to be read, by its path; `None` if its content is of no interest.
pub fn largest_text(path: &str) -> Option<u64> {
    read_file(path).map(|row| row.largest)
}

/// Whether a file says, by its path, what a manager of packages installs.
pub fn is_manifest(path: &str) -> bool {
    const OTHERS: [&str; 7] = ["ignore file", "make", "cmake", "autoconf", "script", "processes", "node-gyp"];
    read_file(path).is_some_and(|row| !OTHERS.contains(&row.what))
}

/// A row of `read-files.tsv`.
struct ReadFile {
    pattern: &'static str,
    what: &'static str,
    largest: u64,
}

fn read_file(path: &str) -> Option<&'static ReadFile> {
    static TABLE: OnceLock<Vec<ReadFile>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let rows = rows(include_str!("data/read-files.tsv"));
        rows.filter_map(|row| {
            let [pattern, what, largest] = row[..] else { return None };
            Some(ReadFile { pattern, what, largest: largest.parse::<u64>().ok()? << 10 })
        })
        .collect()
    });
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at + 1);
    let name = slashes.next().map_or(path, |at| &path[at..]);
    let in_folder = slashes.next().map_or(path, |at| &path[at..]);
    let matches = |pattern: &str| {
        let name = if pattern.contains('/') { in_folder } else { name };
        match pattern.split_once('*') {
            None => pattern == name,
            Some((start, end)) => name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).is_some(),
        }
    };
    table.iter().find(|row| matches(row.pattern))
}

impl Project {
    /// A project of files with their content.
    pub fn from_texts(texts: BTreeMap<String, String>) -> Self {
        let mut project = Self::default();
        for (path, text) in texts {
            let entry = Entry { kind: EntryKind::File, size: text.len() as u64, skipped: 0 };
            for (at, _) in path.match_indices('/') {
                let folder = Entry { kind: EntryKind::Folder, size: 0, skipped: 0 };
                project.entries.insert(path[..at].to_owned(), folder);
            }
            if path == ".dockerignore" {
                project.set_ignore(IgnoreFile { path: path.clone(), text: Some(text.clone()) });
            }
            project.entries.insert(path.clone(), entry);
            project.texts.insert(path, text);
        }
        project
    }

    /// Adds what lies at a path.
    pub fn add(&mut self, path: impl Into<String>, entry: Entry) {
        self.entries.insert(path.into(), entry);
    }

    /// Adds the content of a file.
    pub fn add_text(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(path.into(), text.into());
    }

    /// Sets the ignore file.
    pub fn set_ignore(&mut self, file: IgnoreFile) {
        self.ignore = Ignore::parse(file.text.as_deref().unwrap_or_default());
        self.ignore_file = file;
    }

    /// The project with more lines in its ignore file.
    pub fn with_ignored(&self, lines: &[String]) -> Self {
        let mut project = self.clone();
        project.set_ignore(self.ignore_file.with(lines));
        project
    }

    /// What the ignore file would leave out with more lines.
    pub fn ignore_with(&self, lines: &[String]) -> Ignore {
        Ignore::parse(self.ignore_file.with(lines).text.as_deref().unwrap_or_default())
    }

    /// All that lies in the context, ignored or not, by path.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// What lies below a folder of the context, at any depth; all there is for `.`.
    pub fn below<'p>(&'p self, folder: &str) -> impl Iterator<Item = (&'p str, &'p Entry)> + use<'p> {
        let inside = if matches!(folder, "" | ".") { String::new() } else { format!("{folder}/") };
        let from = self.entries.range(inside.clone()..);
        from.take_while(move |(path, _)| path.starts_with(&inside))
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// What lies at a path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The contents of the files that the builder sees and that were read, by path.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let seen = self.texts.iter().filter(|(path, _)| self.is_sent(path));
        seen.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Whether the ignore file has a pattern with `!` for what lies at a path.
    pub fn is_brought_back(&self, path: &str) -> bool {
        self.ignore.brings_back(path)
    }

    /// Whether the builder sees what lies at a path.
    pub fn is_sent(&self, path: &str) -> bool {
        !self.ignore.excludes(path)
    }

    /// Whether a file is there, and the builder sees it.
    pub fn has_file(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind != EntryKind::Folder) && self.is_sent(path)
    }

    /// Whether a folder is there, and the builder sees it or something in it.
    pub fn has_folder(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == EntryKind::Folder)
            && (self.is_sent(path) || self.below(path).any(|(path, _)| self.is_sent(path)))
    }

    /// The content of a file that the builder sees and that was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).filter(|_| self.is_sent(path)).map(String::as_str)
    }

    /// The scripts that the builder sees and that were read, and what lists the processes to start.
    pub fn scripts(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_script = |(path, text): &(&String, &String)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            text.starts_with("#!")
                || name.ends_with(".sh")
                || name.ends_with(".bash")
                || matches!(name, "Procfile" | "crontab" | "Makefile")
                || name.starts_with("supervisord")
        };
        let scripts = self.texts.iter().filter(is_script).filter(|(path, _)| self.is_sent(path));
        scripts.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The bytes of the files that the builder sees at a path and below it.
    pub fn sent_bytes(&self, path: &str) -> u64 {
        let own = self.entries.get_key_value(path).map(|(path, entry)| (path.as_str(), entry));
        let all = own.into_iter().chain(self.below(path));
        all.filter(|(path, _)| self.is_sent(path)).map(|(_, entry)| entry.size).sum()
    }
}
