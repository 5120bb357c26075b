//! The baseline: fixes that were there when somebody began to look, and that are not to be reported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::choices::plain;
use crate::pipeline::{Options, Outcome};
use crate::problem::describe;

/// The version of the file.
const VERSION: u32 = 1;

/// A text is rewritten at most so often to find all that can be proposed for it.
const MOST_ROUNDS: usize = 100;

/// The transforms of fixes, by fingerprint.
pub type Fixes = BTreeMap<String, String>;

/// The fixes that are known, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The folder that paths in it are relative to.
    folder: PathBuf,
    files: BTreeMap<String, Fixes>,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    files: BTreeMap<String, Fixes>,
}

impl Baseline {
    /// An empty baseline that is to be kept in a file; `current` is the current folder.
    pub fn empty(path: &Path, current: &Path) -> Self {
        let path = plain(&current.join(path));
        Self { folder: path.parent().map(Path::to_path_buf).unwrap_or_default(), files: BTreeMap::new() }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// If the file can't be read or is none; the message names it.
    pub fn read(path: &Path, current: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                anyhow::anyhow!("{shown}: there is no such baseline; --write-baseline makes it")
            }
            _ => anyhow::anyhow!("{shown}: {}", describe(&error)),
        })?;
        let written: Written = serde_json::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{shown}:{}: is no baseline: {error}", error.line()))?;
        if written.version != VERSION {
            anyhow::bail!("{shown}: is of version {}, which this dockeropt doesn't know", written.version);
        }
        Ok(Self { files: written.files, ..Self::empty(path, current) })
    }

    /// The known fixes of a file, whose path may be relative to the current folder.
    pub fn of(&self, file: &Path, current: &Path) -> impl Iterator<Item = &String> {
        self.files.get(&self.key(file, current)).into_iter().flat_map(BTreeMap::keys)
    }

    /// Replaces what is known of a file.
    pub fn set(&mut self, file: &Path, current: &Path, fixes: Fixes) {
        let key = self.key(file, current);
        if fixes.is_empty() {
            self.files.remove(&key);
        } else {
            self.files.insert(key, fixes);
        }
    }

    /// Forgets the files that are gone.
    pub fn forget_missing(&mut self) {
        let folder = &self.folder;
        self.files.retain(|path, _| folder.join(path).exists());
    }

    /// How many fixes there are, and in how many files.
    pub fn count(&self) -> (usize, usize) {
        (self.files.values().map(BTreeMap::len).sum(), self.files.len())
    }

    /// Writes the baseline, sorted, so that its changes are easy to read.
    ///
    /// # Errors
    /// If that fails; the message names the file.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text =
            serde_json::to_string_pretty(&Written { version: VERSION, files: self.files.clone() })?;
        text.push('\n');
        std::fs::write(path, text)
            .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), describe(&error)))
    }

    fn key(&self, file: &Path, current: &Path) -> String {
        let file = plain(&current.join(file));
        let below = file.strip_prefix(&self.folder).unwrap_or(&file);
        below.to_string_lossy().replace('\\', "/")
    }
}

/// All fixes that can be proposed for a text, by `optimize`: also those that show up when the first ones
/// aren't made.
pub fn all_fixes(options: &Options, optimize: impl Fn(&Options) -> Outcome) -> (Fixes, Outcome) {
    let mut options = options.clone();
    let mut all = Fixes::new();
    let first = optimize(&options);
    let mut outcome = first.clone();
    for _ in 0..MOST_ROUNDS {
        let fixes = outcome.fixes.iter().chain(&outcome.held_back);
        let new: Fixes = fixes.map(|fix| (fix.fingerprint.clone(), fix.transform.to_owned())).collect();
        if new.is_empty() {
            break;
        }
        options.banned.extend(new.keys().cloned());
        all.extend(new);
        outcome = optimize(&options);
    }
    (all, first)
}
