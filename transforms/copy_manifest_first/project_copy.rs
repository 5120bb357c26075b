//! The COPY that brings the project, and which file of the context comes to lie where.

use dockeropt_facts::effects::within;
use dockeropt_facts::ignore::Ignore;
use dockeropt_facts::project::EntryKind;
use dockeropt_facts::{Action, Copy, Project, Step, clean};

/// A COPY or ADD of one folder of the build context.
pub(super) struct ProjectCopy<'c> {
    /// The instruction.
    pub(super) step: &'c Step<'c>,
    /// The folder, by its path in the context: empty for all of it.
    pub(super) source: String,
    /// Where what lies in it goes to; absolute.
    pub(super) destination: String,
    copy: &'c Copy,
}

impl<'c> ProjectCopy<'c> {
    /// Reads the step; nothing if it copies no folder.
    pub(super) fn of(step: &'c Step<'c>, project: &Project) -> Result<Option<Self>, String> {
        let Action::Copy(copy) = &step.action else { return Ok(None) };
        let sources = copy.sources.iter().map(|source| source.text());
        let Some(sources) = sources.collect::<Option<Vec<&str>>>() else {
            return Err("what it copies is decided when the image is built".to_owned());
        };
        let [source] = sources[..] else { return Ok(None) };
        let source = context_path(source);
        if !source.is_empty() && project.entry(&source).map(|entry| entry.kind) != Some(EntryKind::Folder) {
            return Ok(None);
        }
        let Some(destination) = copy.destination.text() else {
            return Err("its destination is decided when the image is built".to_owned());
        };
        if let Some(flag) = copy.flags.iter().find(|flag| !flag.text().is_some_and(is_carried)) {
            let name = flag.raw().split('=').next().unwrap_or_default();
            return Err(format!("its flag {name} decides what is copied"));
        }
        Ok(Some(Self { step, source, destination: destination.to_owned(), copy }))
    }

    /// What the step copies.
    pub(super) fn copy(&self) -> &'c Copy {
        self.copy
    }

    /// The path in the context of what comes to lie at an absolute path of the image.
    pub(super) fn origin(&self, path: &str) -> Option<String> {
        if !within(path, &self.destination) {
            return None;
        }
        let below = path[self.destination.len()..].trim_start_matches('/');
        Some(match (self.source.as_str(), below) {
            ("", below) => below.to_owned(),
            (source, "") => source.to_owned(),
            (source, below) => format!("{source}/{below}"),
        })
    }

    /// Where a path of the context comes to lie, if the COPY brings it.
    pub(super) fn place_of(&self, path: &str) -> Option<String> {
        let inside = self.source.is_empty() || within(path, &self.source);
        inside.then(|| self.place(path))
    }

    /// Where a path of the context below its folder comes to lie.
    pub(super) fn place(&self, path: &str) -> String {
        clean(&format!("{}/{}", self.destination, self.below(path)))
    }

    /// A path of the context as seen from the folder that is copied.
    pub(super) fn below<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(&self.source).unwrap_or(path).trim_start_matches('/')
    }
}

/// Flags that a COPY of some of the files can have as well.
fn is_carried(flag: &str) -> bool {
    ["--chown=", "--chmod="].iter().any(|start| flag.starts_with(start))
        || matches!(flag, "--link" | "--link=true" | "--link=false")
}

/// A path in the build context as a COPY names it: without `./` and slashes at its ends.
pub(super) fn context_path(source: &str) -> String {
    clean(&format!("/{source}")).trim_start_matches('/').to_owned()
}

/// Whether a COPY may bring the project, judged by its text alone: one source of the build context that
/// looks like a folder.
pub(super) fn may_bring_project(copy: &Copy) -> bool {
    let [source] = &copy.sources[..] else { return false };
    let source = source.raw();
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    copy.from.is_none()
        && !copy.heredoc
        && !source.contains("://")
        && !source.starts_with("git@")
        && (matches!(name, "" | "." | "..") || !name.contains(['.', '*', '?', '[']))
}

/// Whether a COPY names one of some manifests; they may be patterns, and so may what it copies.
pub(super) fn brings_manifests(copy: &Copy, manifests: &[&str]) -> bool {
    copy.sources.iter().filter_map(|source| source.text()).any(|source| {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let matches = |pattern: &str, name: &str| Ignore::parse(pattern).excludes(name);
        name.contains(|c: char| c.is_ascii_alphanumeric())
            && manifests.iter().any(|manifest| {
                matches(manifest, name)
                    || (name.contains(['*', '?', '[']) && matches(name, &manifest.replace('*', "x")))
            })
    })
}
