//! Which files are to be looked at.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::git;
use crate::names::{self, Name};
use crate::problem::{Problem, describe};

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is: what the user named, or the folder that the user named joined with the way to
    /// the file. A symlink found in a folder is replaced by what it points to.
    pub path: PathBuf,
    /// Its other names among the files found: hard links, by their real paths.
    pub other_names: Vec<PathBuf>,
    /// Whether the user named it: then it is taken whatever it is.
    pub named: bool,
    /// Whether its name leaves open that it is no Dockerfile, see [`Name::Ambiguous`].
    pub ambiguous: bool,
    /// Its number in its file system, if that is known without asking.
    inode: Option<u64>,
}

/// Folders that hold what others wrote.
pub(crate) const DEPENDENCIES: [&str; 2] = ["vendor", "node_modules"];

/// Why something that was found is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A file marked as generated.
    Generated,
    /// A template.
    Template,
    /// A symlink to a file out of the tree.
    OutsideLink,
    /// A symlink that leads nowhere.
    BrokenLink,
    /// Go or JavaScript source that is named like a Dockerfile, or notes beside one.
    OtherLanguage,
    /// A folder `vendor` or `node_modules`.
    Dependencies,
    /// A submodule.
    Submodule,
}

/// How often each [`LeftOut`] occurred.
pub type LeftOutCounts = BTreeMap<LeftOut, usize>;

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, sorted by path, each file once.
    pub candidates: Vec<Candidate>,
    /// What was left out by name or place.
    pub left_out: LeftOutCounts,
    /// What could not be searched.
    pub problems: Vec<Problem>,
}

/// Finds the Dockerfiles among `paths`, which may be files and folders, on so many `threads`.
///
/// What is named is followed wherever it leads; a symlink that is found in a folder is followed
/// within the folder, or the git work tree around it.
///
/// Folders are searched with git's ignore rules, which only hold in a git work tree, as in git
/// itself. Hidden files are looked at: `.devcontainer/Dockerfile` is as good as any.
pub fn discover(paths: &[PathBuf], threads: usize) -> Found {
    let mut found = Found::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => search(path, threads, &mut found),
            Ok(_) => found.candidates.push(Candidate::new(path.clone(), true)),
            Err(error) => found.problems.push(Problem::new(path, describe(&error))),
        }
    }
    found.candidates = each_once(std::mem::take(&mut found.candidates));
    found.problems.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Candidate {
    /// A file that was found, or named by the user, at `path`.
    pub fn new(path: PathBuf, named: bool) -> Self {
        Self { path, other_names: Vec::new(), named, ambiguous: false, inode: None }
    }
}

/// What was met in a folder, in no order.
#[derive(Default)]
struct Met {
    candidates: Vec<Candidate>,
    left_out: Vec<(PathBuf, LeftOut)>,
    links: Vec<Candidate>,
    problems: Vec<Problem>,
}

/// Searches a folder.
///
/// The parallel walker is used even for one thread: it sees from a folder's listing whether there
/// are ignore files in it, while the other asks for each by name, which costs as much as all else.
fn search(root: &Path, threads: usize, found: &mut Found) {
    let met = Arc::new(Mutex::new(Met::default()));
    let note = |met: &Mutex<Met>, what: &dyn Fn(&mut Met)| {
        what(&mut met.lock().unwrap_or_else(PoisonError::into_inner))
    };
    let for_filter = Arc::clone(&met);
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .threads(threads)
        .filter_entry(move |entry| match folder_left_out(entry) {
            Verdict::Search => true,
            Verdict::Pass => false,
            Verdict::LeaveOut(folder, reason) => {
                note(&for_filter, &|met| met.left_out.push((folder.to_path_buf(), reason)));
                false
            }
        })
        .build_parallel();
    walk.run(|| {
        Box::new(|entry| {
            match entry {
                Ok(entry) => consider(&entry, &met),
                Err(error) => note(&met, &|met| met.problems.push(walk_problem(root, &error))),
            }
            WalkState::Continue
        })
    });
    let mut met = std::mem::take(&mut *met.lock().unwrap_or_else(PoisonError::into_inner));
    follow_links(root, &mut met);
    let is_submodule =
        |(path, reason): &(PathBuf, LeftOut)| (*reason == LeftOut::Submodule).then(|| path.clone());
    let submodules: Vec<PathBuf> = met.left_out.iter().filter_map(is_submodule).collect();
    let is_kept = |path: &Path| !submodules.iter().any(|root| path != root && path.starts_with(root));
    for (_, reason) in met.left_out.iter().filter(|(path, _)| is_kept(path)) {
        *found.left_out.entry(*reason).or_default() += 1;
    }
    let below_here = |mut candidate: Candidate| {
        if let Ok(below) = candidate.path.strip_prefix("./") {
            candidate.path = below.to_path_buf();
        }
        candidate
    };
    found.candidates.extend(met.candidates.into_iter().filter(|c| is_kept(&c.path)).map(below_here));
    found.problems.append(&mut met.problems);
}

/// What becomes of a folder that was met.
enum Verdict<'e> {
    Search,
    /// It isn't searched, which is nothing to tell of.
    Pass,
    /// This folder is left out: the one that was met, or the one that it is in.
    LeaveOut(&'e Path, LeftOut),
}

/// Whether a folder is left out.
fn folder_left_out(entry: &DirEntry) -> Verdict<'_> {
    if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return Verdict::Search;
    }
    match entry.file_name().as_encoded_bytes() {
        b".git" => match entry.path().parent() {
            Some(folder) if entry.depth() > 1 && git::is_registered(folder) => {
                Verdict::LeaveOut(folder, LeftOut::Submodule)
            }
            _ => Verdict::Pass,
        },
        name if DEPENDENCIES.iter().any(|folder| folder.as_bytes() == name) => {
            Verdict::LeaveOut(entry.path(), LeftOut::Dependencies)
        }
        _ => Verdict::Search,
    }
}

/// Takes a file if it is a Dockerfile.
fn consider(entry: &DirEntry, met: &Mutex<Met>) {
    let Some(kind) = entry.file_type().filter(|kind| kind.is_file() || kind.is_symlink()) else { return };
    let add = |what: &mut dyn FnMut(&mut Met)| what(&mut met.lock().unwrap_or_else(PoisonError::into_inner));
    // Noticed by its `.git`, as looking for that in every folder would cost more than to search the
    // few submodules in vain.
    if entry.depth() > 1 && entry.file_name() == ".git" {
        if let Some(folder) = entry.path().parent().filter(|folder| git::is_submodule(folder)) {
            add(&mut |met| met.left_out.push((folder.to_path_buf(), LeftOut::Submodule)));
        }
        return;
    }
    let name = names::classify(entry.file_name());
    let path = || entry.path().to_path_buf();
    match name {
        Name::Other => {}
        Name::Template => add(&mut |met| met.left_out.push((path(), LeftOut::Template))),
        Name::Companion => add(&mut |met| met.left_out.push((path(), LeftOut::OtherLanguage))),
        Name::Dockerfile | Name::Ambiguous => {
            let ambiguous = name == Name::Ambiguous;
            let inode = inode(entry);
            let candidate = Candidate { ambiguous, inode, ..Candidate::new(path(), false) };
            let mut candidate = Some(candidate);
            add(&mut |met| {
                let list = if kind.is_symlink() { &mut met.links } else { &mut met.candidates };
                list.extend(candidate.take());
            });
        }
    }
}

/// Replaces the symlinks by what they point to.
fn follow_links(root: &Path, met: &mut Met) {
    let mut tree = None;
    for mut link in std::mem::take(&mut met.links) {
        match link_target(root, &link.path, &mut tree) {
            Ok(Some(target)) if !target.is_file() => {}
            Ok(Some(target)) => {
                (link.path, link.inode) = (target, None);
                met.candidates.push(link);
            }
            Ok(None) => met.left_out.push((link.path, LeftOut::OutsideLink)),
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
                met.left_out.push((link.path, LeftOut::BrokenLink));
            }
            Err(error) => {
                let path = link.path.strip_prefix("./").unwrap_or(&link.path);
                met.problems.push(Problem::new(path, describe(&error)));
            }
        }
    }
}

/// The file that a symlink in `root` points to, as a path below `root` if it is there; `None` if
/// it lies out of the tree.
fn link_target(root: &Path, link: &Path, tree: &mut Option<PathBuf>) -> std::io::Result<Option<PathBuf>> {
    let target = fs::canonicalize(link)?;
    let real_root = fs::canonicalize(root)?;
    if let Ok(below) = target.strip_prefix(&real_root) {
        return Ok(Some(if root == Path::new(".") { below.to_path_buf() } else { root.join(below) }));
    }
    let tree = tree.get_or_insert_with(|| git::work_tree(&real_root).unwrap_or(real_root));
    Ok(target.starts_with(tree).then_some(target))
}

/// What the search could not do.
fn walk_problem(root: &Path, error: &ignore::Error) -> Problem {
    let mut path = root;
    let mut inner = error;
    loop {
        match inner {
            ignore::Error::WithPath { path: at, err } => (path, inner) = (at, err),
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => inner = err,
            ignore::Error::Loop { child, .. } => return Problem::new(child, "is part of a loop of symlinks"),
            ignore::Error::Io(error) => return Problem::new(path, describe(error)),
            other => return Problem::new(path, other),
        }
    }
}

/// Sorts the candidates and joins those that are the same file. A name that the user gave wins,
/// then the first in order.
fn each_once(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| a.path.cmp(&b.path).then(b.named.cmp(&a.named)));
    for candidate in candidates.iter_mut().filter(|candidate| candidate.inode.is_none()) {
        candidate.inode = fs::metadata(&candidate.path).ok().and_then(|metadata| number(&metadata));
    }
    // The number of a file is not unique among file systems; most have a number of their own, and
    // need not be looked at.
    let mut known: BTreeMap<Option<u64>, Vec<usize>> = BTreeMap::new();
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let alike = known.entry(candidate.inode).or_default();
        match alike.iter().find(|&&first| is_same(&kept[first].path, &candidate.path)) {
            Some(&first) => merge(&mut kept[first], candidate),
            None => {
                alike.push(kept.len());
                kept.push(candidate);
            }
        }
    }
    kept
}

/// Joins a second name of the same file to the first. A symlink, or another way to the same name, is
/// no name of its own.
fn merge(first: &mut Candidate, mut second: Candidate) {
    if second.named && !first.named {
        std::mem::swap(first, &mut second);
        first.other_names = std::mem::take(&mut second.other_names);
        let path = fs::canonicalize(&first.path);
        first.other_names.retain(|name| path.as_ref().ok() != Some(name));
    }
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = real(&second.path);
    if name != real(&first.path) && !first.other_names.contains(&name) {
        first.other_names.push(name);
    }
}

/// The number of a file in its file system, as the folder's listing has it.
#[cfg(unix)]
fn inode(entry: &DirEntry) -> Option<u64> {
    entry.ino()
}

/// The number of a file in its file system.
#[cfg(unix)]
fn number(metadata: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(metadata))
}

/// Whether two paths lead to one file.
#[cfg(unix)]
fn is_same(first: &Path, second: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    first == second || identity(first).is_some_and(|first| Some(first) == identity(second))
}

#[cfg(not(unix))]
fn inode(_: &DirEntry) -> Option<u64> {
    None
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<u64> {
    None
}

/// Whether two paths lead to one file.
#[cfg(not(unix))]
fn is_same(first: &Path, second: &Path) -> bool {
    let identity = |path| fs::canonicalize(path).ok();
    first == second || identity(first).is_some_and(|first| Some(first) == identity(second))
}
