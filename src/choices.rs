//! What is chosen for each file: by the command line, and by the `dockeropt.toml` that is nearest to it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;

use crate::baseline::Baseline;
use crate::cli::ChoiceArgs;
use crate::config::{self, Config, When};
use crate::list::{self, Entry};
use crate::pipeline::Options;

/// What is chosen for the files of a run.
pub struct Choices {
    arguments: ChoiceArgs,
    fingerprints: BTreeSet<String>,
    catalogue: Vec<Entry>,
    current: PathBuf,
    /// Whether the baseline is to be made, and not read.
    is_recording: bool,
    /// The configuration of all files, if one was named or none is wanted.
    fixed: Option<Arc<Chosen>>,
    /// The configurations by the folder of the files.
    by_folder: Mutex<HashMap<PathBuf, Arc<Chosen>>>,
    /// The configurations by their path.
    by_path: Mutex<HashMap<Option<PathBuf>, Arc<Chosen>>>,
}

/// A configuration, and what comes of it where nothing else is said of a path.
struct Chosen {
    config: Config,
    options: Arc<Options>,
    baseline: Option<Baseline>,
}

impl Choices {
    /// What the command line says, for a run in the folder `current`; if `is_recording`, to make a baseline.
    ///
    /// # Errors
    /// If it names what there isn't or contradicts itself, or if the named configuration is wrong.
    pub fn new(arguments: &ChoiceArgs, current: &Path, is_recording: bool) -> anyhow::Result<Self> {
        let ChoiceArgs { only, skip, enable, .. } = arguments;
        let catalogue = list::catalogue();
        for id in only.iter().chain(skip).chain(enable) {
            list::find(&catalogue, id)?;
        }
        for (option, ids) in [("--only", only), ("--enable", enable)] {
            if let Some(id) = ids.iter().find(|id| skip.contains(id)) {
                bail!("`{id}` is named by {option} and by --skip");
            }
        }
        let fingerprints = arguments.fingerprints.iter().map(|text| fingerprint(text));
        let mut choices = Self {
            arguments: arguments.clone(),
            fingerprints: fingerprints.collect::<Result<_, _>>()?,
            catalogue,
            current: current.to_path_buf(),
            is_recording,
            fixed: None,
            by_folder: Mutex::default(),
            by_path: Mutex::default(),
        };
        if arguments.isolated {
            choices.fixed = Some(choices.chosen(Config::default())?);
        } else if let Some(path) = &arguments.config {
            let config = config::read(path)?;
            let real = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            choices.fixed = Some(choices.chosen(Config { path: Some(real), ..config })?);
        }
        Ok(choices)
    }

    /// What may be done to a file.
    ///
    /// # Errors
    /// If its configuration is wrong.
    pub fn options(&self, file: &Path) -> anyhow::Result<Arc<Options>> {
        let chosen = match &self.fixed {
            Some(fixed) => Arc::clone(fixed),
            None => self.nearest(file.parent().unwrap_or(Path::new("")))?,
        };
        Ok(self.of_file(&chosen, file, || {
            let file = plain(&self.current.join(file));
            let folder = chosen.config.folder()?;
            let below = file.strip_prefix(folder).map(Path::to_path_buf);
            // Patterns say nothing about files that are elsewhere.
            below.or_else(|_| real(&file).strip_prefix(real(folder)).map(Path::to_path_buf)).ok()
        }))
    }

    /// What may be done to a text from elsewhere: the configuration is that of the current folder, and
    /// the path is taken as one in it.
    ///
    /// # Errors
    /// As [`options`](Self::options).
    pub fn options_of_text(&self, path: &Path) -> anyhow::Result<Arc<Options>> {
        let chosen = match &self.fixed {
            Some(fixed) => Arc::clone(fixed),
            None => self.nearest(Path::new(""))?,
        };
        Ok(self.of_file(&chosen, path, || {
            let path = plain(path);
            Some(path.strip_prefix("/").map_or_else(|_| path.clone(), Path::to_path_buf))
        }))
    }

    /// What may be done to a file of another place, of which `below` is the path from the folder of its
    /// configuration. A baseline there does not count.
    pub fn options_by(&self, config: &Config, below: &Path) -> Options {
        self.of(config, &config.selection(below))
    }

    /// Where the fixes are listed that were there before: what the command line says, or else the
    /// configuration for the current folder.
    ///
    /// # Errors
    /// As [`options`](Self::options).
    pub fn baseline(&self) -> anyhow::Result<Option<PathBuf>> {
        let chosen = match &self.fixed {
            Some(fixed) => Arc::clone(fixed),
            None => self.nearest(Path::new(""))?,
        };
        Ok(self.arguments.baseline.clone().or_else(|| chosen.config.baseline.clone()))
    }

    /// The fingerprints that were asked for, as far as they were given.
    pub fn fingerprints(&self) -> &BTreeSet<String> {
        &self.fingerprints
    }

    /// The configuration for a folder, which may be relative to the current one.
    fn nearest(&self, folder: &Path) -> anyhow::Result<Arc<Chosen>> {
        if let Some(chosen) = lock(&self.by_folder).get(folder) {
            return Ok(Arc::clone(chosen));
        }
        let path = config::nearest_file(&plain(&self.current.join(folder)));
        let known = lock(&self.by_path).get(&path).cloned();
        let chosen = match (known, &path) {
            (Some(chosen), _) => chosen,
            (None, None) => self.chosen(Config::default())?,
            (None, Some(path)) => {
                // Messages name it as the user would.
                let shown = path.strip_prefix(&self.current).unwrap_or(path);
                let config = config::read(shown)?;
                self.chosen(Config { path: Some(path.clone()), ..config })?
            }
        };
        lock(&self.by_path).insert(path, Arc::clone(&chosen));
        lock(&self.by_folder).insert(folder.to_path_buf(), Arc::clone(&chosen));
        Ok(chosen)
    }

    fn chosen(&self, config: Config) -> anyhow::Result<Arc<Chosen>> {
        let options = Arc::new(self.of(&config, &config.selection));
        let path = self.arguments.baseline.as_ref().or(config.baseline.as_ref());
        let baseline = path.filter(|_| !self.is_recording);
        let baseline = baseline.map(|path| Baseline::read(path, &self.current)).transpose()?;
        Ok(Arc::new(Chosen { config, options, baseline }))
    }

    /// The options of a configuration for a file, of which `below` is the path from the configuration's
    /// folder.
    fn of_file(&self, chosen: &Chosen, file: &Path, below: impl FnOnce() -> Option<PathBuf>) -> Arc<Options> {
        let has_overrides = !chosen.config.overrides.is_empty();
        let options = match below().filter(|_| has_overrides) {
            Some(below) => Arc::new(self.of(&chosen.config, &chosen.config.selection(&below))),
            None => Arc::clone(&chosen.options),
        };
        let Some(baseline) = &chosen.baseline else { return options };
        let is_named = |known: &&String| self.fingerprints.iter().any(|named| known.starts_with(named));
        let known = baseline.of(file, &self.current).filter(|known| !is_named(known));
        let mut options = Arc::unwrap_or_clone(options);
        options.banned.extend(known.cloned());
        Arc::new(options)
    }

    /// What a selection comes to with the command line, which has the last word.
    fn of(&self, config: &Config, selection: &config::Selection) -> Options {
        let ChoiceArgs { only, skip, enable, r#unsafe, no_unsafe, .. } = &self.arguments;
        let is_named = |id: &String| only.contains(id) || enable.contains(id);
        let newer = config.edition.and_then(|edition| list::newer(&self.catalogue, edition).ok());
        Options {
            only: if only.is_empty() { &selection.only } else { only }.iter().cloned().collect(),
            skip: skip.iter().chain(selection.skip.iter().filter(|id| !is_named(id))).cloned().collect(),
            enable: enable.iter().chain(&selection.enable).cloned().collect(),
            newer: newer.unwrap_or_default().into_iter().collect(),
            allow_unsafe: *r#unsafe || selection.allow_unsafe.unwrap_or(false) && !no_unsafe,
            fingerprints: self.fingerprints.clone(),
            banned: BTreeSet::new(),
            merge_always: selection.merge_when == Some(When::Always),
            builds: selection.builds(),
            knowledge: config.knowledge.clone(),
        }
    }
}

/// A fingerprint as it is compared. A part of it from its start is enough.
fn fingerprint(text: &str) -> anyhow::Result<String> {
    if !(6..=16).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("`{text}` is no fingerprint, which has 16 hexadecimal digits; the first 6 are enough");
    }
    Ok(text.to_ascii_lowercase())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path without `.` and `..`, as far as its text tells.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}
