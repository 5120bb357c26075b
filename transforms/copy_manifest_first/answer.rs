//! What a command that installs dependencies is asked, and what can be answered.

use dockeropt_facts::project::EntryKind;
use dockeropt_facts::{Project, State};

use super::project_copy::ProjectCopy;

/// A command of a RUN, and the project as the command finds it. A word that is not literal stands as a
/// NUL; who answers that such a command passes is not believed.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    /// The build context.
    pub(super) project: &'q Project,
    /// The COPY that brings it.
    pub(super) copy: &'q ProjectCopy<'q>,
    /// The folder of the image that the command runs in; absolute.
    pub(super) folder: &'q str,
    /// The program as written, maybe with a path.
    pub(super) program: &'q str,
    /// The words behind the program.
    pub(super) words: &'q [&'q str],
    /// What is in force.
    pub(super) state: &'q State,
    /// The commands of the stage up to this one.
    pub(super) earlier: &'q [String],
}

/// What is known of a command.
#[derive(Debug)]
pub(super) enum Answer {
    /// It may do anything with the project.
    Other,
    /// It needs these files of the project and nothing else, so that the rest can come later.
    Passes(Needs),
    /// It needs the project, but other commands, put before it, do most of its work without.
    Prepared(Needs, Vec<String>),
}

/// What a command needs of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The manifests, by their paths in the context, in the order in which a person would name them.
    pub(super) files: Vec<String>,
    /// What is taken for granted.
    pub(super) assumptions: Vec<String>,
    /// What the command makes, by its path in the context, if it were there.
    pub(super) makes: Vec<String>,
    /// Whether the command leaves the programs where they were that the shell has found.
    pub(super) moves_programs: bool,
}

impl Needs {
    /// Adds a file once.
    pub(super) fn add(&mut self, path: impl Into<String>) {
        let path = path.into();
        if !self.files.contains(&path) {
            self.files.push(path);
        }
    }

    /// Adds something that is taken for granted, once.
    pub(super) fn assume(&mut self, assumption: impl Into<String>) {
        let assumption = assumption.into();
        if !self.assumptions.contains(&assumption) {
            self.assumptions.push(assumption);
        }
    }

    /// Adds all that others need.
    pub(super) fn merge(&mut self, other: Self) {
        other.files.into_iter().for_each(|file| self.add(file));
        other.assumptions.into_iter().for_each(|assumption| self.assume(assumption));
        self.makes.extend(other.makes);
        self.moves_programs |= other.moves_programs;
    }
}

impl<'q> Question<'q> {
    /// The path in the context of what the command finds at a path, which may be relative to its folder.
    pub(super) fn origin(&self, path: &str) -> Option<String> {
        self.copy.origin(&super::absolute_path(self.folder, path))
    }

    /// The folder of the context that the command runs in.
    pub(super) fn context_folder(&self) -> Result<String, String> {
        self.origin(".").ok_or_else(|| format!("{} does not come with it", self.folder))
    }

    /// The text of a manifest.
    pub(super) fn text(&self, path: &str) -> Result<&'q str, String> {
        text(self.project, path)
    }

    /// Whether a manifest is a plain file that the builder sees.
    pub(super) fn has(&self, path: &str) -> bool {
        has(self.project, path)
    }

    /// The command as it would be typed.
    pub(super) fn command(&self) -> String {
        let words = std::iter::once(self.program).chain(self.words.iter().copied());
        words.collect::<Vec<_>>().join(" ")
    }

    /// The same question about a command that runs in another folder.
    pub(super) fn in_folder(&self, folder: &'q str) -> Self {
        Self { folder, ..*self }
    }
}

/// A path in a folder of the context, which is empty for the context itself.
pub(super) fn join(folder: &str, path: &str) -> String {
    super::project_copy::context_path(&format!("{folder}/{path}"))
}

/// The folder of a path of the context.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether something is a plain file that the builder sees. A link is copied as what it leads to when it is
/// named, and as a link with the folder that it is in.
pub(super) fn has(project: &Project, path: &str) -> bool {
    project.has_file(path) && project.entry(path).is_some_and(|entry| entry.kind == EntryKind::File)
}

/// The text of a manifest.
pub(super) fn text<'p>(project: &'p Project, path: &str) -> Result<&'p str, String> {
    if let Some(text) = project.text(path).filter(|_| has(project, path)) {
        return Ok(text);
    }
    Err(match project.entry(path) {
        None => format!("{path} is not in the build context"),
        Some(_) if !project.is_sent(path) => format!("{path} is left out by the ignore file"),
        Some(entry) if entry.kind == EntryKind::Link => format!("{path} is a link"),
        Some(_) => format!("{path} was not read"),
    })
}

/// Whether the builder sees something at a path of the context or below it.
pub(super) fn is_anything_sent(project: &Project, path: &str) -> bool {
    project.has_file(path) || project.has_folder(path)
}
