//! Real engines: each builds, saves, runs, removes, and leaves nothing behind, however it is ended.
//!
//! `DOCKEROPT_ENGINES` names the engines to try, separated by spaces; each must have the image
//! `debian:bookworm-slim`. Without it nothing is built.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, helpers included")]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn engines() -> Vec<String> {
    let wanted = std::env::var("DOCKEROPT_ENGINES").unwrap_or_default();
    if wanted.is_empty() {
        println!("skipped: DOCKEROPT_ENGINES is not set, so nothing is built");
    }
    wanted.split_whitespace().map(str::to_owned).collect()
}

/// A project, and a place for temporary files.
struct Project {
    folder: TempDir,
    text: String,
}

impl Project {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["project", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("project/Dockerfile"), text).unwrap();
        fs::write(folder.path().join("project/file.txt"), "file\n").unwrap();
        Self { folder, text: text.to_owned() }
    }

    fn dockerfile(&self) -> PathBuf {
        self.folder.path().join("project/Dockerfile")
    }

    fn command(&self, engine: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.args(arguments).args(["--engine", engine, "--network", "host"]).arg("Dockerfile");
        command.current_dir(self.folder.path().join("project")).env("TMPDIR", self.temporary());
        // podman and buildah read docker's settings, and want them to be there.
        if engine != "docker" {
            command.env_remove("DOCKER_CONFIG");
        }
        command
    }

    fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// The names of what lies in the place for temporary files: images are called after them.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.temporary()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn lines(program: &str, arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The images and containers that an engine has. Docker's may be used by others meanwhile: of its, those
/// with a name of ours.
fn all_there_is(engine: &str) -> BTreeSet<String> {
    let mut found = match engine {
        "docker" => lines(engine, &["images", "--all", "--format", "{{.Repository}}:{{.Tag}}"]),
        _ => lines(engine, &["images", "--all", "--quiet"]),
    };
    found.extend(match engine {
        "docker" => lines(engine, &["ps", "--all", "--format", "{{.Names}}"]),
        "podman" => lines(engine, &["ps", "--all", "--external", "--quiet"]),
        _ => lines(engine, &["containers", "--all", "--quiet"]),
    });
    found.retain(|name| engine != "docker" || name.starts_with("dockeropt-verify-"));
    found
}

/// Whether a process of which the command line has a text runs, in a container or not.
fn runs(text: &str) -> bool {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default()).any(|line| {
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(text) && line.trim_end().ends_with(text)
    })
}

#[track_caller]
fn wait_until(what: &str, limit: u64, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(limit), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

const TWO_STEPS: &str = "FROM debian:bookworm-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends less
COPY --chown=1000:1000 file.txt /app/
ENV NAME=value
HEALTHCHECK CMD true
SHELL [\"/bin/sh\", \"-c\"]
CMD [\"less\", \"/app/file.txt\"]
";

#[test]
fn engines_build_save_run_and_remove() {
    for engine in engines() {
        let project = Project::new(TWO_STEPS);
        let before = all_there_is(&engine);
        let output = project
            .command(&engine, &["verify", "--format", "json", "--run", "cat /app/file.txt; exit 3"])
            .output()
            .unwrap();
        let report = report(&output);
        assert_eq!(report["passed"], true, "{engine}: {report}");
        assert_eq!(report["runs"][0]["status"][0], report["runs"][0]["status"][1]);
        println!("{engine}: {} became {}", report["before"], report["after"]);
        let (old, new) = (&report["before"]["size"], &report["after"]["size"]);
        assert!(new.as_u64() < old.as_u64() && new.as_u64() > Some(50_000_000), "{engine}: {old} {new}");
        // Something that differs is found with each.
        let other = project.dockerfile().with_file_name("other");
        fs::write(&other, TWO_STEPS.replace("--chown=1000:1000 ", "")).unwrap();
        let output = project
            .command(&engine, &["verify", "--format", "json", "--against", "other", "--run", "cat /app/none"])
            .output()
            .unwrap();
        let found = self::report(&output)["unexpected"].to_string();
        assert!(found.contains("/app/file.txt") && found.contains("owner 1000:1000 became 0:0"), "{found}");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(all_there_is(&engine), before, "{engine}");
        assert_eq!(project.left(), [""; 0]);
    }
}

#[track_caller]
fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_build_that_fails_leaves_nothing_behind() {
    for engine in engines() {
        let text = "FROM debian:bookworm-slim\nRUN touch /made-by-dockeropt\nRUN rm -rf /a\nRUN false\n";
        let project = Project::new(text);
        fs::write(project.dockerfile().with_file_name("other"), "FROM debian:bookworm-slim\n").unwrap();
        let before = all_there_is(&engine);
        let output = project.command(&engine, &["verify", "--against", "other"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(all_there_is(&engine), before, "{engine}");
        assert_eq!(project.left(), [""; 0]);
    }
}

/// git recommends less, which a pager is for: nothing in the file says that somebody calls it.
#[test]
fn the_guilty_fix_is_dropped_and_the_others_stay() {
    const TEXT: &str = "FROM debian:bookworm-slim
RUN apt-get update
RUN apt-get install -y git
COPY file.txt /app/
RUN apt-get install -y --no-install-recommends file
CMD [\"file\", \"/app/file.txt\"]
";
    // What is found has nothing to do with the engine.
    for engine in engines().into_iter().filter(|engine| engine == "docker") {
        let project = Project::new(TEXT);
        let before = all_there_is(&engine);
        let arguments = [
            "fix",
            "--unsafe",
            "--verify",
            "--run",
            "less --version | head -n 1",
            "--write",
            "--allow-dirty",
        ];
        let output = project.command(&engine, &arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        let dropped: Vec<&str> = said.lines().filter(|line| line.contains(": dropped ")).collect();
        assert!(dropped.len() == 1 && dropped[0].contains("dropped no-recommends"), "{engine}: {said}");
        let after = fs::read_to_string(project.dockerfile()).unwrap();
        for kept in ["apt-get update && apt-get install -y git", "rm -rf /var/lib/apt/lists/*"] {
            assert!(after.contains(kept), "{engine}: {after}");
        }
        assert!(!after.contains("--no-install-recommends git"), "{engine}: {after}");
        assert!(after.find("COPY") > after.find("-recommends file"), "{engine}: {after}");
        assert_eq!(all_there_is(&engine), before, "{engine}");
        assert_eq!(project.left(), [""; 0]);
    }
}

/// Starts dockeropt, and waits until its build is at a step that sleeps.
fn start(project: &Project, engine: &str, arguments: &[&str], step: &str) -> Child {
    let child =
        project.command(engine, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("no build was started", 120, || runs(step));
    // The step runs a moment before its engine can end it.
    thread::sleep(Duration::from_secs(2));
    child
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
}

/// A Dockerfile that is built for long, and how long.
fn long(number: u32) -> (String, String) {
    let step = format!("sleep {}", 100_000 + std::process::id() * 10 + number);
    let text = format!(
        "FROM debian:bookworm-slim\nRUN touch /a-{number}\nRUN {step}\nRUN apt-get update\nRUN apt-get install -y less\n"
    );
    (text, step)
}

#[test]
fn a_signal_leaves_nothing_behind() {
    for engine in engines() {
        let cases = [
            (&["verify", "--unsafe"][..], Signal::INT),
            (&["verify", "--unsafe"], Signal::TERM),
            (&["fix", "--verify", "--write", "--unsafe"], Signal::INT),
            (&["fix", "--verify", "--write", "--unsafe"], Signal::TERM),
        ];
        for (number, (arguments, signal)) in cases.into_iter().enumerate() {
            let (text, step) = long(number as u32);
            let project = Project::new(&text);
            let before = all_there_is(&engine);
            let mut child = start(&project, &engine, arguments, &step);
            send(&child, signal);
            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(2), "{engine} {arguments:?} {signal:?}");
            wait_until("the build goes on", 30, || !runs(&step));
            assert_eq!(all_there_is(&engine), before, "{engine} {arguments:?} {signal:?}");
            assert_eq!(project.left(), [""; 0]);
            assert_eq!(fs::read_to_string(project.dockerfile()).unwrap(), project.text);
            println!("{engine}: {arguments:?} {signal:?} left nothing");
        }
    }
}

/// Nobody can clean up after SIGKILL: the temporary folder is left, and so are the engine's client, which
/// goes on building, and what has the folder's name.
#[test]
fn what_sigkill_leaves_has_a_name() {
    for engine in engines() {
        let (text, step) = long(8);
        let project = Project::new(&text);
        let before = all_there_is(&engine);
        let mut child = start(&project, &engine, &["fix", "--verify", "--write", "--unsafe"], &step);
        let name = project
            .left()
            .into_iter()
            .find(|it| it.starts_with("dockeropt-verify-"))
            .unwrap()
            .to_ascii_lowercase();
        send(&child, Signal::KILL);
        child.wait().unwrap();
        assert_eq!(fs::read_to_string(project.dockerfile()).unwrap(), project.text);
        let left = project.left();
        let is_known =
            |it: &String| it.starts_with("dockeropt-verify-") || it.starts_with("dockeropt-engine-");
        assert!(left.iter().all(is_known), "{left:?}");
        if let Some(client) = client_of(&project.temporary()) {
            let _ = rustix::process::kill_process_group(client, Signal::TERM);
        }
        end_step(&step);
        wait_until("the build goes on", 60, || !runs(&step));
        // The client ends a moment after its step.
        thread::sleep(Duration::from_secs(2));
        let now = all_there_is(&engine);
        let new: Vec<&String> = now.difference(&before).collect();
        println!("{engine}: SIGKILL left {left:?} and {new:?}");
        if engine == "docker" {
            assert!(new.iter().all(|it| it.starts_with(&name)), "{new:?}");
        }
        // Containers go before the images that they use.
        for verb in [&["rm", "--force"][..], &["rm"], &["rmi", "--force"]] {
            for it in &new {
                let _ = Command::new(&engine).args(verb).arg(it).output().unwrap();
            }
        }
        assert_eq!(all_there_is(&engine), before);
    }
}

/// Ends the processes of a step.
fn end_step(step: &str) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if let Some(number) = number.filter(|_| line.trim_end().ends_with(step)) {
            let _ = kill_process(number, Signal::KILL);
        }
    }
}

/// The process that was started first of those that name a folder.
fn client_of(folder: &Path) -> Option<Pid> {
    let name = folder.to_str()?;
    let own = std::process::id();
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let found = entries.filter_map(|entry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        (number != own as i32 && String::from_utf8_lossy(&line).contains(name)).then_some(number)
    });
    Pid::from_raw(found.min()?)
}
