//! Looking at one repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dockeropt_facts::{Base, Facts};
use dockeropt_syntax::{Text, parse};

use super::accept::accepted_if;
use super::cache::Cache;
use super::chain::planned;
use super::choice::{Choices, nearest};
use super::context::Contexts;
use super::git::{Git, Trouble};
use super::graph;
use super::plan::{Configuration, Entry, FileEntry, FileError, FixEntry, Status};
use super::present::Secrets;
use super::repository::Repository;
use super::sources::Source;
use super::stack::{Original, Stacks, stack};
use super::tree::{Blob, Item, Listing, contents, list};
use crate::discover::LeftOut;
use crate::fix::{caught, describe_bug};
use crate::names;
use crate::pipeline::{Outcome, optimize_in};
use crate::read::ReadError;
use crate::redact::redact;
use crate::summary::name;

/// A file of a commit that is to be looked at.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) blob: Blob,
    pub(super) text: Text,
    pub(super) configuration: Option<Configuration>,
}

/// The Dockerfiles of a commit, and what is to be said of the others.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) found: Vec<Found>,
    left_out: BTreeMap<LeftOut, usize>,
    errors: Vec<FileError>,
    items: BTreeMap<String, Item>,
    is_partial: bool,
}

impl Files {
    /// The build contexts of the commit that the files are of. It can be asked for once.
    pub(super) fn contexts<'c>(&mut self, repository: &'c Repository, cache: &'c Cache) -> Contexts<'c> {
        Contexts::new(repository, cache, std::mem::take(&mut self.items), self.is_partial)
    }
}

/// What is said of a repository before it was looked at.
pub(super) fn blank(source: &Source) -> Entry {
    Entry {
        name: source.name.clone(),
        source: source.text.clone(),
        reference: source.reference.clone(),
        status: Status::Failed,
        failure: None,
        commit: None,
        date: None,
        branch: None,
        images: source.images.clone(),
        used_by: Vec::new(),
        warnings: Vec::new(),
        left_out: BTreeMap::new(),
        errors: Vec::new(),
        files: Vec::new(),
    }
}

/// Looks at a repository: what would change, and the texts that it would change.
pub(super) fn survey(
    source: &Source,
    git: &Git,
    cache: &Cache,
    choices: &Choices,
) -> Result<(Entry, Stacks), Trouble> {
    let repository = Repository::open(source, git, cache)?;
    let mut entry = blank(source);
    let mut files = read(&repository, cache)?;
    let contexts = files.contexts(&repository, cache);
    let mut originals = Vec::new();
    entry.errors = files.errors;
    let mut left_out = files.left_out;
    for found in files.found {
        originals.extend(look(found, choices, &contexts, &mut entry, &mut left_out));
    }
    let stacks = stacks(&originals, &entry);
    drop(originals);
    contexts.check()?;
    entry.left_out = left_out.iter().map(|(&reason, &count)| (name(reason).to_owned(), count)).collect();
    if let Some(reason) = repository.unclean()? {
        entry.warnings.push(format!("{reason} before it is applied"));
    }
    entry.date = Some(repository.git.text(&["show", "--no-patch", "--format=%cD", &repository.commit])?);
    entry.status = if entry.fixes().next().is_some() { Status::Planned } else { Status::Nothing };
    entry.commit = Some(repository.commit.clone());
    entry.branch.clone_from(&repository.branch);
    Ok((entry, stacks))
}

/// Reads the Dockerfiles of a repository. What `fix` would leave out is left out.
pub(super) fn read(repository: &Repository, cache: &Cache) -> Result<Files, Trouble> {
    let git = &repository.git;
    let listing = list(git, &repository.commit)?;
    let ids: BTreeSet<&str> =
        listing.files.iter().chain(&listing.configurations).map(|blob| blob.id.as_str()).collect();
    repository.need(cache, &ids.iter().copied().collect::<Vec<_>>())?;
    let mut contents = contents(git, &ids)?;
    let Listing { left_out, items, is_partial, .. } = listing;
    let mut files = Files { left_out, items, is_partial, ..Files::default() };
    let odd = listing.odd.into_iter().map(|path| error(&path, "has a path that is not UTF-8"));
    files.errors.extend(odd);
    let mut configurations = Vec::new();
    for Blob { path, id, .. } in listing.configurations {
        match contents.get(&id) {
            Some(Ok(bytes)) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                configurations.push(Configuration { path, text });
            }
            _ => files.errors.push(error(&path, "can't be read")),
        }
    }
    for blob in listing.files {
        // Two files may have the same content.
        let Some(content) = contents.get_mut(&blob.id) else { continue };
        let text = match content {
            Ok(bytes) => Text::decode(bytes.clone()),
            Err(ReadError::Binary(_)) if blob.ambiguous => {
                *files.left_out.entry(LeftOut::OtherLanguage).or_default() += 1;
                continue;
            }
            Err(why) => {
                files.errors.push(error(&blob.path, why.to_string()));
                continue;
            }
        };
        let reason = match text.as_str() {
            text if names::is_marked_generated(text) => Some(LeftOut::Generated),
            text if names::has_placeholders(text) => Some(LeftOut::Template),
            _ => None,
        };
        if let Some(reason) = reason {
            *files.left_out.entry(reason).or_default() += 1;
            continue;
        }
        let configuration = nearest(&configurations, &blob.path).cloned();
        files.found.push(Found { blob, text, configuration });
    }
    Ok(files)
}

/// Looks at a file. It is handed on if there is something to do.
fn look<'c>(
    found: Found,
    choices: &Choices,
    contexts: &'c Contexts<'_>,
    entry: &mut Entry,
    left_out: &mut BTreeMap<LeftOut, usize>,
) -> Option<Original<'c>> {
    let Found { blob, text, configuration } = found;
    let (path, text) = (blob.path, text.as_str());
    let options = match choices.of(&path, configuration.as_ref()) {
        Ok(options) => options,
        Err(message) => {
            entry.errors.push(error(&path, message));
            return None;
        }
    };
    let surroundings = contexts.around(&path);
    let original = Original { path: path.clone(), text: text.to_owned(), options, surroundings };
    let looked = caught(|| {
        let outcome = optimize_in(text, &original.options, &original.surroundings);
        let fixes = planned(&original, &outcome)?;
        Ok::<_, String>((outcome, fixes))
    });
    let (outcome, fixes) = match looked.and_then(|looked| looked) {
        Ok(looked) => looked,
        Err(message) => {
            entry.errors.push(error(&path, message));
            return None;
        }
    };
    if !outcome.diagnostics.is_empty() {
        let is_other = blob.ambiguous || names::has_suffix(Path::new(&path)) && !names::has_stage(text);
        if is_other {
            *left_out.entry(LeftOut::OtherLanguage).or_default() += 1;
        } else {
            entry.errors.extend(refused(&path, &outcome));
        }
        return None;
    }
    entry.errors.extend(outcome.bugs.iter().map(|bug| error(&path, describe_bug(bug))));
    let secrets = Secrets::of(text);
    let declined = outcome.declined.iter().map(|declined| secrets.declined(declined)).collect();
    let is_changed = !fixes.is_empty();
    entry.files.push(FileEntry { path, bases: bases(text), fixes, declined });
    is_changed.then_some(original)
}

/// What the fixes of a repository do, by what is accepted of them.
fn stacks(originals: &[Original<'_>], entry: &Entry) -> Stacks {
    let of = |wanted: &dyn Fn(&FixEntry) -> bool| {
        stack(originals, &accepted_if(entry, |_, fix| wanted(fix))).parts
    };
    Stacks {
        safe: of(&FixEntry::is_made_by_safe),
        neutral: of(&|fix| fix.is_made_by_safe() && graph::is_neutral(&fix.transform)),
        all: of(&|_| true),
    }
}

/// Why the builder would refuse the file.
fn refused<'o>(path: &'o str, outcome: &'o Outcome) -> impl Iterator<Item = FileError> + 'o {
    outcome.diagnostics.iter().map(|diagnostic| FileError {
        line: Some(diagnostic.line),
        column: Some(diagnostic.column),
        ..error(path, redact(&diagnostic.message).text)
    })
}

fn error(path: &str, message: impl Into<String>) -> FileError {
    FileError { path: path.to_owned(), message: message.into(), line: None, column: None }
}

/// The images that a file starts from.
fn bases(text: &str) -> Vec<String> {
    let file = parse(text);
    let facts = Facts::new(&file);
    let mut bases = Vec::new();
    for stage in &facts.stages {
        if let Base::Image { reference, by_default, .. } = &stage.base
            && let Some(image) = reference.text().or(by_default.as_deref())
            && !bases.iter().any(|known| known == image)
        {
            bases.push(image.to_owned());
        }
    }
    bases
}
