//! What an interrupt leaves: whole files, no temporary ones, and word of how many were written.

use std::collections::BTreeSet;
use std::io;
#[cfg(unix)]
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// What is being written now, and how much was written.
#[derive(Debug, Default)]
pub struct Temporaries(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    paths: BTreeSet<PathBuf>,
    written: usize,
}

impl Temporaries {
    /// Makes a temporary file in `folder`, which is removed when it is dropped or when the program
    /// is interrupted. Call [`Temporaries::forget`] when it is done with.
    pub fn create(&self, folder: &Path) -> io::Result<NamedTempFile> {
        // Made under the lock, so that no interrupt falls between making and noting it.
        let mut state = self.lock();
        let file = tempfile::Builder::new().prefix(".dockeropt-").tempfile_in(folder)?;
        state.paths.insert(file.path().to_path_buf());
        Ok(file)
    }

    /// Gives a temporary file its final name.
    pub fn persist(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        // Renamed under the lock, so that no interrupt falls between renaming and counting it.
        let mut state = self.lock();
        file.persist(path).map_err(|error| error.error)?;
        state.written += 1;
        Ok(())
    }

    /// No longer removes `path` on an interrupt.
    pub fn forget(&self, path: &Path) {
        self.lock().paths.remove(path);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the program is told to end, removes all of them, says how many files were written, and
    /// ends as it would have. From then on no file can be made or renamed.
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
                let state = temporaries.lock();
                for path in &state.paths {
                    let _ = std::fs::remove_file(path);
                }
                say(interrupted(state.written));
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

/// Prints a line to standard error, unless that is stuck: then the program must end all the same.
#[cfg(unix)]
fn say(line: String) {
    let (said, heard) = std::sync::mpsc::channel();
    let print = move || {
        let _ = writeln!(stderr(), "{line}");
        let _ = said.send(());
    };
    if std::thread::Builder::new().spawn(print).is_ok() {
        let _ = heard.recv_timeout(std::time::Duration::from_millis(200));
    }
}

/// What is said at an interrupt.
#[cfg(unix)]
fn interrupted(written: usize) -> String {
    match written {
        0 => "interrupted: no file was written".to_owned(),
        1 => "interrupted: 1 file was written, the others are as they were".to_owned(),
        many => format!("interrupted: {many} files were written, the others are as they were"),
    }
}
