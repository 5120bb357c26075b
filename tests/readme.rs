//! What the README shows is what the program does: every command in it is run.
//!
//! A `sh` block holds commands, of which those of dockeropt are run; a `console` block holds commands
//! behind `$` and what they print; the `diff` block is what the first command prints.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]
#![cfg(unix)]

mod expect;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "verify/support.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use expect::{expect, root};
use tempfile::TempDir;

/// What a newcomer types first.
const FIRST: &str = "cargo run --release -q -- fix examples/article";
/// What a newcomer types next. It is not run here, as it would run this test.
const SECOND: &str = "cargo test --workspace";

/// A fenced block: what it is, and its lines.
struct Block<'t> {
    kind: &'t str,
    lines: Vec<&'t str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let parts = text.split("\n```").collect::<Vec<_>>();
    assert!(parts.len() % 2 == 1, "a block is not closed");
    parts
        .iter()
        .skip(1)
        .step_by(2)
        .map(|part| {
            let (kind, body) = part.split_once('\n').unwrap_or((part, ""));
            Block { kind, lines: body.lines().collect() }
        })
        .collect()
}

/// A copy of the examples in a git work tree, in which a command may do what it likes.
fn scratch() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&root("examples"), &folder.path().join("examples"));
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dockeropt"), folder.path().join("dockeropt")).unwrap();
    fs::write(folder.path().join(".gitignore"), "/dockeropt\n").unwrap();
    for arguments in [
        &["init", "-q"][..],
        &["add", "."],
        &["-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-qm", "Examples"],
    ] {
        let done = Command::new("git").args(arguments).current_dir(folder.path()).status().unwrap();
        assert!(done.success());
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The command with the program that was built for the test; `None` if it is no command of dockeropt.
fn command(line: &str) -> Option<String> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let arguments = line.strip_prefix("cargo run --release -q -- ").or(line.strip_prefix("dockeropt "));
    let other = line.contains("| dockeropt ") && arguments.is_none();
    arguments
        .map(|arguments| format!("./dockeropt {arguments}"))
        .or(other.then(|| line.replace("| dockeropt ", "| ./dockeropt ")))
}

/// Runs a command in a folder of its own; what it prints, and that it ends as is to be expected.
fn run(line: &str) -> String {
    let folder = scratch();
    let command = command(line).unwrap();
    let engine = engine();
    let path = format!("{}:{}", engine.path("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(folder.path()).env("PATH", path);
    let Output { status, stdout, stderr } = shell.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    let wanted = i32::from(line.contains("--check"));
    assert_eq!(status.code(), Some(wanted), "{line}\n{stdout}{stderr}");
    let is_told_apart =
        ["--write examples", "--write-baseline", "--why-not"].iter().any(|option| line.contains(option));
    let printed = if is_told_apart { &stderr } else { &stdout };
    assert!(!printed.is_empty(), "{line} prints nothing\n{stdout}{stderr}");
    stdout + &stderr
}

/// A made engine that gives the same image for every Dockerfile: builds are tested elsewhere.
fn engine() -> support::Bench {
    let bench = support::Bench::new("");
    bench.install("docker");
    let layers = vec![vec![support::file("/etc/os-release", "ID=debian\n")]];
    bench.image("any", "FROM", &support::Made { layers, config: serde_json::json!({}) });
    bench
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let text = fs::read_to_string(root("README.md")).unwrap();
    let mut wanted = String::new();
    let mut kind = None;
    for line in text.lines() {
        if let Some(opened) = line.strip_prefix("```") {
            kind = if kind.is_some() { None } else { Some(opened) };
            wanted += &format!("{line}\n");
            if kind == Some("diff") {
                wanted += &run(&format!("{FIRST} --quiet"));
            }
            continue;
        }
        match kind {
            Some("diff") => {}
            Some("console") => {
                if let Some(command) = line.strip_prefix("$ ") {
                    wanted += &format!("{line}\n{}", run(command));
                }
            }
            _ => wanted += &format!("{}\n", with_fingerprint(line)),
        }
    }
    expect("README.md", &wanted);
}

/// The line with the fingerprint that the first fix of the example has now.
fn with_fingerprint(line: &str) -> String {
    let Some((before, after)) = line.split_once("--fix ") else { return line.to_owned() };
    let Some((_, paths)) = after.split_once(' ').filter(|(old, _)| old.len() == 16) else {
        return line.to_owned();
    };
    let report = run(&format!("dockeropt fix --quiet --format json {paths}"));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let changed = report["files"].as_array().unwrap().iter().find(|file| file["changed"] == true).unwrap();
    format!("{before}--fix {} {paths}", changed["fixes"][0]["fingerprint"].as_str().unwrap())
}

#[test]
fn every_command_in_the_readme_works() {
    let text = fs::read_to_string(root("README.md")).unwrap();
    let blocks = blocks(&text);
    let lines = blocks.iter().filter(|block| block.kind == "sh").flat_map(|block| &block.lines);
    let commands: Vec<_> = lines.copied().filter(|line| command(line).is_some()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        run(command);
    }
}

#[test]
fn the_first_two_commands_need_nothing_but_rust() {
    let text = fs::read_to_string(root("README.md")).unwrap();
    let blocks = blocks(&text);
    let first = blocks.iter().find(|block| block.kind == "sh").unwrap();
    let commands: Vec<_> = first.lines.iter().map(|line| line.split(" #").next().unwrap().trim()).collect();
    assert_eq!(commands, [FIRST, SECOND]);
    let script = fs::read_to_string(root(".ci/run")).unwrap();
    assert!(script.lines().any(|line| line.trim() == SECOND), ".ci/run runs something else");
}

#[test]
fn every_key_of_the_json_report_is_explained() {
    let text = fs::read_to_string(root("README.md")).unwrap();
    let report = run("dockeropt fix --quiet --format json examples/go-multistage");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let mut objects = vec![&report];
    while let Some(value) = objects.pop() {
        match value {
            serde_json::Value::Object(object) => {
                for (key, value) in object {
                    assert!(text.contains(&format!("`{key}`")), "the README does not explain `{key}`");
                    objects.push(value);
                }
            }
            serde_json::Value::Array(items) => objects.extend(items),
            _ => {}
        }
    }
}

#[test]
fn the_configuration_in_the_readme_is_accepted() {
    let text = fs::read_to_string(root("README.md")).unwrap();
    let blocks = blocks(&text);
    let block = blocks.iter().find(|block| block.kind == "toml").unwrap();
    let folder = scratch();
    let fix = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.args(["fix", "--quiet", "examples/article"]).current_dir(folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(fix().contains("--no-install-recommends"));
    fs::write(folder.path().join("dockeropt.toml"), block.lines.join("\n")).unwrap();
    assert!(!fix().contains("--no-install-recommends"));
}

#[test]
fn every_transform_is_listed() {
    let text = fs::read_to_string(root("README.md")).unwrap();
    for entry in dockeropt::list::catalogue() {
        let row = format!("| [`{0}`](docs/transforms/{0}.md) |", entry.id);
        assert!(text.contains(&row), "the README does not list {}", entry.id);
    }
}
