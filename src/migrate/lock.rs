//! One run at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::problem::describe;

/// How long to wait for the programs that a killed run left behind.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds a file that at most one run holds, until it is dropped and no program that was started in the
/// meantime runs any more: a run that was killed may have left git at work.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| format!("{shown}: {}", describe(&error)))?;
        let start = Instant::now();
        while !try_lock(&file).map_err(|error| format!("{shown}: {}", describe(&error)))? {
            if let Some(process) = holder(&mut file) {
                return Err(format!("another run is at work (process {process}, {shown})"));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("programs that an earlier run left behind are still at work ({shown})"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut note = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        note().map_err(|error: io::Error| format!("{shown}: {}", describe(&error)))?;
        Ok(Self { _file: file })
    }

    /// Takes the lock, however long another run holds it.
    pub(super) fn wait(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        while !try_lock(&file)? {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { _file: file })
    }
}

/// The process that holds the lock, if it is alive.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    let process = text.trim().parse().ok()?;
    is_alive(process).then_some(process)
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    let process = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    process.is_some_and(|process| rustix::process::test_kill_process(process).is_ok())
}

#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    true
}

#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::{Errno, FdFlags, fcntl_setfd};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        // Handed on to the programs that are started, which so hold the lock, too.
        Ok(()) => fcntl_setfd(file, FdFlags::empty()).map(|()| true).map_err(Into::into),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is locked.
#[cfg(not(unix))]
fn try_lock(_: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_is_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        assert!(Lock::take(&path).unwrap_err().contains(&std::process::id().to_string()));
        drop(lock);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn what_a_run_left_behind_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        let mut child = std::process::Command::new("sleep").arg("0.3").spawn().unwrap();
        drop(lock);
        // As if the process that started it were gone.
        std::fs::write(&path, "").unwrap();
        let start = Instant::now();
        Lock::take(&path).unwrap();
        assert!(start.elapsed() > Duration::from_millis(200));
        child.wait().unwrap();
    }
}
