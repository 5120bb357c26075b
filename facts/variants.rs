//! Which variant of an image a tag denotes, and which is the lighter one; see `data/variants.tsv`.

use std::borrow::Cow;

use crate::bases::{Image, base, key, matches, name_and_tag, read};
use crate::knowledge::{Knowledge, Table, columns, words};

/// Debian's releases, which a tag may end with.
const RELEASES: [&str; 9] =
    ["wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "sid"];

/// The lighter variant of an image, of the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slim {
    /// The reference to write instead.
    pub reference: String,
    /// The releases that both references may denote.
    pub releases: Vec<&'static str>,
    /// Whether these are all that either of them may denote, so that the same build finds the same release in
    /// both. openjdk's variants, for one, moved at different times.
    pub in_step: bool,
}

impl Knowledge {
    /// The lighter variant of an image; `None` if it has none, is one, or isn't known.
    pub fn slim_variant(&self, reference: &str) -> Option<Slim> {
        let key = key(reference)?;
        let (name, tag) = name_and_tag(&key);
        let lighter = self.find(name, tag, |row, bound| {
            let [_, _, lighter] = columns(row);
            (!lighter.is_empty()).then(|| bound.fill(lighter))
        })?;
        // The tag that is written must be one that is known, too.
        self.variant(&format!("{name}:{lighter}"))?;
        let written =
            reference.strip_suffix(tag).and_then(|before| before.strip_suffix(':')).unwrap_or(reference);
        let reference_to = format!("{written}:{lighter}");
        let images = self.base(reference).zip(self.base(&reference_to));
        let Some((from, to)) = images else {
            return Some(Slim { reference: reference_to, releases: Vec::new(), in_step: false });
        };
        let shared = from.releases.iter().copied().filter(|release| to.releases.contains(release));
        let releases: Vec<&str> = shared.collect();
        let whole = |image: &Image| image.all_releases_known && image.releases.len() == releases.len();
        let in_step = whole(&from) && whole(&to) && !releases.is_empty();
        Some(Slim { reference: reference_to, releases, in_step })
    }

    /// The image as the tables name it, and the variant that a reference denotes.
    pub fn variant(&self, reference: &str) -> Option<(String, &'static str)> {
        let key = key(reference)?;
        let (name, tag) = name_and_tag(&key);
        let variant = self.find(name, tag, |row, _| {
            let [_, variant] = columns(row);
            Some(variant)
        })?;
        Some((name.to_owned(), variant))
    }

    /// What is known of an image reference, a team's rows first; `None` without a row.
    pub fn base(&self, reference: &str) -> Option<Cow<'static, Image>> {
        let key = key(reference)?;
        let (name, tag) = name_and_tag(&key);
        let added = self.added(Table::Bases, name).iter();
        let mut rows = added.filter_map(|(_, row)| read(&row.split('\t').collect::<Vec<_>>()));
        match rows.find(|(pattern, _)| matches(pattern, tag)) {
            Some((_, image)) => Some(Cow::Owned(image)),
            None => base(reference).map(Cow::Borrowed),
        }
    }

    /// The first row of an image that matches a tag and of which `f` makes something.
    fn find<T>(&self, name: &str, tag: &str, f: impl Fn(&'static str, &Bound<'_>) -> Option<T>) -> Option<T> {
        self.rows(Table::Variants, name).find_map(|(_, row)| {
            let [pattern, _, _, names, versions] = columns(row);
            let bound = bind(pattern, tag, names, versions)?;
            f(row, &bound)
        })
    }
}

/// What the parts of a pattern stand for in a tag.
#[derive(Default)]
struct Bound<'t>(Vec<(&'static str, &'t str)>);

impl Bound<'_> {
    /// Another pattern with them.
    fn fill(&self, pattern: &str) -> String {
        self.0.iter().fold(pattern.to_owned(), |filled, (part, text)| filled.replace(part, text))
    }
}

/// Matches a tag with a pattern, part by part between hyphens: `{v}` is a version, not older than the smallest
/// of the same major version in `versions`; `{m}` a number; `{r}` a release in `names`, `{n}` another name in
/// it.
fn bind<'t>(pattern: &'static str, tag: &'t str, names: &str, versions: &str) -> Option<Bound<'t>> {
    // Most patterns begin with another name.
    if pattern.bytes().next().is_some_and(|it| !b"{*".contains(&it) && tag.bytes().next() != Some(it)) {
        return None;
    }
    let mut bound = Bound::default();
    let mut texts = tag.split('-');
    for part in pattern.split('-') {
        let mut text = texts.next()?;
        let mut part = part;
        if let Some(at) = part.find('{').filter(|&at| at > 0) {
            text = text.strip_prefix(&part[..at])?;
            part = &part[at..];
        }
        let fits = match part {
            "{v}" => is_version(text) && (versions.is_empty() || is_since(text, versions)),
            "{m}" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
            "{r}" => RELEASES.contains(&text) && words(names).any(|name| name == text),
            "{n}" => !RELEASES.contains(&text) && words(names).any(|name| name == text),
            "*" => return Some(bound),
            _ => part == text,
        };
        if !fits {
            return None;
        }
        bound.0.push((part, text));
    }
    texts.next().is_none().then_some(bound)
}

/// `3`, `3.12.1`, `3.13.0rc2`.
fn is_version(text: &str) -> bool {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (numbers, suffix) = text.split_at(end);
    let suffix = suffix.trim_end_matches(|c: char| c.is_ascii_digit());
    numbers.split('.').all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        && matches!(suffix, "" | "a" | "b" | "rc")
}

/// Whether a version is not older than the smallest of its major version. `3.4` is the newest 3.4.
fn is_since(version: &str, versions: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
        text[..end].split('.').filter_map(|number| number.parse().ok()).collect()
    };
    let version = numbers(version);
    let smallest = words(versions).map(numbers).find(|smallest| smallest.first() == version.first());
    smallest.is_some_and(|smallest| {
        let common = smallest.len().min(version.len());
        version[..common] >= smallest[..common]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slim(reference: &str) -> Option<String> {
        Knowledge::builtin().slim_variant(reference).map(|slim| slim.reference)
    }

    #[test]
    fn the_lighter_tag_is_spelled_as_the_image_spells_it() {
        let expected = [
            ("python:3.10", "python:3.10-slim"),
            ("python", "python:slim"),
            ("python:latest", "python:slim"),
            ("python:3.12.1-bookworm", "python:3.12.1-slim-bookworm"),
            ("python:bookworm", "python:slim-bookworm"),
            ("library/python:3", "library/python:3-slim"),
            (
                "registry.example.com:5000/library/python:3.11",
                "registry.example.com:5000/library/python:3.11-slim",
            ),
            ("node:20", "node:20-slim"),
            ("node:20.11.1-bookworm", "node:20.11.1-bookworm-slim"),
            ("node:lts-bullseye", "node:lts-bullseye-slim"),
            ("node:iron", "node:iron-slim"),
            ("ruby:3.3-bookworm", "ruby:3.3-slim-bookworm"),
            ("rust:1.75", "rust:1.75-slim"),
            ("rust:1-bookworm", "rust:1-slim-bookworm"),
            ("perl:5.36", "perl:5.36-slim"),
            ("debian:bookworm", "debian:bookworm-slim"),
            ("debian", "debian:stable-slim"),
            ("openjdk:11-jre", "openjdk:11-jre-slim"),
            ("openjdk:17-jdk-bullseye", "openjdk:17-jdk-slim-bullseye"),
        ];
        for (reference, lighter) in expected {
            assert_eq!(slim(reference).as_deref(), Some(lighter), "{reference}");
        }
    }

    #[test]
    fn what_has_no_lighter_tag_has_none() {
        let none = [
            "python:3.10-slim",
            "python:3.10-alpine",
            "python:3.3.5",
            "python:2.7.8",
            "python:3.10-windowsservercore",
            "python@sha256:00",
            "example.com/python:3.10",
            "team/python:3.10",
            "golang:1.22",
            "php:8.2-apache",
            "openjdk:17",
            "openjdk:17-jdk",
            "eclipse-temurin:17-jdk",
            "ubuntu:22.04",
            "node:8-jessie",
            "python:3.10-slim-bookworm",
            "registry.example.com/dotnet/sdk:8.0",
            "python:3.10-onbuild",
            "rust:nightly",
        ];
        for reference in none {
            assert_eq!(slim(reference), None, "{reference}");
        }
    }

    #[test]
    fn both_must_be_of_the_same_release() {
        let releases = |reference: &str| {
            let slim = Knowledge::builtin().slim_variant(reference).unwrap();
            (slim.releases, slim.in_step)
        };
        assert_eq!(releases("python:3.12"), (vec!["bookworm", "trixie"], true));
        assert_eq!(releases("python:3.12-bookworm"), (vec!["bookworm"], true));
        assert_eq!(releases("debian:bookworm"), (vec!["bookworm"], true));
    }

    #[test]
    fn every_row_matches_a_tag_and_every_lighter_tag_is_known() {
        let knowledge = Knowledge::builtin();
        for (name, row) in Table::Variants.ours().all() {
            let [pattern, variant, lighter, names, versions] = columns(row);
            let release = words(names).filter(|name| RELEASES.contains(name)).last().unwrap_or_default();
            let codename = words(names).filter(|name| !RELEASES.contains(name)).last().unwrap_or_default();
            let version = words(versions).last().unwrap_or("1");
            let fill = |text: &str| {
                text.replace("{v}", version)
                    .replace("{r}", release)
                    .replace("{n}", codename)
                    .replace("{m}", "17")
            };
            let reference = format!("{}:{}", name.replace("*/", "registry.example.com/"), fill(pattern));
            assert_eq!(knowledge.variant(&reference), Some((name.to_owned(), variant)), "{reference}");
            let before = reference.rsplit_once(':').unwrap().0;
            let expected = (!lighter.is_empty()).then(|| format!("{before}:{}", fill(lighter)));
            assert_eq!(slim(&reference), expected, "{reference}");
        }
    }

    #[test]
    fn a_team_may_add_images() {
        let variants = "*/team/base\t{v}\tfull\t{v}-small\n*/team/base\t{v}-small\tsmall\n";
        let bases = "*/team/base\t*\tdebian\tbookworm\tapt\tyes\n";
        let knowledge = Knowledge::with(&[(Table::Variants, variants), (Table::Bases, bases)]).unwrap();
        let slim = knowledge.slim_variant("registry.example.com/team/base:2.1").unwrap();
        assert_eq!(slim.reference, "registry.example.com/team/base:2.1-small");
        assert_eq!((slim.releases, slim.in_step), (vec!["bookworm"], true));
        assert!(knowledge.slim_variant("python:3.10").is_some());
    }
}
