//! What the images are that Dockerfiles start from; see `data/bases.tsv`.

use rustc_hash::FxHashMap as HashMap;
use std::sync::OnceLock;

use crate::facts::Facts;
use crate::stage::Base;
use crate::tables::{Grammar, Manager, rows};

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `debian`, `ubuntu`, `alpine` ...
    pub family: &'static str,
    /// The releases that its tag may denote, without those that are not known.
    pub releases: Vec<&'static str>,
    /// Whether `releases` is all of them.
    pub all_releases_known: bool,
    /// Whether apt deletes the archives after each install, by a hook that the image has.
    pub cleans_archives: Option<bool>,
}

impl Image {
    /// Whether it may be one of some releases.
    pub fn may_be(&self, releases: &[&str]) -> bool {
        self.releases.iter().any(|release| releases.contains(release))
    }
}

/// What lies below all stages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bottom {
    /// The image, if there is a row for it.
    pub image: Option<&'static Image>,
    /// Whether it is an official image of Python with a pip of its own, and not the release's.
    brings_pip: bool,
}

impl Bottom {
    /// Whether a manager there may be too old for the option that keeps it from writing a cache.
    pub fn may_lack_option(&self, grammar: &Grammar) -> bool {
        let old = self.image.is_some_and(|image| image.may_be(&grammar.too_old));
        old && !(grammar.manager == Manager::Pip && self.brings_pip)
    }
}

impl Facts<'_> {
    /// What is known of the image that a stage starts from, through other stages where it does.
    pub fn bottom_of(&self, stage: usize) -> Bottom {
        let mut stage = stage;
        loop {
            match &self.stages[stage].base {
                Base::Stage(parent) => stage = *parent,
                Base::Image { by_default: Some(reference), .. } => {
                    return Bottom { image: base(reference), brings_pip: brings_pip(reference) };
                }
                _ => return Bottom::default(),
            }
        }
    }
}

/// Whether a reference is an official image of Python, apart from its first tags, which were left alone
/// before 2015 and have a pip that is too old for `--no-cache-dir`.
fn brings_pip(reference: &str) -> bool {
    const FIRST: [&str; 5] = ["2.7.7", "2.7.8", "3.3.5", "3.4.0", "3.4.1"];
    let Some((name, tag)) = official(reference) else { return false };
    let is_first =
        |first: &&str| tag.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    matches!(name, "python" | "pypy") && !FIRST.iter().any(is_first)
}

/// A row's pattern of tags, and what is known of them.
pub(crate) type Row = (&'static str, Image);

/// A row of `bases.tsv`, from its second column on.
pub(crate) fn read(columns: &[&'static str]) -> Option<Row> {
    let [tag, family, releases, _, hook] = *columns else { return None };
    let known = |release: &&str| *release != "?";
    let image = Image {
        family,
        releases: releases.split(' ').filter(known).collect(),
        all_releases_known: releases.split(' ').all(|release| release != "?"),
        cleans_archives: match hook {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    };
    Some((tag, image))
}

/// What is known of an image reference; `None` without a row.
pub fn base(reference: &str) -> Option<&'static Image> {
    static TABLE: OnceLock<HashMap<&'static str, Vec<Row>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: HashMap<&'static str, Vec<Row>> = HashMap::default();
        for row in rows(include_str!("data/bases.tsv")) {
            table.entry(row[0]).or_default().extend(read(&row[1..]));
        }
        table
    });
    let key = key(reference)?;
    let (name, tag) = name_and_tag(&key);
    table.get(name)?.iter().find(|(pattern, _)| matches(pattern, tag)).map(|(_, image)| image)
}

/// A reference as the tables spell it: an official image without its registry, `*/` for a registry that isn't
/// theirs. `None` for a digest, which tells nothing.
pub(crate) fn key(reference: &str) -> Option<String> {
    if reference.contains('@') {
        return None;
    }
    let (host, rest) = without_host(reference);
    // Mirrors serve the official images below `library`; other registries have rows of their own.
    Some(match rest.strip_prefix("library/") {
        Some(name) => name.to_owned(),
        None if host => format!("*/{rest}"),
        None => reference.to_owned(),
    })
}

/// The name and the tag of an official image, from wherever it is loaded; `None` for any other.
pub fn official(reference: &str) -> Option<(&str, &str)> {
    let (host, rest) = without_host(reference);
    let name = rest.strip_prefix("library/").or((!host).then_some(rest))?;
    (!name.contains(['/', '@'])).then(|| name_and_tag(name))
}

/// Whether a reference names a registry, and what follows it.
fn without_host(reference: &str) -> (bool, &str) {
    match reference.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) => (true, rest),
        _ => (false, reference),
    }
}

/// A reference's name, and its tag.
pub(crate) fn name_and_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

/// Whether a tag matches a pattern in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, tag: &str) -> bool {
    // Most patterns begin with another version.
    if pattern.bytes().next().is_some_and(|first| first != b'*' && tag.bytes().next() != Some(first)) {
        return false;
    }
    let Some((first, mut pattern)) = pattern.split_once('*') else { return pattern == tag };
    let Some(mut rest) = tag.strip_prefix(first) else { return false };
    while let Some((part, more)) = pattern.split_once('*') {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        pattern = more;
    }
    rest.ends_with(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_by_name_and_tag() {
        let releases = |reference: &str| base(reference).map(|image| image.releases.clone());
        assert_eq!(releases("debian:bookworm-slim"), Some(vec!["bookworm"]));
        assert_eq!(releases("registry.example.com:5000/library/debian:12"), Some(vec!["bookworm"]));
        assert_eq!(releases("ubuntu:22.04"), Some(vec!["jammy"]));
        assert_eq!(base("python:3.12-alpine").map(|image| image.family), Some("alpine"));
        assert_eq!(releases("example.com/team/base:1"), None);
        assert_eq!(releases("example.com/debian:12"), None);
        assert!(base("registry.example.com/dotnet/sdk:8.0").is_some());
        assert_eq!(releases("debian@sha256:00"), None);
        assert_eq!(releases("alpine:3.2.3"), Some(vec!["3.2"]));
        assert_eq!(releases("alpine:3.20"), Some(vec![]));
        assert_eq!(releases("gliderlabs/alpine:3.2"), Some(vec!["3.2"]));
        assert_eq!(official("python:3.6"), Some(("python", "3.6")));
        assert_eq!(official("registry.example.com:5000/library/python"), Some(("python", "latest")));
        assert_eq!(official("example.com/python:3.6").or(official("team/python:3.6")), None);
    }

    #[test]
    fn patterns_match_whole_tags() {
        assert!(matches("*", "x") && matches("3.*", "3.9") && matches("*alpine*", "3-alpine3.18"));
        assert!(matches("3", "3") && !matches("3", "3.1") && !matches("*-slim", "slim-x"));
    }
}
