//! The folder of a plan: what lies where, and files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::plan::{Entry, Head, VERSION};
use super::stack::Stacks;

/// The folder of a plan.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// What a plan says at its head, and the names of its repositories.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Index {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) repositories: Vec<Name>,
}

/// The name of a repository.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Name {
    pub(super) name: String,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The folder of a repository.
    pub(super) fn of(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Reads the plan's head and the names of its repositories.
    pub(super) fn index(&self) -> anyhow::Result<Index> {
        let path = self.path("plan.json");
        let shown = path.display();
        let file =
            File::open(&path).with_context(|| format!("{shown}: there is no plan, or it isn't done"))?;
        let index: Index =
            serde_json::from_reader(BufReader::new(file)).with_context(|| shown.to_string())?;
        anyhow::ensure!(
            index.head.version == VERSION,
            "{shown}: has version {}, and this dockeropt reads version {VERSION}",
            index.head.version
        );
        // A plan may come from elsewhere; its names must not lead out of its folder.
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
        for Name { name } in &index.repositories {
            anyhow::ensure!(plain(name), "{shown}: `{name}` is no name of a repository");
        }
        Ok(index)
    }

    /// What the plan says of a repository.
    pub(super) fn entry(&self, name: &str) -> io::Result<Entry> {
        read_json(&self.of(name).join("repository.json"))
    }

    /// What its fixes do.
    pub(super) fn stacks(&self, name: &str) -> io::Result<Stacks> {
        read_json(&self.of(name).join("stacks.json"))
    }

    /// Writes down what was found in a repository, in place of what was there.
    pub(super) fn keep(&self, entry: &Entry, stacks: &Stacks) -> io::Result<()> {
        let folder = self.of(&entry.name);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        write_json(&folder.join("stacks.json"), stacks)?;
        write_json(&folder.join("repository.json"), entry)
    }

    /// Removes what belongs to repositories that are not in the plan any more.
    pub(super) fn retain(&self, names: &std::collections::BTreeSet<&str>) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let is_named = entry.file_name().to_str().is_some_and(|name| names.contains(name));
            if !is_named && entry.path().join("repository.json").exists() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> io::Result<()> {
    write(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

/// Writes what is said of a repository.
pub(super) fn write_entry(path: &Path, entry: &Entry) -> io::Result<()> {
    write_json(path, entry)
}

/// Writes a file that takes its name when it is whole.
pub(super) fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".dockeropt-").tempfile_in(folder)?;
    let mut out = BufWriter::new(temporary.as_file_mut());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    readable(temporary.as_file())?;
    temporary.persist(path)?;
    Ok(())
}

/// A temporary file is for its owner only, a plan for whoever may read the folder.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &File) -> io::Result<()> {
    Ok(())
}
