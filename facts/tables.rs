//! Knowledge that is kept as data files: tab-separated lines, `#` for comments.

use rustc_hash::FxHashMap as HashMap;
use std::sync::OnceLock;

/// The rows of a data file, each split at its tabs.
pub(crate) fn rows(data: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    data.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

/// What a program does to the file system; see `data/programs.tsv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Writes nothing but what its redirections say.
    Quiet,
    /// Writes only the paths that it is given.
    Paths,
    /// Writes the paths that it is given, and others beside them.
    Beside,
    /// Brings files into the working folder or where it is told to.
    Fetch,
    /// Changes users and groups.
    Account,
    /// Sets up the system with what is installed.
    System,
    /// Sets up the system, and writes the paths that it is given and others beside them.
    SystemBeside,
    /// Runs as its settings say, which may write anything.
    Service,
    /// Builds or runs code of the project.
    Build,
    /// Needs apt's package lists.
    AptIndex,
    /// Needs apt's package lists, and may do anything else.
    Provision,
    /// Fetches the package lists itself.
    OwnUpdate,
    /// Runs what it is given.
    Shell,
}

/// The class of a program, by the last part of its path; `None` for a program without a row.
pub fn class(program: &str) -> Option<Class> {
    type Patterns = Vec<(&'static str, &'static str, Class)>;
    static TABLE: OnceLock<(HashMap<&'static str, Class>, Patterns)> = OnceLock::new();
    let (table, patterns) = TABLE.get_or_init(|| {
        let mut table = HashMap::default();
        let mut patterns = Vec::new();
        for row in rows(include_str!("data/programs.tsv")) {
            let [name, programs] = row[..] else { continue };
            let class = match name {
                "quiet" => Class::Quiet,
                "paths" => Class::Paths,
                "beside" => Class::Beside,
                "fetch" => Class::Fetch,
                "account" => Class::Account,
                "system" => Class::System,
                "system-beside" => Class::SystemBeside,
                "service" => Class::Service,
                "build" => Class::Build,
                "apt-index" => Class::AptIndex,
                "provision" => Class::Provision,
                "own-update" => Class::OwnUpdate,
                _ => Class::Shell,
            };
            for program in programs.split(' ') {
                match program.split_once('*') {
                    Some((before, after)) => patterns.push((before, after, class)),
                    None => drop(table.insert(program, class)),
                }
            }
        }
        (table, patterns)
    });
    table.get(program).copied().or_else(|| {
        let matches = |before: &str, after: &str| {
            program.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
        };
        patterns.iter().find(|(before, after, _)| matches(before, after)).map(|&(.., class)| class)
    })
}

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are the managers' names")]
pub enum Manager {
    Apt,
    Apk,
    Yum,
    Dnf,
    Microdnf,
    Zypper,
    Pacman,
    Pip,
    Npm,
    Yarn,
    Gem,
    Composer,
    Conda,
}

impl Manager {
    /// Every manager with its name in the tables.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Apt, "apt"),
        (Self::Apk, "apk"),
        (Self::Yum, "yum"),
        (Self::Dnf, "dnf"),
        (Self::Microdnf, "microdnf"),
        (Self::Zypper, "zypper"),
        (Self::Pacman, "pacman"),
        (Self::Pip, "pip"),
        (Self::Npm, "npm"),
        (Self::Yarn, "yarn"),
        (Self::Gem, "gem"),
        (Self::Composer, "composer"),
        (Self::Conda, "conda"),
    ];

    /// The name in the tables.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(manager, _)| *manager == self).map_or("", |(_, name)| name)
    }

    fn read(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(manager, _)| *manager)
    }

    /// Whether it installs the packages of the distribution.
    pub fn is_system(self) -> bool {
        use Manager::*;
        matches!(self, Apt | Apk | Yum | Dnf | Microdnf | Zypper | Pacman)
    }
}

/// What a call asks a package manager to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Fetch the package index.
    Update,
    /// Install packages.
    Install,
    /// Upgrade what is installed.
    Upgrade,
    /// Remove packages.
    Remove,
    /// Remove caches.
    Clean,
    /// Ask for information.
    Query,
    /// Anything else.
    Other,
}

/// How a package manager is called; see `data/managers.tsv`.
#[derive(Clone, Debug)]
pub struct Grammar {
    /// The manager.
    pub manager: Manager,
    verbs: HashMap<&'static str, Verb>,
    with_value: Vec<&'static str>,
    /// The options that only keep caches from being written.
    pub no_cache: Vec<&'static str>,
    /// The releases of which the manager may not know these options.
    pub too_old: Vec<&'static str>,
}

impl Grammar {
    /// The grammar of a program, by the last part of its path.
    pub fn of(program: &str) -> Option<&'static Self> {
        static TABLE: OnceLock<HashMap<&'static str, &'static Grammar>> = OnceLock::new();
        let table = TABLE.get_or_init(|| {
            let mut table: HashMap<&'static str, &'static Self> = HashMap::default();
            for row in rows(include_str!("data/managers.tsv")) {
                let [programs, manager, verbs, with_value, no_cache, too_old] = row[..] else { continue };
                let Some(manager) = Manager::read(manager) else { continue };
                let words = |column: &'static str| column.split(' ').filter(|&word| word != "-").collect();
                let grammar: &'static Self = Box::leak(Box::new(Self {
                    manager,
                    verbs: read_verbs(verbs),
                    with_value: with_value.split(' ').collect(),
                    no_cache: words(no_cache),
                    too_old: words(too_old),
                }));
                table.extend(programs.split(' ').map(|program| (program, grammar)));
            }
            table
        });
        table.get(program).copied()
    }

    /// What a verb asks for.
    pub fn verb(&self, word: &str) -> Verb {
        self.verbs.get(word).copied().unwrap_or(Verb::Other)
    }

    /// Whether the word after an option is its value.
    pub fn takes_value(&self, option: &str) -> bool {
        self.with_value.contains(&option)
    }
}

fn read_verbs(column: &'static str) -> HashMap<&'static str, Verb> {
    let mut verbs = HashMap::default();
    for kind in column.split(' ') {
        let Some((kind, words)) = kind.split_once('=') else { continue };
        let verb = match kind {
            "update" => Verb::Update,
            "install" => Verb::Install,
            "upgrade" => Verb::Upgrade,
            "remove" => Verb::Remove,
            "clean" => Verb::Clean,
            _ => Verb::Query,
        };
        verbs.extend(words.split(',').map(|word| (word, verb)));
    }
    verbs
}

/// Whether the next call of a manager needs what lies in a folder, or only saves a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Needed: apt's package lists.
    Index,
    /// A cache.
    Cache,
}

/// The folders in which a manager keeps what it can fetch again; `~` is the user's home.
pub fn kept(manager: Manager) -> impl Iterator<Item = (Kept, &'static str)> {
    all_kept().iter().filter(move |(of, ..)| *of == manager).map(|&(_, kind, path)| (kind, path))
}

/// All folders of all managers.
pub fn all_kept() -> &'static [(Manager, Kept, &'static str)] {
    static TABLE: OnceLock<Vec<(Manager, Kept, &'static str)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        rows(include_str!("data/caches.tsv"))
            .filter_map(|row| {
                let [manager, kind, path] = row[..] else { return None };
                let kind = if kind == "index" { Kept::Index } else { Kept::Cache };
                Some((Manager::read(manager)?, kind, path))
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        for row in rows(include_str!("data/programs.tsv")) {
            assert_eq!(row.len(), 2, "{row:?}");
            assert!(row[1].split(' ').all(|program| class(program).is_some()), "{row:?}");
        }
        for row in rows(include_str!("data/managers.tsv")) {
            assert_eq!(row.len(), 6, "{row:?}");
            assert!(row[0].split(' ').all(|program| Grammar::of(program).is_some()), "{row:?}");
        }
        let caches = rows(include_str!("data/caches.tsv")).count();
        assert_eq!(all_kept().len(), caches);
    }
}
