//! Temporary files that don't outlive an interrupt.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

/// The temporary files that exist now.
#[derive(Debug, Default)]
pub struct Temporaries(Mutex<BTreeSet<PathBuf>>);

impl Temporaries {
    /// Makes a temporary file in `folder`, which is removed when it is dropped or when the program
    /// is interrupted. Call [`Temporaries::forget`] when it has got its final name.
    pub fn create(&self, folder: &Path) -> io::Result<NamedTempFile> {
        // Made under the lock, so that no interrupt falls between making and noting it.
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = tempfile::Builder::new().prefix(".dockeropt-").tempfile_in(folder)?;
        paths.insert(file.path().to_path_buf());
        Ok(file)
    }

    /// No longer removes `path` on an interrupt.
    pub fn forget(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// Removes all of them when the program is told to end, then ends as it would have. From then
    /// on no file can be made or renamed.
    #[cfg(unix)]
    pub fn remove_on_interrupt(self: &std::sync::Arc<Self>) -> io::Result<()> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        // Reaching the file size limit kills a process that doesn't listen; so it is an error of
        // the write that caused it.
        signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default())?;
        let temporaries = std::sync::Arc::clone(self);
        std::thread::Builder::new().name("interrupts".into()).spawn(move || {
            for signal in signals.forever() {
                let paths = temporaries.0.lock().unwrap_or_else(PoisonError::into_inner);
                for path in paths.iter() {
                    let _ = std::fs::remove_file(path);
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })?;
        Ok(())
    }

    /// Does nothing: the system removes no process in the middle of a write.
    #[cfg(not(unix))]
    pub fn remove_on_interrupt(self: &std::sync::Arc<Self>) -> io::Result<()> {
        Ok(())
    }
}
