//! Files that an image rarely needs, by their names, and who reads the history of a project; see
//! `data/README.md`.

use std::sync::OnceLock;

use crate::command::base_name;
use crate::ignore::Ignore;
use crate::project::{Entry, EntryKind, Project};
use crate::tables::rows;

/// A kind of files that an image rarely needs.
#[derive(Debug)]
pub struct Kind {
    /// Its name in the tables.
    pub name: &'static str,
    /// Whether nothing rests on such files unless something names them.
    pub is_safe: bool,
    /// Whether the build makes them anew.
    pub made: Made,
    /// What is done to them, as an imperative sentence without a full stop.
    pub title: &'static str,
    /// What is taken for granted, with `{}` for their paths.
    pub assumption: &'static str,
    /// Why it is an improvement.
    pub why: &'static str,
    /// The names.
    pub rows: Vec<Row>,
}

/// What it means that a build makes such files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It does not.
    No,
    /// It may: then it names them without needing those that lie in the context.
    Optional,
    /// Only then the image doesn't need those that lie in the context.
    Required,
}

/// A name of such files.
#[derive(Debug)]
pub struct Row {
    /// The name, or the end of a path; `*` is any text without a slash.
    pub name: &'static str,
    /// What its last part begins and ends with.
    ends: (&'static str, &'static str),
    what: Option<EntryKind>,
    /// Whether it may lie in any folder, and not in that of the context only.
    pub anywhere: bool,
    /// The commands that make it: a program, and a word of it where not every call does.
    pub made_by: Vec<(&'static str, Option<&'static str>)>,
    beside: Vec<Ignore>,
    holds: Option<&'static str>,
    least: u64,
    pattern: Ignore,
}

/// All kinds, in the order in which they are reported.
pub fn kinds() -> &'static [Kind] {
    static TABLE: OnceLock<Vec<Kind>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let kinds = rows(include_str!("data/junk-kinds.tsv")).filter_map(|row| {
            let [name, safe, made, title, assumption, why] = row[..] else { return None };
            let made = match made {
                "required" => Made::Required,
                "optional" => Made::Optional,
                _ => Made::No,
            };
            let own = rows(include_str!("data/junk.tsv")).filter(|row| row[0] == name);
            let rows = own.filter_map(|row| Row::read(&row)).collect();
            Some(Kind { name, is_safe: safe == "yes", made, title, assumption, why, rows })
        });
        kinds.collect()
    })
}

impl Row {
    fn read(row: &[&'static str]) -> Option<Self> {
        let column = |at: usize| row.get(at).copied().unwrap_or_default();
        let several = |at: usize| column(at).split('|').filter(|part| !part.is_empty());
        let command = |text: &'static str| match text.split_once(' ') {
            Some((program, word)) => (program, Some(word)),
            None => (text, None),
        };
        let name = *row.get(1)?;
        let anywhere = column(3) == "any";
        let last = base_name(name);
        Some(Self {
            name,
            ends: (last.split('*').next()?, last.rsplit('*').next()?),
            what: match column(2) {
                "file" => Some(EntryKind::File),
                "folder" => Some(EntryKind::Folder),
                _ => None,
            },
            anywhere,
            made_by: several(4).map(command).collect(),
            beside: several(5).map(Ignore::parse).collect(),
            holds: Some(column(6)).filter(|name| !name.is_empty()),
            least: column(7).parse().unwrap_or(0),
            pattern: Ignore::parse(&if anywhere { format!("**/{name}") } else { name.to_owned() }),
        })
    }

    /// The paths in a context at which such files lie that the builder sees, or folders of them.
    pub fn occurrences<'p>(&self, project: &'p Project) -> Vec<&'p str> {
        let entries = project.entries().filter(|(path, entry)| self.is_at(path, entry));
        entries.map(|(path, _)| path).filter(|path| self.fits(project, path)).collect()
    }

    /// Whether the name is that of what lies at a path, and not of a folder around it.
    fn is_at(&self, path: &str, entry: &Entry) -> bool {
        // Contexts are large, and names can be told apart at a glance.
        let (start, end) = self.ends;
        if !path.ends_with(end) || !base_name(path).starts_with(start) {
            return false;
        }
        let parent = path.rsplit_once('/').map(|(folder, _)| folder);
        self.what.is_none_or(|kind| kind == entry.kind)
            && self.pattern.excludes(path)
            && !parent.is_some_and(|folder| self.pattern.excludes(folder))
    }

    /// Whether what must be so around it is so.
    fn fits(&self, project: &Project, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_beside = |pattern: &Ignore| {
            let neighbours = project.below(folder).filter_map(|(path, _)| match folder {
                "" => Some(path),
                folder => path.strip_prefix(folder)?.strip_prefix('/'),
            });
            neighbours.filter(|name| !name.contains('/')).any(|name| pattern.excludes(name))
        };
        (project.is_sent(path) || project.below(path).any(|(path, _)| project.is_sent(path)))
            && (self.beside.is_empty() || self.beside.iter().any(is_beside))
            && self.holds.is_none_or(|name| project.entry(&format!("{path}/{name}")).is_some())
            && project.sent_bytes(path) >= self.least
    }
}

/// Who reads the history of a project when it builds.
#[derive(Debug)]
pub enum HistoryReader {
    /// A program, unless it has an option.
    Program(&'static str, Option<&'static str>),
    /// `git`, asked for this.
    Verb(&'static str),
    /// Whoever this word in a manifest or a script stands for.
    Word(&'static str),
}

/// All who are known to read the history of a project.
pub fn history_readers() -> &'static [HistoryReader] {
    static TABLE: OnceLock<Vec<HistoryReader>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let readers = rows(include_str!("data/history-readers.tsv")).filter_map(|row| {
            let [kind, name, unless, _] = row[..] else { return None };
            Some(match kind {
                "program" => HistoryReader::Program(name, Some(unless).filter(|option| !option.is_empty())),
                "verb" => HistoryReader::Verb(name),
                _ => HistoryReader::Word(name),
            })
        });
        readers.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let all = rows(include_str!("data/junk.tsv")).count();
        assert_eq!(kinds().iter().map(|kind| kind.rows.len()).sum::<usize>(), all);
        assert_eq!(kinds().len(), rows(include_str!("data/junk-kinds.tsv")).count());
        assert_eq!(history_readers().len(), rows(include_str!("data/history-readers.tsv")).count());
        for kind in kinds() {
            let required = kind.made == Made::Required;
            assert!(!required || kind.rows.iter().all(|row| !row.made_by.is_empty()), "{}", kind.name);
            assert!(kind.is_safe || kind.assumption.contains("{}"), "{}", kind.name);
        }
    }

    fn found(files: &[&str]) -> Vec<(&'static str, Vec<String>)> {
        let texts = files.iter().map(|path| ((*path).to_owned(), String::new()));
        let project = Project::from_texts(texts.collect());
        let rows = kinds().iter().flat_map(|kind| kind.rows.iter());
        let found = rows.map(|row| (row.name, row.occurrences(&project)));
        let found =
            found.map(|(name, paths)| (name, paths.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        found.filter(|(_, paths)| !paths.is_empty()).collect()
    }

    #[test]
    fn names_are_found_where_they_may_lie() {
        let paths = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found(&["a/node_modules/x/node_modules/y", "a/package.json", "a.b/node_modules/x"]),
            [("node_modules", paths(&["a/node_modules"]))]
        );
        assert_eq!(found(&["a/bin/x", "a/y.csproj", "bin/x"]), [("bin", paths(&["a/bin"]))]);
        assert_eq!(found(&["env/pyvenv.cfg", "x/env/pyvenv.cfg"]), [("env", paths(&["env"]))]);
        assert_eq!(found(&["tmp/small", ".env.example", "id_rsa.pub", "node_modules"]), []);
        assert_eq!(
            found(&["a/.env", ".env.x.local"]),
            [(".env", paths(&["a/.env"])), (".env.*.local", paths(&[".env.x.local"]))]
        );
    }
}
