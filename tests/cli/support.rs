//! What the tests share.

use std::fs;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dockeropt::discover::{Found, discover};
use dockeropt::fix::{Ending, Settings, Streams, run};
use dockeropt::pipeline::{Applicability, Outcome, ReportedDiagnostic, ReportedFix, ReportedRefusal};
use tempfile::TempDir;

/// A folder that is removed after the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// A folder with the given files, by path below it and content.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, content) in files {
            folder.write(path, content);
        }
        folder
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(below)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Runs git in the folder, with an identity and without the user's configuration.
    pub(crate) fn git(&self, arguments: &[&str]) {
        git(&self.root(), arguments);
    }

    /// The paths found, below the folder.
    pub(crate) fn found(&self) -> Vec<String> {
        below(&self.root(), &discover(&[self.root()], 2))
    }
}

pub(crate) fn below(root: &Path, found: &Found) -> Vec<String> {
    let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_str().unwrap().to_owned();
    found.candidates.iter().map(|candidate| name(&candidate.path)).collect()
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A stand-in for the transforms: `old` becomes `new`. A line with `risky` gives a fix that needs
/// `--unsafe`, one with `never` a refusal, `FORM` a diagnostic, and `PANIC` panics.
pub(crate) fn stand_in(text: &str) -> Outcome {
    assert!(!text.contains("PANIC"), "the stand-in panics");
    let line_of = |needle: &str| text.lines().position(|line| line.contains(needle)).map(|at| at + 1);
    let fix = |line: usize, applicability| ReportedFix {
        transform: "renew",
        title: "replace old by new".into(),
        applicability,
        fingerprint: format!("{line:016x}"),
        start_line: line,
        end_line: line,
        claims: vec![],
        assumes: if applicability == Applicability::Safe { vec![] } else { vec!["nobody looks".into()] },
        notes: vec!["new is newer".into()],
        saves: None,
        step: None,
    };
    let mut outcome = Outcome {
        claims: vec![],
        after: text.replace("old", "new"),
        fixes: line_of("old").map(|line| fix(line, Applicability::Safe)).into_iter().collect(),
        held_back: line_of("risky").map(|line| fix(line, Applicability::Unsafe)).into_iter().collect(),
        declined: vec![],
        ..Outcome::default()
    };
    if let Some(line) = line_of("never") {
        outcome.declined.push(ReportedRefusal { transform: "renew", line, reason: "it never is".into() });
    }
    if let Some(line) = line_of("FORM") {
        outcome.after = text.to_owned();
        outcome.fixes.clear();
        let message = "unknown instruction: FORM".into();
        outcome.diagnostics.push(ReportedDiagnostic { line, column: 1, message });
    }
    outcome
}

/// The result of a run.
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Settings with the stand-in for the transforms, changed by `change`.
pub(crate) fn settings(current: &Path, change: impl FnOnce(&mut Settings<'static>)) -> Settings<'static> {
    let rewriter = &|_: &Path, text: &str| Ok(stand_in(text));
    let mut settings = Settings { quiet: false, jobs: 3, ..Settings::silent(rewriter, current) };
    change(&mut settings);
    settings
}

/// Runs on everything in a folder.
pub(crate) fn run_in(folder: &Folder, change: impl FnOnce(&mut Settings<'static>)) -> Ran {
    run_on(folder, &[folder.root()], change)
}

/// Runs on paths.
pub(crate) fn run_on(folder: &Folder, paths: &[PathBuf], change: impl FnOnce(&mut Settings<'static>)) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = Streams { out: &mut out, output: &mut io::sink(), err: &mut err };
    let ending = run(&discover(paths, 2), &settings(&folder.root(), change), streams).unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).replace(&format!("{}/", folder.root().display()), "");
    Ran { ending, out: text(&out), err: text(&err) }
}

/// The program.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
    command.current_dir(folder);
    command
}

/// The exit code of a command, its standard output and its standard error.
pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The same of a command that reads `text`.
pub(crate) fn output_for(command: &mut Command, text: &str) -> (Option<i32>, String, String) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    output(command.stdin(file))
}

/// Whether the tests run as root, for whom no file is unreadable; says so if they do.
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        println!("skipped: rights mean nothing to root");
    }
    is_root
}
