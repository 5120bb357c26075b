//! What the tests share: a folder with repositories, and the program in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A Dockerfile with fixes of all kinds.
pub(crate) const ARTICLE: &str = include_str!("../../examples/article/Dockerfile");
/// A Dockerfile with a fix of `merge-run`, one of `no-recommends`, which is unsafe, and one of
/// `clean-package-cache`.
pub(crate) const UBUNTU: &str =
    "FROM ubuntu:22.04\nRUN apt-get update\nRUN apt-get install -y build-essential\nCMD [\"make\"]\n";
/// A Dockerfile with nothing to do.
pub(crate) const CLEAN: &str = "FROM scratch\nCOPY app /app\nCMD [\"/app\"]\n";

/// The transforms that the tests know: others may come, and propose more.
pub(crate) const FOUR: &str = "--only merge-run,no-recommends,clean-package-cache,copy-after-install";

/// A folder with repositories, and with a configuration of git and a cache of its own.
pub(crate) struct Bench(TempDir);

/// How a run of the program ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        let config = "[user]\n\tname = Ann Example\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n\
                      [advice]\n\tdetachedHead = false\n[protocol \"file\"]\n\tallow = always\n[gc]\n\tauto = 0\n\
                      [maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n";
        fs::write(bench.path("gitconfig"), config).unwrap();
        bench
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    pub(crate) fn json(&self, below: &str) -> Value {
        serde_json::from_str(&self.read(below)).unwrap()
    }

    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A program with the bench's environment, in its folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        command
            .current_dir(self.root())
            .env("HOME", self.root())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // The identity of commits is made of their times.
            .env("GIT_AUTHOR_DATE", "@1700000000 +0000")
            .env("GIT_COMMITTER_DATE", "@1700000000 +0000");
        command
    }

    /// Runs git in a folder; what it prints.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, folder: &str, arguments: &[S]) -> String {
        let Output { status, stdout, stderr } = self.try_git(folder, arguments);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        String::from_utf8_lossy(&stdout).trim_end().to_owned()
    }

    pub(crate) fn try_git<S: AsRef<OsStr>>(&self, folder: &str, arguments: &[S]) -> Output {
        self.command("git").arg("-C").arg(self.path(folder)).args(arguments).output().unwrap()
    }

    /// A repository with one commit that has these files.
    pub(crate) fn repository(&self, name: &str, files: &[(&str, &[u8])]) {
        fs::create_dir_all(self.path(name)).unwrap();
        self.git(name, &["init", "-q"]);
        for (path, content) in files {
            self.write(&format!("{name}/{path}"), content);
        }
        self.commit(name);
    }

    /// Commits all that is in a repository.
    pub(crate) fn commit(&self, name: &str) {
        self.git(name, &["add", "-A", "-f"]);
        self.git(name, &["commit", "-q", "--allow-empty", "-m", "State"]);
    }

    /// A bare repository with one commit that has these files, as a server would have it.
    pub(crate) fn served(&self, name: &str, files: &[(&str, &[u8])]) -> String {
        let (work, bare) = (format!("work/{name}"), format!("served/{name}.git"));
        self.repository(&work, files);
        fs::create_dir_all(self.path("served")).unwrap();
        self.git("", &["clone", "-q", "--bare", &work, &bare]);
        for setting in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            self.git(&bare, &["config", setting, "true"]);
        }
        self.url(name)
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("file://{}", self.path(&format!("served/{name}.git")).display())
    }

    /// Runs the program with words that are separated by spaces.
    pub(crate) fn run(&self, arguments: &str) -> Run {
        let output = self.command(program()).args(arguments.split_whitespace()).output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the program, which must succeed; what it says on standard error.
    pub(crate) fn ok(&self, arguments: &str) -> String {
        let Run { code, stdout, stderr } = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments}\n{stdout}{stderr}");
        stderr
    }

    /// What `status` says of a repository.
    pub(crate) fn status(&self, name: &str) -> Value {
        let Run { stdout, .. } = self.run("migrate status plan --format json");
        let status: Value = serde_json::from_str(&stdout).unwrap();
        let rows = status["repositories"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {stdout}")).clone()
    }

    /// What the plan says of a repository.
    pub(crate) fn entry(&self, name: &str) -> Value {
        let plan = self.json("plan/plan.json");
        let entries = plan["repositories"].as_array().unwrap();
        entries
            .iter()
            .find(|entry| entry["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {plan:#}"))
            .clone()
    }

    /// All fixes that the plan has of a repository: transform, applicability, path, fingerprint.
    pub(crate) fn fixes(&self, name: &str) -> Vec<[String; 4]> {
        let entry = self.entry(name);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut fixes = Vec::new();
        for file in entry["files"].as_array().into_iter().flatten() {
            for fix in file["fixes"].as_array().unwrap() {
                let keys = [&fix["transform"], &fix["applicability"], &file["path"], &fix["fingerprint"]];
                fixes.push(keys.map(text));
            }
        }
        fixes
    }

    /// The subjects of the commits from one to another, the first one first.
    pub(crate) fn subjects(&self, repository: &str, range: &str) -> Vec<String> {
        let log = self.git(repository, &["log", "--reverse", "--format=%s", range]);
        log.lines().map(str::to_owned).collect()
    }
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_dockeropt"))
}

/// Whether tests that take long are wanted; what is left out is said.
pub(crate) fn is_long(what: &str) -> bool {
    let wanted = std::env::var("DOCKEROPT_MIGRATE").is_ok_and(|value| value == "1");
    if !wanted {
        eprintln!("left out without DOCKEROPT_MIGRATE=1: {what}");
    }
    wanted
}

/// The first line of the commits of a transform.
pub(crate) fn subject(transform: &str) -> String {
    let known = dockeropt::list::catalogue();
    known.iter().find(|entry| entry.id == transform).unwrap().summary.to_owned()
}
