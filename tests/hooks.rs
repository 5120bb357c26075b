//! What others run: the hooks of pre-commit, and the action of GitHub's workflows.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, helpers included")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dockeropt::names::Name;
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dockeropt");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const OLD: &str = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y gcc\n";

fn yaml(name: &str) -> Yaml {
    let text = fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap()
}

/// A repository with some files, all of them added.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert!(git(folder.path(), &["init", "-q"]).status.success());
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert!(git(folder.path(), &["add", "."]).status.success());
    folder
}

/// The program pre-commit: what the variable names, or else what is on PATH.
fn pre_commit() -> Option<PathBuf> {
    let named = std::env::var_os("DOCKEROPT_PRE_COMMIT").map(PathBuf::from);
    let named = named.unwrap_or_else(|| "pre-commit".into());
    let found = Command::new(&named).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no pre-commit here; DOCKEROPT_PRE_COMMIT may name it");
    }
    found.then_some(named)
}

/// A repository of hooks with ours in it, of which the program is the one that was built for the test and not
/// to be built once more; `.ci/run` has pre-commit build it, too.
fn hooks() -> TempDir {
    let text = fs::read_to_string(Path::new(ROOT).join(".pre-commit-hooks.yaml")).unwrap();
    let folder =
        repository(&[(".pre-commit-hooks.yaml", &text.replace("language: rust", "language: system"))]);
    assert!(git(folder.path(), &["commit", "-qm", "Hooks"]).status.success());
    folder
}

#[test]
fn pre_commit_runs_the_hooks() {
    let Some(pre_commit) = pre_commit() else { return };
    let hooks = hooks();
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(PROGRAM, bin.join("dockeropt")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |folder: &Path, hook: &str| {
        let mut command = Command::new(&pre_commit);
        command.args(["try-repo", hooks.path().to_str().unwrap(), hook, "--verbose"]);
        command.env("PRE_COMMIT_HOME", home.path()).env("PATH", &path).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.current_dir(folder).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let files = [("a/Dockerfile", OLD), ("b.dockerfile", OLD), ("Dockerfile.j2", "FROM {{ x }}\n")];
    let folder = repository(&files);
    let (code, shown) = run(folder.path(), "dockeropt-check");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("a/Dockerfile:2: merge-run: Join 2 RUNs"), "{shown}");
    assert_eq!(fs::read_to_string(folder.path().join("a/Dockerfile")).unwrap(), OLD);
    let (code, shown) = run(folder.path(), "dockeropt");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("files were modified by this hook"), "{shown}");
    let after = fs::read_to_string(folder.path().join("a/Dockerfile")).unwrap();
    assert!(after.starts_with("FROM debian:12\nRUN apt-get update && apt-get install"), "{after}");
    assert_eq!(fs::read_to_string(folder.path().join("b.dockerfile")).unwrap(), after);
    assert_eq!(fs::read_to_string(folder.path().join("Dockerfile.j2")).unwrap(), "FROM {{ x }}\n");
    assert!(git(folder.path(), &["add", "."]).status.success());
    for hook in ["dockeropt", "dockeropt-check"] {
        let (code, shown) = run(folder.path(), hook);
        assert_eq!(code, Some(0), "{shown}");
    }
}

/// The hooks take the files that a search takes by name.
#[test]
fn the_hooks_know_the_names_of_dockerfiles() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_vec().unwrap() {
        let exclude = hook["exclude"].as_str().unwrap();
        let endings = exclude
            .strip_prefix("(?i)\\.(")
            .unwrap()
            .strip_suffix(")$")
            .unwrap()
            .replace("jinja2?", "jinja|jinja2");
        for ending in endings.split('|') {
            for name in [format!("Dockerfile.{ending}"), format!("Containerfile.{ending}")] {
                let class = dockeropt::names::classify(name.as_ref());
                let known = ["dockerignore", "containerignore"].contains(&ending);
                assert!(known || matches!(class, Name::Template | Name::Companion), "{name}: {class:?}");
            }
        }
    }
}

/// Runs the action as GitHub's runner does: inputs with their defaults, steps with their conditions, each script
/// by bash with the files in which it leaves what it has to say.
struct Runner {
    temporary: TempDir,
    path: String,
}

struct Job {
    code: i32,
    printed: String,
    outputs: String,
    summary: String,
}

impl Runner {
    fn new() -> Self {
        Self { temporary: tempfile::tempdir().unwrap(), path: std::env::var("PATH").unwrap() }
    }

    fn run(&mut self, workspace: &Path, given: &[(&str, &str)]) -> Job {
        let action = yaml("action.yml");
        let mut inputs = BTreeMap::new();
        for (name, input) in action["inputs"].as_hash().unwrap() {
            let name = name.as_str().unwrap();
            inputs.insert(name.to_owned(), input["default"].as_str().unwrap().to_owned());
            assert!(!input["description"].as_str().unwrap().is_empty());
        }
        for (name, value) in given {
            assert!(inputs.insert((*name).to_owned(), (*value).to_owned()).is_some(), "no input {name}");
        }
        let file = |name: &str| self.temporary.path().join(name);
        for name in ["path", "output", "summary"] {
            fs::write(file(name), "").unwrap();
        }
        let mut job = Job { code: 0, printed: String::new(), outputs: String::new(), summary: String::new() };
        assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
        for step in action["runs"]["steps"].as_vec().unwrap() {
            let wanted = match step["if"].as_str() {
                None => true,
                Some("inputs.program == ''") => inputs["program"].is_empty(),
                Some(other) => panic!("the condition {other} is not known here"),
            };
            if !wanted || job.code != 0 {
                continue;
            }
            assert_eq!(step["shell"].as_str(), Some("bash"));
            let script = file("script.sh");
            fs::write(&script, step["run"].as_str().unwrap()).unwrap();
            let mut command = Command::new("bash");
            command
                .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
                .arg(&script)
                .current_dir(workspace);
            for (name, value) in step["env"].as_hash().unwrap() {
                let value =
                    value.as_str().unwrap().strip_prefix("${{ ").unwrap().strip_suffix(" }}").unwrap();
                let value = match value.strip_prefix("inputs.") {
                    Some(input) => inputs[input].as_str(),
                    None => [("github.action_path", ROOT)].iter().find(|(name, _)| *name == value).unwrap().1,
                };
                command.env(name.as_str().unwrap(), value);
            }
            command.env("PATH", &self.path).env("RUNNER_TEMP", self.temporary.path());
            command.env("GITHUB_PATH", file("path")).env("GITHUB_OUTPUT", file("output"));
            command.env("GITHUB_STEP_SUMMARY", file("summary"));
            let output = command.output().unwrap();
            job.code = output.status.code().unwrap();
            job.printed += &String::from_utf8_lossy(&output.stdout);
            job.printed += &String::from_utf8_lossy(&output.stderr);
            for added in fs::read_to_string(file("path")).unwrap().lines() {
                self.path = format!("{added}:{}", self.path);
            }
        }
        job.outputs = fs::read_to_string(file("output")).unwrap();
        job.summary = fs::read_to_string(file("summary")).unwrap();
        job
    }
}

#[test]
fn the_action_annotates_and_tells_what_would_change() {
    let folder = repository(&[("a b/Dockerfile", OLD), ("c/Dockerfile", "FROM a\n"), ("$(touch x);*", "")]);
    let mut runner = Runner::new();
    let mut run =
        |given: &[(&str, &str)]| runner.run(folder.path(), &[&[("program", PROGRAM)], given].concat());
    let job = run(&[("sarif", "out put.sarif")]);
    assert_eq!((job.code, job.outputs.as_str()), (0, "changed=true\n"), "{}", job.printed);
    assert!(
        job.printed.contains("::warning file=a b/Dockerfile,line=2,endLine=3,title=merge-run::"),
        "{}",
        job.printed
    );
    assert!(job.summary.starts_with("#### `a b/Dockerfile`\n"), "{}", job.summary);
    let sarif = fs::read_to_string(folder.path().join("out put.sarif")).unwrap();
    assert!(sarif.contains("\"uri\":\"a%20b/Dockerfile\""), "{sarif}");
    assert_eq!(run(&[("check", "true")]).code, 1);
    let job = run(&[("check", "true"), ("paths", "c"), ("arguments", "--unsafe --quiet")]);
    assert_eq!(
        (job.code, job.outputs.as_str(), job.summary.as_str()),
        (0, "changed=false\n", ""),
        "{}",
        job.printed
    );
    assert_eq!(run(&[("summary", "false")]).summary, "");
    // What is in an input is never run, and no pattern in it is expanded.
    let job = run(&[("paths", "$(touch y) * `touch y`")]);
    assert_eq!(job.code, 2, "{}", job.printed);
    assert!(!folder.path().join("y").exists());
    assert!(job.printed.contains("*: no such file"), "{}", job.printed);
}

#[test]
fn the_action_builds_its_program() {
    let folder = repository(&[("Dockerfile", OLD)]);
    let mut runner = Runner::new();
    // A stand-in for cargo, which installs what was built for the test.
    let bin = runner.temporary.path().join("stand-in");
    fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = \"install --quiet --locked --path {ROOT} --root $RUNNER_TEMP/dockeropt\" ] || exit 9\n\
         mkdir -p \"$RUNNER_TEMP/dockeropt/bin\"\nln -s {PROGRAM} \"$RUNNER_TEMP/dockeropt/bin/dockeropt\"\n"
    );
    fs::write(bin.join("cargo"), script).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    runner.path = format!("{}:{}", bin.display(), runner.path);
    let job = runner.run(folder.path(), &[("check", "true")]);
    assert_eq!((job.code, job.outputs.as_str()), (1, "changed=true\n"), "{}", job.printed);
    assert!(job.printed.contains("::warning file=Dockerfile,line=2"), "{}", job.printed);
}
