//! Running other programs: what they say, how long they take, and how they are stopped.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running command is looked at.
const TICK: Duration = Duration::from_millis(20);
/// How long a command that was told to end may take.
const GRACE: Duration = Duration::from_secs(10);
/// So much of the end of what a command says is kept.
const SAID: usize = 64 << 10;
/// How often the size of a folder is looked at: to add it up takes a while.
const WEIGHED: Duration = Duration::from_millis(200);

/// When commands are to be stopped.
#[derive(Clone, Debug)]
pub struct Limits {
    interrupted: Arc<AtomicBool>,
    timeout: Option<Duration>,
    size: Option<(PathBuf, u64)>,
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The user interrupted.
    #[error("interrupted")]
    Interrupted,
    /// It took too long.
    #[error("{command} took longer than {} s, which --timeout allows", limit.as_secs())]
    TimedOut {
        /// The program and its first argument.
        command: String,
        /// What it may take.
        limit: Duration,
    },
    /// The folder that it writes to got too large.
    #[error("{command} wrote more than {} MB, which --max-size allows", limit / 1_000_000)]
    TooLarge {
        /// The program and its first argument.
        command: String,
        /// What the folder may have, in bytes.
        limit: u64,
    },
    /// The disk is full.
    #[error("no space is left on the device that {0} writes to")]
    NoSpace(String),
    /// It could not be started, or its output not be read.
    #[error("{command}: {}", crate::problem::describe(.source))]
    Io {
        /// The program and its first argument.
        command: String,
        /// What the system says.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("{command} ended with {status}: {said}")]
    Exit {
        /// The program and its first argument.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        said: String,
    },
}

impl Failure {
    /// The failure of an operation that has a name.
    pub fn io(command: &str, source: io::Error) -> Self {
        Self::Io { command: command.to_owned(), source }
    }
}

/// What a command that ran to its end left.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub output: Vec<u8>,
    /// The end of its standard error.
    pub said: String,
    /// How long it took.
    pub time: Duration,
}

impl Limits {
    /// No limit, and no interrupts but those that end the program.
    pub fn none() -> Self {
        Self { interrupted: Arc::default(), timeout: None, size: None }
    }

    /// Commands end when the program is told to end (a second time it ends at once), or after `timeout`.
    #[cfg(unix)]
    pub fn with_interrupts(timeout: Option<Duration>) -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let interrupted = Arc::<AtomicBool>::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&interrupted))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Ok(Self { interrupted, timeout, size: None })
    }

    /// Commands end after `timeout`.
    #[cfg(not(unix))]
    pub fn with_interrupts(timeout: Option<Duration>) -> io::Result<Self> {
        Ok(Self { interrupted: Arc::default(), timeout, size: None })
    }

    /// The same without interrupts: for cleaning up.
    pub fn for_cleanup(&self) -> Self {
        Self { interrupted: Arc::default(), timeout: self.timeout, size: None }
    }

    /// The same, with another time for each command.
    pub fn within(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// The same; commands also end when a folder has more than so many bytes.
    pub fn with_size(&self, folder: PathBuf, most: u64) -> Self {
        Self { size: Some((folder, most)), ..self.clone() }
    }

    /// An error if the user interrupted.
    pub fn check(&self) -> Result<(), Failure> {
        if self.interrupted.load(Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
    }
}

/// Runs a command to its end, whatever that is.
pub(crate) fn run(command: Command, limits: &Limits) -> Result<Finished, Failure> {
    collect(command, &[], limits)
}

/// Runs a command that must succeed, and reads `input` from its standard input.
pub(crate) fn feed(command: Command, input: &[u8], limits: &Limits) -> Result<Finished, Failure> {
    let name = name(&command);
    check_status(name, collect(command, input, limits)?)
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: Command, limits: &Limits) -> Result<Finished, Failure> {
    feed(command, &[], limits)
}

/// Runs a command that reads `input`, and keeps its output.
fn collect(command: Command, input: &[u8], limits: &Limits) -> Result<Finished, Failure> {
    let read = |output: &mut dyn Read| {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).map(|_| bytes)
    };
    let (output, finished) = run_reading(command, input, limits, read)?;
    Ok(Finished { output, ..finished })
}

/// Runs a command that must succeed. What it says on its standard output is there also if it fails, or is
/// stopped.
pub(crate) fn succeed_telling(
    command: Command,
    limits: &Limits,
    said: &mut Vec<u8>,
) -> Result<Finished, Failure> {
    let name = name(&command);
    let ((), finished) =
        run_reading(command, &[], limits, |output: &mut dyn Read| output.read_to_end(said).map(drop))?;
    check_status(name, finished)
}

/// Runs a command that must succeed, reads `input` from its standard input, and hands on its standard
/// output as it comes.
pub(crate) fn stream<T>(
    command: Command,
    input: &[u8],
    limits: &Limits,
    read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T, Failure> {
    let name = name(&command);
    let mut result = None;
    let keep = |output: &mut dyn Read| {
        result = Some(read(output));
        // A command whose output nobody reads would never end.
        io::copy(output, &mut io::sink()).map(drop)
    };
    let ((), finished) = run_reading(command, input, limits, keep)?;
    check_status(name.clone(), finished)?;
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(Failure::io(&name, error)),
        None => Err(Failure::io(&name, io::ErrorKind::UnexpectedEof.into())),
    }
}

fn check_status(command: String, finished: Finished) -> Result<Finished, Failure> {
    if finished.status.success() {
        return Ok(finished);
    }
    if finished.said.to_ascii_lowercase().contains("no space left on device") {
        return Err(Failure::NoSpace(command));
    }
    Err(Failure::Exit { command, status: finished.status, said: finished.said.trim().to_owned() })
}

fn run_reading<T>(
    mut command: Command,
    input: &[u8],
    limits: &Limits,
    read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<(T, Finished), Failure> {
    let name = name(&command);
    let start = Instant::now();
    limits.check()?;
    let io_failure = |error| Failure::io(&name, error);
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: git, podman and buildah start others, which must end with them.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(io_failure)?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (Some(mut output), Some(errors)) = (output, errors) else {
        return Err(Failure::io(&name, io::ErrorKind::BrokenPipe.into()));
    };
    let stdin = child.stdin.take();
    let (ending, ended) = mpsc::channel::<()>();
    let (value, said, stopped) = thread::scope(|scope| {
        let said = scope.spawn(|| end_of(errors));
        if let Some(mut stdin) = stdin {
            // A command that has read enough is no error.
            scope.spawn(move || stdin.write_all(input));
        }
        let watched = &mut child;
        let watch = scope.spawn(move || watch(watched, limits, start, &ended));
        let value = read(&mut output);
        // A reader that gave up must not keep the command from writing on.
        let drained = io::copy(&mut output, &mut io::sink());
        let said = said.join().unwrap_or_default();
        drop(ending);
        let stopped = watch.join().unwrap_or(Ok(None));
        (drained.and(value), said, stopped)
    });
    match stopped.map_err(io_failure)? {
        Some(Stopped::Interrupted) => return Err(Failure::Interrupted),
        Some(Stopped::TimedOut(limit)) => return Err(Failure::TimedOut { command: name, limit }),
        Some(Stopped::TooLarge(limit)) => return Err(Failure::TooLarge { command: name, limit }),
        None => {}
    }
    let status = child.wait().map_err(io_failure)?;
    let value = value.map_err(io_failure)?;
    Ok((value, Finished { status, output: Vec::new(), said, time: start.elapsed() }))
}

enum Stopped {
    Interrupted,
    TimedOut(Duration),
    TooLarge(u64),
}

/// Ends a command that runs when it must not.
fn watch(
    child: &mut Child,
    limits: &Limits,
    start: Instant,
    ended: &Receiver<()>,
) -> io::Result<Option<Stopped>> {
    let mut weighed = start;
    loop {
        // Ends at once when nobody reads the command's output any more, as it has none.
        if ended.recv_timeout(TICK) == Err(RecvTimeoutError::Disconnected) || child.try_wait()?.is_some() {
            return Ok(None);
        }
        let mut too_large = None;
        if let Some((folder, most)) = &limits.size
            && weighed.elapsed() > WEIGHED
        {
            too_large = Some(*most).filter(|&most| size_of(folder) > most);
            weighed = Instant::now();
        }
        let timeout = limits.timeout.filter(|&limit| start.elapsed() > limit);
        let stopped = match timeout {
            _ if limits.check().is_err() => Some(Stopped::Interrupted),
            Some(limit) => Some(Stopped::TimedOut(limit)),
            None => too_large.map(Stopped::TooLarge),
        };
        if let Some(stopped) = stopped {
            end(child)?;
            return Ok(Some(stopped));
        }
    }
}

/// How many bytes the files below a folder have. What can't be read counts for nothing.
pub(crate) fn size_of(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Asks a command to end, and makes it if it does not: an engine's client cancels its build when asked.
/// It takes its helpers with it.
fn end(child: &mut Child) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(process) = rustix::process::Pid::from_raw(child.id() as i32) {
        use rustix::process::{Signal, kill_process, kill_process_group};
        // podman, asked itself, ends at once and leaves the step running; when what runs the step ends,
        // podman and buildah clean up.
        let helpers = helpers(process);
        for helper in &helpers {
            let _ = kill_process(*helper, Signal::TERM);
        }
        if !helpers.is_empty() && ends_within(child, GRACE / 2)? {
            return Ok(());
        }
        let _ = kill_process_group(process, Signal::TERM);
        if ends_within(child, GRACE)? {
            return Ok(());
        }
        let _ = kill_process_group(process, Signal::KILL);
    }
    child.kill()?;
    child.wait().map(drop)
}

#[cfg(unix)]
fn ends_within(child: &mut Child, limit: Duration) -> io::Result<bool> {
    let asked = Instant::now();
    while asked.elapsed() < limit {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        thread::sleep(TICK);
    }
    Ok(false)
}

/// The processes that a command started in its group, where the system tells.
#[cfg(unix)]
fn helpers(leader: rustix::process::Pid) -> Vec<rustix::process::Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let group = leader.as_raw_nonzero().to_string();
    let of_group = |number: &i32| {
        // Behind the name, which may hold anything: state, parent, group.
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)) == Some(&group)
    };
    let processes = numbers.filter(of_group).filter_map(rustix::process::Pid::from_raw);
    processes.filter(|process| *process != leader).collect()
}

/// The end of a stream.
fn end_of(mut stream: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 8192];
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > 2 * SAID {
            kept.drain(..kept.len() - SAID);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// A command as it is named in messages: the program and its first argument.
fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    match command.get_args().next() {
        Some(first) => format!("{program} {}", first.to_string_lossy()),
        None => program.into_owned(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_errors_are_kept_apart() {
        let finished = run(shell("echo out; echo err >&2; exit 3"), &Limits::none()).unwrap();
        assert_eq!(finished.output, b"out\n");
        assert_eq!(finished.said, "err\n");
        assert_eq!(finished.status.code(), Some(3));
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let limits = Limits { timeout: Some(Duration::from_millis(100)), ..Limits::none() };
        let start = Instant::now();
        assert!(matches!(run(shell("exec sleep 60"), &limits), Err(Failure::TimedOut { .. })));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn an_interrupt_ends_what_runs_and_what_would_start() {
        let limits = Limits::none();
        let flag = Arc::clone(&limits.interrupted);
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            flag.store(true, Ordering::Relaxed);
        });
        assert!(matches!(run(shell("exec sleep 60"), &limits), Err(Failure::Interrupted)));
        assert!(matches!(run(shell("true"), &limits), Err(Failure::Interrupted)));
        assert!(run(shell("true"), &limits.for_cleanup()).is_ok());
        other.join().unwrap();
    }

    #[test]
    fn a_full_disk_is_named() {
        let failure = succeed(shell("echo write /x: no space left on device >&2; exit 1"), &Limits::none());
        assert!(matches!(failure, Err(Failure::NoSpace(_))));
    }

    #[test]
    fn a_reader_that_stops_early_does_not_block_the_command() {
        let read = |output: &mut dyn Read| {
            let mut first = [0; 4];
            output.read_exact(&mut first).map(|()| first)
        };
        assert_eq!(stream(shell("yes | head -c 1000000"), &[], &Limits::none(), read).unwrap(), *b"y\ny\n");
    }
}
