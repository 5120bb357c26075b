//! What is known of packages and images: the tables in `data/`, and rows that a team adds to them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap as HashMap;
use serde::Serialize;

use crate::base_contents::Holds;
use crate::sorted::{Row, Sorted, split};

/// A table of which a team can give rows of its own, in the format of ours; see `data/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table<'a> {
    /// `packages-<release>.tsv`: what packages need and weigh.
    Packages(&'a str),
    /// `bases.tsv`: what an image is, and of which release.
    Bases,
    /// `variants.tsv`: what variant a tag denotes.
    Variants,
    /// `base-contents.tsv`: what the variants of an image hold.
    BaseContents,
    /// `owners.tsv`: which package a program is in.
    Owners,
    /// `dev-runtime.tsv`: the libraries of -dev packages.
    DevRuntime,
    /// `build-only.tsv`: what only builds need.
    BuildOnly,
    /// `native-python.tsv`: projects of PyPI with compiled parts.
    NativePython,
    /// `pure-python.tsv`: projects of PyPI without.
    PurePython,
    /// `native-node.tsv`: packages of npm with compiled parts.
    NativeNode,
    /// `native-ruby.tsv`: gems with compiled parts.
    NativeRuby,
    /// `native-rust.tsv`: crates that are linked to libraries of C.
    NativeRust,
    /// `pure-ruby.tsv`: gems without.
    PureRuby,
    /// `native-php.tsv`: extensions of PHP.
    NativePhp,
}

impl<'a> Table<'a> {
    /// The tables with the names of their files, apart from those of packages.
    const NAMED: [(&'static str, Table<'static>); 13] = [
        ("bases", Table::Bases),
        ("variants", Table::Variants),
        ("base-contents", Table::BaseContents),
        ("owners", Table::Owners),
        ("dev-runtime", Table::DevRuntime),
        ("build-only", Table::BuildOnly),
        ("native-python", Table::NativePython),
        ("pure-python", Table::PurePython),
        ("native-node", Table::NativeNode),
        ("native-ruby", Table::NativeRuby),
        ("native-rust", Table::NativeRust),
        ("pure-ruby", Table::PureRuby),
        ("native-php", Table::NativePhp),
    ];

    /// The names of the tables, apart from those of packages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMED.into_iter().map(|(name, _)| name)
    }

    /// The table that a file's name stands for.
    pub fn named(name: &'a str) -> Option<Self> {
        let name = name.strip_suffix(".tsv").unwrap_or(name);
        let known = Self::NAMED.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, table)| table).or_else(|| name.strip_prefix("packages-").map(Self::Packages))
    }

    /// The same table, with a release that stays.
    fn kept(self) -> Table<'static> {
        match self {
            Self::Packages(release) => Table::Packages(leak(release)),
            Self::Bases => Table::Bases,
            Self::Variants => Table::Variants,
            Self::BaseContents => Table::BaseContents,
            Self::Owners => Table::Owners,
            Self::DevRuntime => Table::DevRuntime,
            Self::BuildOnly => Table::BuildOnly,
            Self::NativePython => Table::NativePython,
            Self::PurePython => Table::PurePython,
            Self::NativeNode => Table::NativeNode,
            Self::NativeRuby => Table::NativeRuby,
            Self::NativeRust => Table::NativeRust,
            Self::PureRuby => Table::PureRuby,
            Self::NativePhp => Table::NativePhp,
        }
    }

    /// The rows that the program comes with.
    pub(crate) fn ours(self) -> Sorted {
        Sorted(match self {
            Self::Packages("bullseye") => include_str!("data/packages-bullseye.tsv"),
            Self::Packages("bookworm") => include_str!("data/packages-bookworm.tsv"),
            Self::Packages("trixie") => include_str!("data/packages-trixie.tsv"),
            Self::Packages(_) => "",
            // These are sorted by hand, by precedence, and read by `bases`.
            Self::Bases => "",
            Self::Variants => include_str!("data/variants.tsv"),
            Self::BaseContents => include_str!("data/base-contents.tsv"),
            Self::Owners => include_str!("data/owners.tsv"),
            Self::DevRuntime => include_str!("data/dev-runtime.tsv"),
            Self::BuildOnly => include_str!("data/build-only.tsv"),
            Self::NativePython => include_str!("data/native-python.tsv"),
            Self::PurePython => include_str!("data/pure-python.tsv"),
            Self::NativeNode => include_str!("data/native-node.tsv"),
            Self::NativeRuby => include_str!("data/native-ruby.tsv"),
            Self::NativeRust => include_str!("data/native-rust.tsv"),
            Self::PureRuby => include_str!("data/pure-ruby.tsv"),
            Self::NativePhp => include_str!("data/native-php.tsv"),
        })
    }

    /// The fewest and the most columns that a row may have, the first included.
    fn columns(self) -> (usize, usize) {
        match self {
            Self::Packages(_) => (2, 3),
            Self::Bases => (6, 6),
            Self::Variants => (3, 6),
            Self::BaseContents => (6, 8),
            Self::Owners | Self::BuildOnly | Self::NativeRust => (2, 2),
            Self::DevRuntime => (2, 4),
            Self::PurePython | Self::PureRuby => (1, 2),
            Self::NativePython | Self::NativeNode | Self::NativeRuby | Self::NativePhp => (4, 5),
        }
    }
}

/// Tables that the program comes with and that say where they are from.
const OURS: [(&str, Table<'static>); 15] = [
    ("packages-bullseye.tsv", Table::Packages("bullseye")),
    ("packages-bookworm.tsv", Table::Packages("bookworm")),
    ("packages-trixie.tsv", Table::Packages("trixie")),
    ("base-contents.tsv", Table::BaseContents),
    ("variants.tsv", Table::Variants),
    ("owners.tsv", Table::Owners),
    ("dev-runtime.tsv", Table::DevRuntime),
    ("build-only.tsv", Table::BuildOnly),
    ("native-python.tsv", Table::NativePython),
    ("pure-python.tsv", Table::PurePython),
    ("native-node.tsv", Table::NativeNode),
    ("native-ruby.tsv", Table::NativeRuby),
    ("native-rust.tsv", Table::NativeRust),
    ("pure-ruby.tsv", Table::PureRuby),
    ("native-php.tsv", Table::NativePhp),
];

/// A row that a team gave and that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {line}: {columns} columns; this table has {fewest} to {most}, with a tab between them")]
pub struct BadRow {
    /// Its line, from 1.
    pub line: usize,
    /// How many columns it has.
    pub columns: usize,
    /// The fewest that it may have.
    pub fewest: usize,
    /// The most that it may have.
    pub most: usize,
}

/// Where a table is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The table's file.
    pub table: &'static str,
    /// The releases that it is about, or `all`.
    pub releases: Vec<&'static str>,
    /// The architecture, or `all`.
    pub architecture: &'static str,
    /// Of when it is: a date for each of the releases, or one for all.
    pub dates: Vec<&'static str>,
    /// From what it was made.
    pub source: &'static str,
}

impl Provenance {
    /// The date for one of its releases.
    pub fn date(&self, release: &str) -> Option<&'static str> {
        let at = self.releases.iter().position(|known| *known == release || *known == "all")?;
        self.dates.get(at).or(self.dates.last()).copied()
    }
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// A team's rows, by the first column.
    added: Vec<(Table<'static>, HashMap<&'static str, Vec<Row>>)>,
    /// What was asked for of the contents of images: by image, variant and release.
    pub(crate) contents: Mutex<HashMap<Contents, Option<Arc<Holds>>>>,
    /// What was asked for of what installs weigh: by the contents that they are made on, and the packages.
    pub(crate) sizes: Mutex<HashMap<(usize, String), Option<u64>>>,
}

/// Of which contents: those of an image, a variant and a release.
type Contents = (String, &'static str, String);

impl Knowledge {
    /// What the program comes with.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Knowledge> = OnceLock::new();
        BUILTIN.get_or_init(Self::default)
    }

    /// What the program comes with, and rows of a team; see [`add`](Self::add).
    pub fn with(rows: &[(Table<'_>, &str)]) -> Result<Self, BadRow> {
        let mut knowledge = Self::default();
        for (table, text) in rows {
            knowledge.add(*table, text)?;
        }
        Ok(knowledge)
    }

    /// Adds rows of a team, which come before ours of the same name. Their text stays until the program ends, as
    /// ours does.
    pub fn add(&mut self, table: Table<'_>, text: &str) -> Result<(), BadRow> {
        let (fewest, most) = table.columns();
        let mut added: HashMap<&'static str, Vec<Row>> = HashMap::default();
        for (at, line) in leak(text).lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let columns = line.split('\t').count();
            if columns < fewest || columns > most {
                return Err(BadRow { line: at + 1, columns, fewest, most });
            }
            let row = split(line);
            added.entry(row.0).or_default().push(row);
        }
        self.added.push((table.kept(), added));
        Ok(())
    }

    /// Where our tables are from.
    pub fn provenance() -> impl Iterator<Item = Provenance> {
        OURS.into_iter().filter_map(|(name, table)| provenance_of(name, table.ours()))
    }

    /// The rows of a name, a team's first.
    pub(crate) fn rows<'a>(&'a self, table: Table<'a>, name: &'a str) -> impl Iterator<Item = Row> {
        self.added(table, name).iter().copied().chain(table.ours().rows(name))
    }

    /// The first row of a name.
    pub(crate) fn row(&self, table: Table<'_>, name: &str) -> Option<Row> {
        self.rows(table, name).next()
    }

    /// A team's rows of a name.
    pub(crate) fn added(&self, table: Table<'_>, name: &str) -> &[Row] {
        self.of(table).find_map(|rows| rows.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Whether there is a table, ours or a team's.
    pub(crate) fn has(&self, table: Table<'_>) -> bool {
        self.of(table).next().is_some() || !table.ours().0.is_empty()
    }

    /// The names of a table, each once, sorted.
    pub(crate) fn names(&self, table: Table<'_>) -> BTreeSet<&'static str> {
        let added = self.of(table).flat_map(|rows| rows.keys().copied());
        added.chain(table.ours().all().map(|(name, _)| name)).collect()
    }

    fn of(&self, table: Table<'_>) -> impl Iterator<Item = &HashMap<&'static str, Vec<Row>>> {
        self.added.iter().filter(move |(added, _)| *added == table).map(|(_, rows)| rows)
    }
}

fn provenance_of(table: &'static str, rows: Sorted) -> Option<Provenance> {
    let line = rows.comments().find_map(|line| line.strip_prefix("# from\t"))?;
    let columns: Vec<&str> = line.split('\t').collect();
    let [releases, architecture, dates, source] = columns[..] else { return None };
    let words = |column: &'static str| column.split(' ').collect();
    Some(Provenance { table, releases: words(releases), architecture, dates: words(dates), source })
}

/// The text of a configuration is read once and asked until the end.
fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// The columns of a row that has had its name taken off.
pub(crate) fn columns<const N: usize>(row: &'static str) -> [&'static str; N] {
    let mut columns = row.split('\t');
    std::array::from_fn(|_| columns.next().unwrap_or_default())
}

/// The words of a column.
pub(crate) fn words(column: &str) -> impl Iterator<Item = &str> {
    column.split(' ').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_tables_are_sorted_and_say_where_they_are_from() {
        for (name, table) in OURS {
            let rows: Vec<&str> = table.ours().all().map(|(name, _)| name).collect();
            assert!(rows.is_sorted(), "{name}");
            let (fewest, most) = table.columns();
            for (key, rest) in table.ours().all() {
                let columns = 1 + rest.split('\t').count();
                assert!((fewest..=most).contains(&columns), "{name}: {key}");
                assert!(table.ours().rows(key).any(|(_, found)| found == rest), "{name}: {key}");
            }
        }
        assert_eq!(Knowledge::provenance().count(), OURS.len());
        let packages = Knowledge::provenance().find(|from| from.table == "packages-bookworm.tsv").unwrap();
        assert_eq!((packages.releases.as_slice(), packages.architecture), (["bookworm"].as_slice(), "amd64"));
        assert!(packages.date("bookworm").unwrap().starts_with("20"));
        assert_eq!(packages.date("trixie"), None);
    }

    #[test]
    fn a_team_s_rows_come_first() {
        let rows = "# ours\nteam-tools\t100\tcurl\ncurl\t7\n";
        let knowledge = Knowledge::with(&[(Table::Packages("bookworm"), rows)]).unwrap();
        let row = |name| knowledge.row(Table::Packages("bookworm"), name);
        assert_eq!(
            (row("curl"), row("team-tools")),
            (Some(("curl", "7")), Some(("team-tools", "100\tcurl")))
        );
        assert!(row("git").is_some());
        assert!(Knowledge::builtin().row(Table::Packages("bookworm"), "team-tools").is_none());
        let bad = Knowledge::with(&[(Table::Owners, "\nx\ty\nz\n")]).unwrap_err();
        assert_eq!(bad.to_string(), "row 3: 1 columns; this table has 2 to 2, with a tab between them");
        assert_eq!(Table::named("packages-jammy.tsv"), Some(Table::Packages("jammy")));
        assert!(Table::names().all(|name| Table::named(name).is_some()));
        assert_eq!((Table::named("owners"), Table::named("x.tsv")), (Some(Table::Owners), None));
    }
}
