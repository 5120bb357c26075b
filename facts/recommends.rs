//! What `apt-get install --no-install-recommends` leaves out; see `data/README.md`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::tables::rows;

/// The packages of one release.
struct Release {
    base: BTreeSet<&'static str>,
    packages: HashMap<&'static str, (&'static str, &'static str)>,
}

impl Release {
    /// What a package stands in for.
    fn provided_by(&self, package: &str) -> std::str::Split<'static, char> {
        self.packages.get(package).map_or("", |(_, provides)| provides).split(' ')
    }
}

/// Packages that are installed already.
#[derive(Debug, Default)]
pub struct Present {
    packages: Vec<String>,
    names: HashSet<String>,
    /// For each release what the packages provide, and how many of them were looked at.
    provided: RefCell<HashMap<String, (usize, HashSet<&'static str>)>>,
}

impl Present {
    /// Adds a package.
    pub fn add(&mut self, package: &str) {
        if self.names.insert(package.to_owned()) {
            self.packages.push(package.to_owned());
        }
    }

    /// Whether a package is there, or one that provides it in a release.
    fn has(&self, name: &str, at: &str) -> bool {
        if self.names.contains(name) {
            return true;
        }
        let Some(release) = release(at) else { return false };
        let mut provided = self.provided.borrow_mut();
        let (seen, provided) = provided.entry(at.to_owned()).or_default();
        provided.extend(self.packages[*seen..].iter().flat_map(|package| release.provided_by(package)));
        *seen = self.packages.len();
        provided.contains(name)
    }
}

/// What becomes of the recommended packages of an install.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recommends {
    /// Those that must be named, so that they are installed all the same.
    pub named: BTreeSet<String>,
    /// Those that are left out although something may need them.
    pub dropped: BTreeSet<String>,
    /// Packages of which nothing is known.
    pub unknown: BTreeSet<String>,
    /// A package that recommends so much that leaving it out is another package.
    pub too_many: Option<String>,
}

impl Recommends {
    /// Whether nothing is lost that matters.
    pub fn is_inert(&self) -> bool {
        self.dropped.is_empty() && self.unknown.is_empty() && self.too_many.is_none()
    }
}

fn release(name: &str) -> Option<&'static Release> {
    static BULLSEYE: OnceLock<Release> = OnceLock::new();
    static BOOKWORM: OnceLock<Release> = OnceLock::new();
    static TRIXIE: OnceLock<Release> = OnceLock::new();
    match name {
        "bullseye" => Some(BULLSEYE.get_or_init(|| read(include_str!("data/recommends-bullseye.tsv")))),
        "bookworm" => Some(BOOKWORM.get_or_init(|| read(include_str!("data/recommends-bookworm.tsv")))),
        "trixie" => Some(TRIXIE.get_or_init(|| read(include_str!("data/recommends-trixie.tsv")))),
        _ => None,
    }
}

fn read(data: &'static str) -> Release {
    let mut release = Release { base: BTreeSet::new(), packages: HashMap::default() };
    for row in rows(data) {
        let column = |at: usize| row.get(at).copied().unwrap_or_default();
        match column(0).strip_prefix("= ") {
            Some(names) => release.base.extend(names.split(' ')),
            None => drop(release.packages.insert(column(0), (column(1), column(2)))),
        }
    }
    release
}

/// Whether there is a table for a release.
pub fn is_covered(name: &str) -> bool {
    release(name).is_some()
}

/// Whether a package exists in a release that is covered.
pub fn exists(package: &str, name: &str) -> bool {
    release(name)
        .is_some_and(|release| release.base.contains(package) || release.packages.contains_key(package))
}

/// Whether a package exists under the same name in every release.
pub fn is_portable(package: &str) -> bool {
    rows(include_str!("data/portable.tsv")).any(|row| row[0] == package)
}

/// What becomes of the recommended packages when `packages` are installed in a release, on top of
/// `present`. `mentions` tells whether the file mentions a word (`~word`: a part of a word).
/// `None` if the release is not covered.
pub fn without_recommends(
    packages: &[&str],
    present: &Present,
    name: &str,
    mentions: &dyn Fn(&str) -> bool,
) -> Option<Recommends> {
    let (known, release) = (name, release(name)?);
    let mut result = Recommends::default();
    let mut wanted: Vec<&str> = packages.to_vec();
    let mut seen = 0;
    let mut there: HashSet<&str> = HashSet::default();
    // What is named is installed too, so that its own edge counts as well.
    let mut frontier: BTreeMap<&str, Mark> = BTreeMap::new();
    loop {
        for package in &wanted[seen..] {
            there.insert(package);
            for name in release.provided_by(package) {
                there.insert(name);
            }
            match release.packages.get(package) {
                Some((edge, _)) => result.add_edge(package, edge, &mut frontier),
                None if release.base.contains(package) => {}
                None => drop(result.unknown.insert((*package).to_owned())),
            }
        }
        seen = wanted.len();
        frontier.retain(|name, _| !there.contains(name) && !present.has(name, known));
        result.dropped.clear();
        for (name, mark) in &frontier {
            let name_it = match mark {
                Mark::Always => true,
                Mark::Relied => words(relied_on(), name).any(mentions),
                Mark::Inert => words(inert(), name).any(mentions),
            };
            if name_it {
                wanted.push(name);
                result.named.insert((*name).to_owned());
            } else if *mark == Mark::Relied {
                result.dropped.insert((*name).to_owned());
            }
        }
        if wanted.len() == seen {
            return Some(result);
        }
    }
}

impl Recommends {
    /// Adds what a package recommends to the frontier.
    fn add_edge(&mut self, package: &str, edge: &'static str, frontier: &mut BTreeMap<&'static str, Mark>) {
        for name in edge.split(' ').filter(|name| !name.is_empty()) {
            if name == "*" {
                self.too_many.get_or_insert_with(|| package.to_owned());
                continue;
            }
            let (mark, name) = Mark::read(name);
            let entry = frontier.entry(name).or_insert(mark);
            *entry = (*entry).max(mark);
        }
    }
}

/// What is to be done about a recommended package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// Not missed unless it is mentioned.
    Inert,
    /// Named if there is evidence.
    Relied,
    /// Always named.
    Always,
}

impl Mark {
    fn read(name: &str) -> (Self, &str) {
        match name.as_bytes().first() {
            Some(b'+') => (Self::Always, &name[1..]),
            Some(b'?') => (Self::Inert, &name[1..]),
            _ => (Self::Relied, name),
        }
    }
}

type Evidence = HashMap<&'static str, Vec<&'static str>>;

fn inert() -> &'static Evidence {
    static TABLE: OnceLock<Evidence> = OnceLock::new();
    TABLE.get_or_init(|| evidence(include_str!("data/inert.tsv")))
}

fn relied_on() -> &'static Evidence {
    static TABLE: OnceLock<Evidence> = OnceLock::new();
    TABLE.get_or_init(|| evidence(include_str!("data/relied-on.tsv")))
}

fn evidence(data: &'static str) -> Evidence {
    let mut table = Evidence::default();
    for row in rows(data) {
        let words = row.get(2).copied().unwrap_or_default();
        let words = words.split(' ').filter(|word| !word.is_empty() && *word != "always");
        table.entry(row[0]).or_default().extend(words);
    }
    table
}

fn words(table: &'static Evidence, package: &str) -> impl Iterator<Item = &'static str> {
    table.get(package).into_iter().flatten().copied()
}

/// Whether a text mentions a word: between characters that are not letters, digits or one of `_.+-`;
/// `~part` anywhere, in whatever letter case. `lower` is the text in lower case.
pub fn mentions(text: &str, lower: &str, word: &str) -> bool {
    if let Some(part) = word.strip_prefix('~') {
        return lower.contains(&part.to_ascii_lowercase());
    }
    let part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '+' | '-');
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(packages: &[&str], text: &str) -> Recommends {
        let lower = text.to_ascii_lowercase();
        without_recommends(packages, &Present::default(), "bookworm", &|word| mentions(text, &lower, word))
            .unwrap()
    }

    #[test]
    fn a_compiler_needs_headers() {
        assert!(of(&["gcc"], "").named.contains("libc6-dev"));
        for release in ["bullseye", "bookworm", "trixie"] {
            let result = without_recommends(
                &["gcc", "default-libmysqlclient-dev"],
                &Present::default(),
                release,
                &|_| false,
            )
            .unwrap();
            assert!(result.is_inert() && result.named.is_empty(), "{release}: {result:?}");
        }
    }

    #[test]
    fn what_is_mentioned_is_named() {
        assert!(!of(&["git"], "").named.contains("less"));
        assert!(of(&["git"], "RUN git log | less").named.contains("less"));
        assert!(of(&["git"], "RUN helpless").named.iter().all(|name| name != "less"));
    }

    #[test]
    fn what_is_not_in_the_tables_is_unknown() {
        assert_eq!(of(&["no-such-package"], "").unknown.len(), 1);
        assert!(of(&["bash"], "").is_inert());
    }
}
