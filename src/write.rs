//! Replacing a file all at once or not at all.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::interrupt::Temporaries;
use crate::problem::describe;

/// Why a file was not written; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is not what was read.
    #[error("changed since it was read; nothing was written")]
    Changed,
    /// It has names that this run doesn't know, which would keep the old content.
    #[error(
        "has {0} hard links, not all of which were searched; name them all, or replace it by a copy of its own"
    )]
    Linked(u64),
    /// A device or pipe.
    #[error("is not a regular file, so it can't be rewritten")]
    NotRegular,
    /// The new file would belong to someone else.
    #[error("can't be rewritten without changing its owner: {}", describe(.0))]
    Owner(io::Error),
    /// The system refused.
    #[error("can't be written: {}", describe(.0))]
    Io(#[from] io::Error),
}

/// Replaces the content of the file at `path`, a real path without symlinks, by `after`, if it is
/// still `before`.
///
/// The new content is written to a file beside it, which then takes its name, mode and owner: at
/// any moment the name leads to the whole old or the whole new file. `other_names` are hard links
/// to it; they are led to the new file, one after the other.
pub fn replace(
    path: &Path,
    before: &[u8],
    after: &[u8],
    other_names: &[PathBuf],
    temporaries: &Temporaries,
) -> Result<(), WriteError> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Err(WriteError::NotRegular);
    }
    // Renaming asks for no right to the file itself; someone who took that away meant it.
    fs::OpenOptions::new().write(true).open(path)?;
    let links = link_count(&metadata);
    if links > 1 + other_names.len() as u64 {
        return Err(WriteError::Linked(links));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = temporaries.create(folder)?;
    let temporary_path = temporary.path().to_path_buf();
    let written = (|| {
        temporary.write_all(after)?;
        take_over(temporary.as_file(), &metadata)?;
        temporary.as_file().sync_all()?;
        // Looked at as late as can be; an editor that saves in the next microseconds loses.
        if fs::read(path)? != before {
            return Err(WriteError::Changed);
        }
        Ok(temporaries.persist(temporary, path)?)
    })();
    temporaries.forget(&temporary_path);
    written?;
    for name in other_names {
        link(path, name)?;
    }
    // The renaming itself is on disk only when the folder is. Not all file systems can do that.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Makes a new file, whole or not at all; one that is there by now is left alone.
pub fn create(path: &Path, content: &[u8], temporaries: &Temporaries) -> Result<(), WriteError> {
    let folder = path.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new("."));
    let mut temporary = temporaries.create(folder)?;
    let temporary_path = temporary.path().to_path_buf();
    let written = (|| {
        temporary.write_all(content)?;
        open_to_all(temporary.as_file())?;
        temporary.as_file().sync_all()?;
        match fs::hard_link(&temporary_path, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(WriteError::Changed),
            other => Ok(other?),
        }
    })();
    drop(temporary);
    temporaries.forget(&temporary_path);
    written
}

/// A new file can be read by all, as git would check it out.
#[cfg(unix)]
fn open_to_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_: &File) -> io::Result<()> {
    Ok(())
}

/// Leads the name `to` to the file at `from`, at once.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new("."));
    let link =
        tempfile::Builder::new().prefix(".dockeropt-").make_in(folder, |at| fs::hard_link(from, at))?;
    let (_, temporary) = link.into_parts();
    let temporary_path = temporary.to_path_buf();
    temporary.persist(to)?;
    // Renaming does nothing if both names already lead to one file.
    match fs::remove_file(temporary_path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives a new file the mode and owner of the old.
#[cfg(unix)]
fn take_over(file: &File, old: &Metadata) -> Result<(), WriteError> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid())).map_err(WriteError::Owner)?;
    }
    // After the owner, as changing that clears the set-user-id bit.
    file.set_permissions(old.permissions())?;
    Ok(())
}

/// Gives a new file the mode of the old.
#[cfg(not(unix))]
fn take_over(file: &File, old: &Metadata) -> Result<(), WriteError> {
    Ok(file.set_permissions(old.permissions())?)
}

#[cfg(unix)]
fn link_count(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn link_count(_: &Metadata) -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_changed_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        fs::write(&path, "FROM b\n").unwrap();
        let result = replace(&path, b"FROM a\n", b"FROM c\n", &[], &Temporaries::default());
        assert!(matches!(result, Err(WriteError::Changed)));
        assert_eq!(fs::read(&path).unwrap(), b"FROM b\n");
        assert_eq!(names_in(folder.path()), ["Dockerfile"]);
    }

    #[cfg(unix)]
    #[test]
    fn mode_is_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        fs::write(&path, "FROM a\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4751)).unwrap();
        replace(&path, b"FROM a\n", b"FROM c\n", &[], &Temporaries::default()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o4751);
        assert_eq!(fs::read(&path).unwrap(), b"FROM c\n");
        assert_eq!(names_in(folder.path()), ["Dockerfile"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_leads_to_the_new_file_already_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        fs::write(&path, "FROM a\n").unwrap();
        let again = std::slice::from_ref(&path);
        replace(&path, b"FROM a\n", b"FROM c\n", again, &Temporaries::default()).unwrap();
        assert_eq!(names_in(folder.path()), ["Dockerfile"]);
    }

    #[cfg(unix)]
    #[test]
    fn hard_links_stay_together_or_the_file_is_left_alone() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("Dockerfile"), folder.path().join("Dockerfile.b"));
        fs::write(&path, "FROM a\n").unwrap();
        fs::hard_link(&path, &other).unwrap();
        let refused = replace(&path, b"FROM a\n", b"FROM c\n", &[], &Temporaries::default());
        assert!(matches!(refused, Err(WriteError::Linked(2))));
        replace(&path, b"FROM a\n", b"FROM c\n", std::slice::from_ref(&other), &Temporaries::default())
            .unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"FROM c\n");
        assert_eq!(fs::metadata(&path).unwrap().ino(), fs::metadata(&other).unwrap().ino());
        assert_eq!(names_in(folder.path()), ["Dockerfile", "Dockerfile.b"]);
    }
}
