//! What the builds use, and whether a file asks for more than that.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use dockeropt_syntax::{Dockerfile, Item, Operation};

use crate::tables::rows;

/// The program that builds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// BuildKit: `docker build` of today, `docker buildx`, `buildctl`.
    Buildkit,
    /// `podman build`.
    Podman,
    /// `buildah build`.
    Buildah,
    /// kaniko.
    Kaniko,
    /// The builder of Docker before BuildKit.
    Legacy,
}

impl Engine {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 5] = [
        ("buildkit", Self::Buildkit),
        ("podman", Self::Podman),
        ("buildah", Self::Buildah),
        ("kaniko", Self::Kaniko),
        ("legacy", Self::Legacy),
    ];
}

/// A version of the Dockerfile syntax, as in `# syntax=docker/dockerfile:1.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    /// Without one it is the newest of its major version.
    minor: Option<u32>,
}

impl Version {
    /// Reads `1`, `1.4` or `1.4.3`.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let (major, minor) = (parts.next()??, parts.next());
        let is_rest_number = parts.all(|part: Option<u32>| part.is_some());
        let minor = match minor {
            None => None,
            Some(minor) => Some(minor?),
        };
        is_rest_number.then_some(Self { major, minor })
    }

    fn has(self, since: Self) -> bool {
        self.major > since.major
            || self.major == since.major && self.minor.is_none_or(|minor| minor >= since.minor.unwrap_or(0))
    }
}

/// What the builds use, as far as it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Builds {
    /// The program that builds.
    pub engine: Option<Engine>,
    /// The version of the Dockerfile syntax that it reads.
    pub syntax: Option<Version>,
}

/// Something that not every builder reads; see `data/syntax.tsv`.
#[derive(Debug)]
struct Feature {
    name: &'static str,
    since: Version,
    engines: Vec<Engine>,
}

fn features() -> &'static [Feature] {
    static TABLE: OnceLock<Vec<Feature>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let feature = |row: Vec<&'static str>| {
            let [name, since, engines] = row[..] else { return None };
            let engine = |name: &str| Engine::ALL.iter().find(|(known, _)| *known == name).map(|it| it.1);
            let engines = engines.split(' ').filter_map(engine).collect();
            Some(Feature { name, since: Version::read(since)?, engines })
        };
        rows(include_str!("data/syntax.tsv")).filter_map(feature).collect()
    })
}

impl Builds {
    /// Whether a file may be given a feature, by its name in `data/syntax.tsv`: `COPY --link`, `heredoc`.
    ///
    /// Without an engine every one must read it, without a version BuildKit is the newest. What has no row
    /// is read by all.
    pub fn reads(&self, name: &str) -> bool {
        let Some(feature) = features().iter().find(|feature| feature.name == name) else { return true };
        let by_engine = match self.engine {
            Some(engine) => feature.engines.contains(&engine),
            // A version of the syntax is a promise that BuildKit reads it.
            None => self.syntax.is_some() || feature.engines.len() == Engine::ALL.len(),
        };
        by_engine && self.syntax.is_none_or(|syntax| syntax.has(feature.since))
    }

    /// Whether a file may be given a feature, as [`reads`](Self::reads) tells. A file that names its own
    /// version, `# syntax=docker/dockerfile:1.20`, is read by BuildKit with that one, unless something else
    /// was said of the engine.
    pub fn reads_in(&self, file: &Dockerfile<'_>, name: &str) -> bool {
        let Some(named) = named_version(file) else { return self.reads(name) };
        match self.engine.unwrap_or(Engine::Buildkit) {
            Engine::Buildkit => {
                let engine = Some(Engine::Buildkit);
                self.syntax.is_none_or(|syntax| Self { engine, syntax: Some(syntax) }.reads(name))
                    && Self { engine, syntax: Some(named) }.reads(name)
            }
            // Others pass over that line.
            _ => self.reads(name),
        }
    }

    /// A feature that a result has and its original hasn't, and that the builds may not read.
    pub fn too_new(&self, before: &Dockerfile<'_>, after: &Dockerfile<'_>) -> Option<&'static str> {
        let added = used(after);
        if added.is_empty() {
            return None;
        }
        let known = used(before);
        added.into_iter().find(|name| !known.contains(name) && !self.reads_in(before, name))
    }
}

/// The version of the syntax that a file names. What `docker/dockerfile:1` is depends on who builds.
fn named_version(file: &Dockerfile<'_>) -> Option<Version> {
    let value = file.items.iter().find_map(|item| match item {
        Item::Directive(directive) if directive.name.eq_ignore_ascii_case("syntax") => Some(directive.value),
        _ => None,
    })?;
    let tag = value.strip_prefix("docker/dockerfile:")?;
    let tag = tag.split('@').next().unwrap_or(tag);
    if tag == "labs" || tag == "1-labs" {
        return Version::read("1");
    }
    Version::read(tag.trim_end_matches("-labs")).filter(|version| version.minor.is_some())
}

/// The features of the table that a file uses.
fn used(file: &Dockerfile<'_>) -> BTreeSet<&'static str> {
    let mut used = BTreeSet::new();
    let mut add = |name: &str| used.extend(features().iter().map(|it| it.name).find(|known| *known == name));
    for item in &file.items {
        match item {
            Item::Directive(directive) => add(&format!("# {}", directive.name.to_ascii_lowercase())),
            Item::Instruction(instruction) => {
                if !instruction.heredocs.is_empty() {
                    add("heredoc");
                }
                let of = |operation: &Operation, add: &mut dyn FnMut(&str)| {
                    for flag in &operation.flags {
                        let name = flag.text.split('=').next().unwrap_or_default();
                        add(&format!("{} {name}", operation.keyword.name()));
                    }
                };
                of(&instruction.operation, &mut add);
                if let Some(trigger) = &instruction.operation.trigger {
                    of(trigger, &mut add);
                }
            }
            _ => {}
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockeropt_syntax::parse;

    fn builds(engine: &str, syntax: &str) -> Builds {
        let engine = Engine::ALL.iter().find(|(name, _)| *name == engine).map(|it| it.1);
        Builds { engine, syntax: Version::read(syntax) }
    }

    #[test]
    fn versions_are_read() {
        for text in ["1", "1.4", "1.10.3"] {
            assert!(Version::read(text).is_some(), "{text}");
        }
        for text in ["", "a", "1.", "1.x", "1.4-labs", "1.4.x", "-1"] {
            assert_eq!(Version::read(text), None, "{text}");
        }
        let version = |text| Version::read(text).unwrap();
        assert!(version("1").has(version("1.20")) && version("1.10").has(version("1.4")));
        assert!(!version("1.3").has(version("1.4")) && version("2.0").has(version("1.4")));
    }

    #[test]
    fn nothing_newer_than_the_builds_read_is_allowed() {
        for (engine, syntax, name, wanted) in [
            ("", "", "heredoc", false),
            ("", "", "COPY --from", true),
            ("", "1.4", "heredoc", true),
            ("", "1.3", "heredoc", false),
            ("buildkit", "", "COPY --parents", true),
            ("buildkit", "1.19", "COPY --parents", false),
            ("podman", "", "RUN --mount", true),
            ("podman", "1.20", "COPY --parents", false),
            ("legacy", "", "COPY --chown", true),
            ("legacy", "", "COPY --chmod", false),
            ("kaniko", "", "heredoc", false),
        ] {
            assert_eq!(builds(engine, syntax).reads(name), wanted, "{engine} {syntax} {name}");
        }
    }

    #[test]
    fn a_file_may_name_the_version_itself() {
        for (engine, syntax, tag, wanted) in [
            ("", "", "docker/dockerfile:1.20", true),
            ("", "", "docker/dockerfile:1.20.1@sha256:0", true),
            ("", "", "docker/dockerfile:1-labs", true),
            ("", "", "docker/dockerfile:1.19", false),
            ("", "", "docker/dockerfile:1", false),
            ("", "", "docker/dockerfile:1.7-labs", false),
            ("", "", "example.com/dockerfile:1.20", false),
            ("buildkit", "", "docker/dockerfile:1", true),
            ("buildkit", "", "docker/dockerfile:1.19", false),
            ("buildkit", "1.19", "docker/dockerfile:1.20", false),
            ("podman", "", "docker/dockerfile:1.20", false),
        ] {
            let text = format!("# syntax={tag}\nFROM a\n");
            let found = builds(engine, syntax).reads_in(&parse(&text), "COPY --parents");
            assert_eq!(found, wanted, "{engine} {syntax} {tag}");
        }
    }

    #[test]
    fn what_the_file_has_already_is_no_news() {
        let before = parse("FROM a\nCOPY --link a b\n");
        let same = parse("FROM a\nCOPY --link c d\nCOPY --chown=a b c\n");
        let more = parse("FROM a\nCOPY --link a b\nONBUILD COPY --chmod=1 a b\n");
        let heredoc = parse("FROM a\nRUN <<E\na\nE\n");
        let legacy = builds("legacy", "");
        assert_eq!(legacy.too_new(&before, &same), None);
        assert_eq!(legacy.too_new(&before, &more), Some("COPY --chmod"));
        assert_eq!(legacy.too_new(&before, &heredoc), Some("heredoc"));
        assert_eq!(builds("buildkit", "").too_new(&before, &heredoc), None);
    }

    #[test]
    fn every_row_is_read() {
        assert_eq!(features().len(), rows(include_str!("data/syntax.tsv")).count());
        assert!(features().iter().all(|feature| feature.engines.contains(&Engine::Buildkit)));
    }
}
