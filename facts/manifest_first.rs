//! A dependency install that stands above the COPY which brings the project: what a claim of this kind
//! lets differ.
//!
//! A COPY of files right above a COPY that brings the same files to the same places changes nothing. So
//! the check puts the new COPYs into the original, above that COPY, and lets the commands of the claim
//! change places with it.

use crate::effects::within;
use crate::facts::Copy;
use crate::trace::{CopyEvent, Event};
use crate::value::{Value, clean};

/// Manifests are copied and dependencies installed before the rest of the project is copied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestFirst {
    /// The COPYs that are new.
    pub copies: Vec<ManifestCopy>,
    /// The commands that come to stand above the COPY of the project, and need the manifests.
    pub installs: Vec<Placed>,
    /// Commands that may come to stand above the COPY of the project, and need nothing of it.
    pub others: Vec<Placed>,
    /// Commands that are new, between the new COPYs and the COPY of the project.
    pub added: Vec<Placed>,
    /// Programs that the commands leave where they were, though a shell that ran both might call another one.
    pub forgets: Vec<String>,
    /// Whether the project's manifests show that nothing differs.
    pub proven: bool,
}

/// A COPY of manifests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestCopy {
    /// The files, by their paths in the build context.
    pub files: Vec<String>,
    /// The folder of the image that they go to; absolute.
    pub folder: String,
    /// Whether they keep the folders that they lie in (`--parents`).
    pub parents: bool,
}

/// A command and the folder that it runs in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// The command, as in a script.
    pub command: String,
    /// The folder; absolute.
    pub folder: String,
}

impl ManifestFirst {
    /// Whether the image may differ in a way that matters.
    pub(crate) fn counts(&self) -> bool {
        !self.proven || !self.added.is_empty()
    }

    /// Whether an event is a COPY of a file that one of its COPYs brings, too.
    pub(crate) fn shares_files_with(&self, event: &Event<'_>) -> bool {
        let Event::Copy(event) = event else { return false };
        let sources: Vec<String> =
            event.copy.sources.iter().filter_map(|source| source.text().map(context_path)).collect();
        self.copies.iter().flat_map(|copy| &copy.files).any(|file| sources.contains(file))
    }

    /// The claim in words.
    pub(crate) fn describe(&self) -> String {
        let list = |commands: &[Placed]| match commands {
            [] => "nothing".to_owned(),
            [one] => format!("`{}`", one.command),
            [one, others @ ..] => format!("`{}` and {} more", one.command, others.len()),
        };
        if self.added.is_empty() {
            format!("{} runs before the rest of the project is there", list(&self.installs))
        } else {
            format!("{} runs in addition, before the project is there", list(&self.added))
        }
    }
}

impl ManifestCopy {
    /// Where its files come to lie.
    fn places(&self) -> impl Iterator<Item = (&str, String)> {
        self.files.iter().map(|file| {
            let name = if self.parents { file } else { file.rsplit('/').next().unwrap_or(file) };
            (file.as_str(), clean(&format!("{}/{name}", self.folder)))
        })
    }

    /// Whether a COPY is this one.
    fn is(&self, event: &CopyEvent) -> bool {
        let copy = &event.copy;
        let written = copy.written.raw();
        let into_folder = written.ends_with('/') || matches!(written, "." | "..") || written.ends_with("/.");
        let sources = copy.sources.iter().map(|source| source.text().map(context_path));
        !copy.add
            && !copy.heredoc
            && copy.from.is_none()
            && copy.flags.iter().any(is_parents) == self.parents
            && into_folder
            && copy.destination.text() == Some(&self.folder)
            && sources.eq(self.files.iter().map(|file| Some(file.clone())))
    }
}

/// Where a claim is made use of in a stage.
pub(crate) struct Place {
    /// The new COPYs among the events of the result.
    pub(crate) copies: Vec<usize>,
    /// The COPY of the original that brings what they bring.
    pub(crate) project: usize,
}

impl Place {
    /// Finds where the events of a stage make use of a claim.
    pub(crate) fn find(
        claim: &ManifestFirst,
        original: &[&Event<'_>],
        result: &[&Event<'_>],
    ) -> Option<Self> {
        let mut copies = Vec::new();
        for copy in &claim.copies {
            let is = |event: &&Event<'_>| matches!(event, Event::Copy(event) if copy.is(event));
            let known = original.iter().filter(|event| is(event)).count();
            copies.push((0..result.len()).filter(|&at| is(&result[at])).nth(known)?);
        }
        let Event::Copy(new) = result[*copies.first()?] else { return None };
        let alike = copies.iter().all(|&at| {
            matches!(result[at], Event::Copy(other)
                if own_flags(&other.copy).eq(own_flags(&new.copy)) && other.state.volumes == new.state.volumes)
        });
        let brings =
            |event: &Event<'_>| {
                let Event::Copy(event) = event else { return false };
                event.copy.flags.iter().eq(own_flags(&new.copy))
                    && event.state.volumes == new.state.volumes
                    && claim.copies.iter().flat_map(ManifestCopy::places).all(|(file, place)| {
                        place_of(&event.copy, file).is_some_and(|brought| brought == place)
                    })
            };
        let project = original.iter().position(|event| alike && brings(event))?;
        let folder_is_there = || {
            let folders = claim.copies.iter().all(|copy| {
                original[..project].iter().any(|event| makes(event, &copy.folder))
                    || is_below_what_is_brought(original[project], &copy.folder)
            });
            let Event::Copy(event) = original[project] else { return false };
            let destination = event.copy.destination.text().unwrap_or_default();
            folders && (original[..project].iter().any(|event| makes(event, destination)))
        };
        (!claim.proven || folder_is_there()).then_some(Self { copies, project })
    }
}

fn is_parents(flag: &Value) -> bool {
    matches!(flag.text(), Some("--parents" | "--parents=true"))
}

/// The flags of a COPY but `--parents`.
fn own_flags(copy: &Copy) -> impl Iterator<Item = &Value> {
    copy.flags.iter().filter(|flag| !is_parents(flag))
}

/// A folder below the destination gets its mode from the context whoever makes it: a COPY of a folder sets
/// the modes of the folders in it.
fn is_below_what_is_brought(event: &Event<'_>, folder: &str) -> bool {
    let Event::Copy(event) = event else { return false };
    event.copy.destination.text().is_some_and(|destination| within(folder, destination))
}

/// Whether a folder is surely there after an event.
fn makes(event: &Event<'_>, folder: &str) -> bool {
    match event {
        Event::Mkdir { path, .. } => path.text().is_some_and(|path| within(path, folder)),
        Event::Copy(event) => event.copy.destination.text().is_some_and(|destination| {
            let written = event.copy.written.raw();
            let into = written.ends_with('/') || event.copy.sources.len() > 1;
            within(destination, folder) && (into || destination != folder)
        }),
        Event::Atom(_) => false,
    }
}

/// A path in the build context as a COPY names it: without `./` and slashes at its ends.
fn context_path(source: &str) -> String {
    clean(&format!("/{source}")).trim_start_matches('/').to_owned()
}

/// Where a COPY or ADD of the build context puts a file; `None` if it does not bring it, or if that isn't
/// certain.
fn place_of(copy: &Copy, file: &str) -> Option<String> {
    let plain = |flag: &Value| {
        flag.text().is_some_and(|flag| {
            flag.starts_with("--chown=") || flag.starts_with("--chmod=") || flag.starts_with("--link")
        })
    };
    if copy.from.is_some() || copy.heredoc || !copy.flags.iter().all(plain) {
        return None;
    }
    // Of several sources the last may put another file at the same place.
    let source = context_path(copy.sources.last()?.text()?);
    let destination = copy.destination.text()?;
    if source.contains(['*', '?', '[', '\\', ':']) {
        return None;
    }
    let below = if source.is_empty() { file } else { file.strip_prefix(&source)?.strip_prefix('/')? };
    Some(clean(&format!("{destination}/{below}")))
}
