//! The rows that are to be shown, the samples that show them, and those that stand apart.

use std::collections::{BTreeMap, BTreeSet};

/// The images that the samples run in.
pub(crate) const BASES: [(&str, &str); 3] =
    [("debian", "debian:bookworm"), ("python", "python:3.10-slim"), ("node", "node:20-slim")];

const PROGRAMS: &str = include_str!("../../facts/data/programs.tsv");
const MANAGERS: &str = include_str!("../../facts/data/managers.tsv");
const CACHES: &str = include_str!("../../facts/data/caches.tsv");
const PATHS: &str = include_str!("../../facts/data/paths.tsv");

/// The classes of which the facts say what a program writes. Those of the others may do anything.
const TOLD: [&str; 9] =
    ["quiet", "paths", "beside", "fetch", "account", "system", "system-beside", "apt-index", "own-update"];
/// Those of which every sample must write something.
const WRITING: [&str; 4] = ["paths", "beside", "fetch", "account"];

/// A command, and the row that it shows.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) of: String,
    pub(crate) packages: String,
    pub(crate) setup: String,
    pub(crate) command: String,
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

/// The samples of a base, in order.
pub(crate) fn samples(base: &str, server: &str) -> Vec<Sample> {
    let own = rows(include_str!("commands.tsv")).filter(|row| row[0] == base);
    own.map(|row| {
        let [_, of, packages, setup, command] = row[..] else { panic!("five columns: {row:?}") };
        Sample {
            of: of.to_owned(),
            packages: packages.to_owned(),
            setup: setup.to_owned(),
            command: command.replace("@SERVER@", server),
        }
    })
    .collect()
}

/// The rows that have no sample, with the reason.
pub(crate) fn apart() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for row in rows(include_str!("apart.tsv")) {
        let [names, why] = row[..] else { panic!("two columns: {row:?}") };
        assert!(!why.is_empty());
        // What begins with a space belongs to the name before: `apt moo` is one name.
        found.extend(names.split(", ").map(|name| (name.to_owned(), why.to_owned())));
    }
    found
}

/// Whether a name stands apart, itself or by a `*` at the end.
pub(crate) fn is_apart(apart: &BTreeMap<String, String>, name: &str) -> bool {
    apart.keys().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => known == name,
    })
}

/// What has to be shown: programs, and words and options of package managers.
pub(crate) fn rows_to_show() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for row in rows(PROGRAMS).filter(|row| TOLD.contains(&row[0])) {
        found.extend(row[1].split(' ').map(str::to_owned));
    }
    for row in rows(MANAGERS) {
        let [programs, manager, verbs, _, options, _] = row[..] else { panic!("six columns: {row:?}") };
        found.extend(programs.split(' ').map(str::to_owned));
        let words = verbs.split(' ').filter_map(|kind| kind.split_once('=')).flat_map(|it| it.1.split(','));
        found.extend(words.map(|word| format!("{manager} {word}")));
        let options = options.split(' ').filter(|option| *option != "-");
        found.extend(options.map(|option| format!("{manager} {option}")));
    }
    found
}

/// What a sample shows besides its row: the manager's program, and its options.
pub(crate) fn also(sample: &Sample) -> Vec<String> {
    let Some(manager) = manager_of(sample.of.split(' ').next().unwrap_or_default()) else {
        return Vec::new();
    };
    let words: Vec<&str> = sample.command.split(' ').collect();
    let programs = words.iter().filter(|word| manager_of(word).is_some()).map(|word| (*word).to_owned());
    programs.chain(words.iter().map(|word| format!("{manager} {word}"))).collect()
}

/// The manager that a program, or the manager's own name, stands for.
pub(crate) fn manager_of(program: &str) -> Option<&'static str> {
    rows(MANAGERS)
        .find_map(|row| (row[1] == program || row[0].split(' ').any(|it| it == program)).then_some(row[1]))
}

/// Whether a sample of a row must write something.
pub(crate) fn must_write(of: &str) -> bool {
    let row = rows(PROGRAMS).find(|row| row[1].split(' ').any(|program| program == of));
    row.is_some_and(|row| WRITING.contains(&row[0]) && of != "zcat")
}

/// The folders of caches: `manager path`, and the path.
pub(crate) fn caches() -> Vec<(String, &'static str)> {
    rows(CACHES).map(|row| (format!("{} {}", row[0], row[2]), row[2])).collect()
}

/// The rows of `paths.tsv`: kind, path, target.
pub(crate) fn folders() -> Vec<(&'static str, &'static str, &'static str)> {
    rows(PATHS).map(|row| (row[0], row[1], row.get(2).copied().unwrap_or_default())).collect()
}
