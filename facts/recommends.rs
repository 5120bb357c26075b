//! What `apt-get install --no-install-recommends` leaves out; see `data/README.md`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::tables::rows;

/// The packages of one release.
struct Release {
    base: BTreeSet<&'static str>,
    packages: HashMap<&'static str, Package>,
}

/// What a package recommends, and what it provides.
struct Package {
    edge: &'static str,
    provides: &'static str,
    /// The parts of `edge`, once they are asked for.
    recommended: OnceLock<Vec<Recommended>>,
}

/// A package that another recommends.
#[derive(Clone, Copy)]
struct Recommended {
    /// Its name; `*` stands for more than are listed.
    name: &'static str,
    mark: Mark,
    /// The words that show that it is relied on.
    words: &'static [&'static str],
}

impl Recommended {
    fn new(name: &'static str, mark: Mark) -> Self {
        let words = match mark {
            Mark::Always => &[],
            Mark::Relied => relied_on().words(name),
            Mark::Inert => inert().words(name),
        };
        Self { name, mark, words }
    }
}

impl Package {
    fn recommended(&self) -> &[Recommended] {
        self.recommended.get_or_init(|| {
            let names = self.edge.split(' ').filter(|name| !name.is_empty());
            let read = |name| {
                let (mark, name) = Mark::read(name);
                Recommended::new(name, mark)
            };
            names.map(read).collect()
        })
    }
}

impl Release {
    /// What a package stands in for.
    fn provided_by(&self, package: &str) -> std::str::Split<'static, char> {
        self.packages.get(package).map_or("", |package| package.provides).split(' ')
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

/// For which release a table is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The one that it is of.
    Own,
    /// One that has no table: a guess, so that a package is only named if one that is installed by name
    /// recommends it, and not one that this depends on, here.
    Other,
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
    /// Whether there is nothing that would be left out, or none that matters.
    pub loses_nothing: bool,
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
            None => {
                let (edge, provides) = (column(1), column(2));
                let package = Package { edge, provides, recommended: OnceLock::new() };
                release.packages.insert(column(0), package);
            }
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
    static TABLE: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let table = TABLE.get_or_init(|| rows(include_str!("data/portable.tsv")).map(|row| row[0]).collect());
    table.contains(package)
}

/// Whether a package exists in every release without a table in which one of `others` does.
pub fn exists_beside(package: &str, others: &[&str]) -> bool {
    relied_on().rules.iter().any(|rule| rule.older && rule.package == package && rule.names_one_of(others))
}

/// What becomes of the recommended packages when `packages` are installed on top of `present`, going by
/// the table of the release `name`. `mentions` tells whether the file mentions a word (`~word`: a part of
/// a word). `None` if there is no table of that name.
pub fn without_recommends(
    packages: &[&str],
    present: &Present,
    (name, asked): (&str, Asked),
    mentions: &dyn Fn(&'static str) -> bool,
) -> Option<Recommends> {
    let (known, release) = (name, release(name)?);
    let mut result = Recommends { loses_nothing: true, ..Recommends::default() };
    let mut wanted: Vec<&str> = packages.to_vec();
    let mut seen = 0;
    let mut there: HashSet<&str> = HashSet::default();
    // What is named is installed too, so that its own edge counts as well.
    let mut frontier = Frontier::new();
    loop {
        for package in &wanted[seen..] {
            there.insert(package);
            for name in release.provided_by(package) {
                there.insert(name);
            }
            match release.packages.get(package) {
                Some(known) => result.add_edge(package, known.recommended(), &mut frontier),
                None if release.base.contains(package) || result.named.contains(*package) => {}
                None => drop(result.unknown.insert((*package).to_owned())),
            }
            if asked == Asked::Other {
                let older = relied_on().older.get(package).into_iter().flatten();
                older.for_each(|&(name, mark)| add(&mut frontier, Recommended::new(name, mark)));
            }
        }
        seen = wanted.len();
        frontier.retain(|name, _| !there.contains(name) && !present.has(name, known));
        result.loses_nothing &= frontier.is_empty() && result.too_many.is_none();
        result.dropped.clear();
        for (name, Recommended { mark, words, .. }) in &frontier {
            let relied_on_here = *mark == Mark::Always || words.iter().any(|word| mentions(word));
            let name_it = relied_on_here
                && (asked == Asked::Own || is_recommended_elsewhere(name, &wanted[..seen], mentions));
            if name_it {
                wanted.push(name);
                result.named.insert((*name).to_owned());
            } else if relied_on_here || *mark == Mark::Relied {
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
    fn add_edge(&mut self, package: &str, edge: &[Recommended], frontier: &mut Frontier) {
        for recommended in edge {
            if recommended.name == "*" {
                self.too_many.get_or_insert_with(|| package.to_owned());
                continue;
            }
            add(frontier, *recommended);
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

/// The recommended packages that are not there, by name.
type Frontier = BTreeMap<&'static str, Recommended>;

/// Adds a package to a frontier, with the stronger mark if it is there.
fn add(frontier: &mut Frontier, package: Recommended) {
    let entry = frontier.entry(package.name).or_insert(package);
    if entry.mark < package.mark {
        *entry = package;
    }
}

/// What is known of the packages that are left out; see `data/README.md`.
struct Evidence {
    rules: Vec<Rule>,
    /// The words of all rules for a package.
    words: HashMap<&'static str, Vec<&'static str>>,
    /// What a package recommends by the rules for releases without a table.
    older: HashMap<&'static str, Vec<(&'static str, Mark)>>,
}

/// A row of `inert.tsv` or `relied-on.tsv`.
struct Rule {
    package: &'static str,
    /// Who recommends it.
    by: Vec<&'static str>,
    words: Vec<&'static str>,
    /// Whether it is for releases without a table.
    older: bool,
}

impl Rule {
    fn mark(&self) -> Mark {
        if self.words.is_empty() { Mark::Always } else { Mark::Relied }
    }

    fn names_one_of(&self, packages: &[&str]) -> bool {
        packages.iter().any(|package| self.by.iter().any(|by| is_instance(package, by)))
    }
}

impl Evidence {
    fn read(data: &'static str) -> Self {
        let mut table = Self { rules: Vec::new(), words: HashMap::default(), older: HashMap::default() };
        for row in rows(data) {
            let column = |at: usize| row.get(at).copied().unwrap_or_default();
            let split =
                |at: usize| column(at).split(' ').filter(|word| !word.is_empty() && *word != "always");
            table.words.entry(row[0]).or_default().extend(split(2));
            let rule = Rule {
                package: row[0],
                by: split(1).collect(),
                words: split(2).collect(),
                older: column(4) == "older",
            };
            for by in rule.by.iter().filter(|_| rule.older) {
                table.older.entry(by).or_default().push((rule.package, rule.mark()));
            }
            table.rules.push(rule);
        }
        table
    }

    fn words(&'static self, package: &str) -> &'static [&'static str] {
        self.words.get(package).map_or(&[], Vec::as_slice)
    }
}

fn inert() -> &'static Evidence {
    static TABLE: OnceLock<Evidence> = OnceLock::new();
    TABLE.get_or_init(|| Evidence::read(include_str!("data/inert.tsv")))
}

fn relied_on() -> &'static Evidence {
    static TABLE: OnceLock<Evidence> = OnceLock::new();
    TABLE.get_or_init(|| Evidence::read(include_str!("data/relied-on.tsv")))
}

/// Whether one of `packages` itself recommends a package, whatever the release; or the file shows that
/// it is needed, whoever recommends it.
fn is_recommended_elsewhere(
    package: &str,
    packages: &[&str],
    mentions: &dyn Fn(&'static str) -> bool,
) -> bool {
    let rules = relied_on().rules.iter().chain(&inert().rules);
    rules.filter(|rule| is_instance(package, rule.package)).any(|rule| {
        rule.names_one_of(packages)
            || (rule.older && rule.by == ["*"] && rule.words.iter().any(|word| mentions(word)))
    })
}

/// Whether a package is what a name stands for, in which `#` is a version such as `3.1`.
fn is_instance(package: &str, name: &str) -> bool {
    // Names begin with the same letter long before they are the same.
    if package.as_bytes().first() != name.as_bytes().first() {
        return false;
    }
    let Some((before, after)) = name.split_once('#') else { return package == name };
    let version = package.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    version.is_some_and(|version| {
        version.starts_with(|c: char| c.is_ascii_digit())
            && version.strip_suffix("t64").unwrap_or(version).chars().all(|c| c.is_ascii_digit() || c == '.')
    })
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
        without_recommends(packages, &Present::default(), ("bookworm", Asked::Own), &|word| {
            mentions(text, &lower, word)
        })
        .unwrap()
    }

    #[test]
    fn a_compiler_needs_headers() {
        assert!(of(&["gcc"], "").named.contains("libc6-dev"));
        for release in ["bullseye", "bookworm", "trixie"] {
            let result = without_recommends(
                &["gcc", "default-libmysqlclient-dev"],
                &Present::default(),
                (release, Asked::Own),
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
    fn words_within_other_words() {
        let named = |packages: &[&str], text: &str| of(packages, text).named.into_iter().collect::<Vec<_>>();
        assert!(named(&["bundler"], "RUN gem install x").contains(&"build-essential".to_owned()));
        for (package, left_out, text) in [
            ("bundler", "build-essential", "RUN apt-get install -y imagemagick"),
            ("openssh-client", "xauth", "RUN echo 'display_errors = On' >> php.ini"),
            ("curl", "libsasl2-modules", "MAINTAINER someone@gmail.com\nRUN tar xf archive.tar"),
            ("libglib2.0-0", "shared-mime-info", "ENV AWS_REGION=eu-west-1"),
            ("git", "patch", "RUN ./dispatch"),
        ] {
            assert!(!named(&[package], text).contains(&left_out.to_owned()), "{package} with {text}");
        }
        assert!(named(&["openssh-client"], "ENV DISPLAY=:0").contains(&"xauth".to_owned()));
        assert!(named(&["git"], "RUN patch -p1 < x").contains(&"patch".to_owned()));
    }

    #[test]
    fn older_releases() {
        let of = |packages: &[&str], text: &str| {
            let lower = text.to_ascii_lowercase();
            let mentions = |word: &str| mentions(text, &lower, word);
            without_recommends(packages, &Present::default(), ("bookworm", Asked::Other), &mentions).unwrap()
        };
        let named = |packages: &[&str], text: &str| of(packages, text).named.into_iter().collect::<Vec<_>>();
        assert_eq!(
            named(&["python-pip"], "pip install x"),
            ["build-essential", "python-dev", "python-setuptools"]
        );
        assert_eq!(
            named(&["python3-pip"], "pip3 install x"),
            ["build-essential", "python3-dev", "python3-setuptools"]
        );
        assert!(of(&["python-pip"], "").dropped.contains("python-dev"));
        assert!(exists_beside("python-dev", &["git", "python-pip"]));
        assert!(!exists_beside("python-dev", &["git"]));
        // Through what they depend on.
        assert!(named(&["supervisor"], "").is_empty());
        assert_eq!(named(&["supervisor"], "RUN curl https://example.com"), ["ca-certificates"]);
        assert_eq!(named(&["gcc"], ""), ["libc6-dev"]);
        assert_eq!(named(&["golang"], ""), ["g++", "gcc", "libc6-dev", "pkg-config"]);
    }

    #[test]
    fn versions_in_names() {
        assert!(is_instance("php8.2-cli", "php#-cli") && is_instance("libqt5gui5", "libqt5gui5"));
        assert!(is_instance("libpoppler126t64", "libpoppler#"));
        assert!(!is_instance("php-cli", "php#-cli") && !is_instance("php8.2", "php#-cli"));
    }

    #[test]
    fn what_is_not_in_the_tables_is_unknown() {
        assert_eq!(of(&["no-such-package"], "").unknown.len(), 1);
        assert!(of(&["bash"], "").is_inert());
    }
}
