//! The ignore file of a context: its diff, and writing it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Output, Stdio};

use crate::support::{Folder, is_root, program};

const COPY: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . /app\n";

/// A folder with junk of two kinds beside these files: `.idea`, which is safe to leave out, and `x.log`.
fn with_junk(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(files);
    folder.write(".idea/workspace.xml", "<x/>");
    folder.write("x.log", "started\n");
    folder.write("app.py", "pass\n");
    folder
}

fn fix(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = program(&folder.root());
    command.args(["fix", "--quiet", "--only", "ignore-junk", "--jobs", "2"]).args(arguments);
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The diff of `fix` applied by git, and `--write`, both give this ignore file.
#[track_caller]
fn becomes(folder: &Folder, name: &str, arguments: &[&str], expected: &[u8]) {
    let before = fs::read(folder.path(name)).ok();
    let diff = fix(folder, arguments);
    assert_eq!(text(&diff.stderr), "");
    folder.write("the.diff", &diff.stdout);
    folder.git(&["apply", "--whitespace=nowarn", "the.diff"]);
    fs::remove_file(folder.path("the.diff")).unwrap();
    assert_eq!(text(&fs::read(folder.path(name)).unwrap()), text(expected), "{}", text(&diff.stdout));
    match before {
        Some(before) => folder.write(name, before),
        None => fs::remove_file(folder.path(name)).unwrap(),
    }
    let written = fix(folder, &[arguments, &["--write", "--allow-dirty"]].concat());
    assert_eq!(text(&written.stderr), "");
    assert_eq!(fs::read(folder.path(name)).unwrap(), expected);
    let again = fix(folder, arguments);
    assert_eq!((text(&again.stdout), text(&again.stderr)), (String::new(), String::new()));
}

#[test]
fn a_new_file() {
    let folder = with_junk(&[("Dockerfile", COPY)]);
    becomes(&folder, ".dockerignore", &[], b".idea\n");
    assert_eq!(fs::metadata(folder.path(".dockerignore")).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(folder.read("Dockerfile"), COPY);
    fs::remove_file(folder.path(".dockerignore")).unwrap();
    becomes(&folder, ".dockerignore", &["--unsafe"], b".idea\n*.log\n");
}

#[test]
fn a_file_that_is_there_is_extended() {
    for (before, after) in [
        (&b""[..], &b".idea\n*.log\n"[..]),
        (b"tmp\n", b"tmp\n.idea\n*.log\n"),
        (b"tmp", b"tmp\n.idea\n*.log\n"),
        (b"# caf\xe9\r\ntmp\r\n", b"# caf\xe9\r\ntmp\r\n.idea\r\n*.log\r\n"),
        (b"\xef\xbb\xbftmp\r\nx", b"\xef\xbb\xbftmp\r\nx\r\n.idea\r\n*.log\r\n"),
        (b"*.log\n!x.log\n", b"*.log\n!x.log\n.idea\n"),
        (b"*\n!app.py\n!.idea/workspace.xml\n!*.log\n", b"*\n!app.py\n!.idea/workspace.xml\n!*.log\n.idea\n"),
    ] {
        let folder = with_junk(&[("Dockerfile", COPY)]);
        folder.write(".dockerignore", before);
        becomes(&folder, ".dockerignore", &["--unsafe"], after);
    }
}

#[test]
fn a_file_of_a_dockerfile_takes_the_place_of_the_other() {
    let folder = with_junk(&[
        ("b.Dockerfile", COPY),
        ("b.Dockerfile.dockerignore", "tmp\n"),
        (".dockerignore", "x\n"),
    ]);
    becomes(&folder, "b.Dockerfile.dockerignore", &["b.Dockerfile"], b"tmp\n.idea\n");
    assert_eq!(folder.read(".dockerignore"), "x\n");
}

#[test]
fn a_context_below_and_above() {
    let folder = with_junk(&[("app/Dockerfile", COPY), ("app/.vscode/x", ""), ("app/src/.vscode/x", "")]);
    becomes(&folder, "app/.dockerignore", &["app"], b"**/.vscode\n");
    let folder =
        with_junk(&[("docker/Dockerfile", "FROM a\nCOPY app.py .\nCOPY . /app\n"), ("docker/app", "")]);
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    becomes(&folder, ".dockerignore", &["docker/Dockerfile"], b".git\n.idea\n");
}

#[test]
fn two_dockerfiles_of_one_context_change_one_file() {
    let folder = with_junk(&[
        ("Dockerfile", COPY),
        ("b.Dockerfile", "FROM a\nCOPY src /src\n"),
        ("c.Dockerfile", COPY),
        ("src/.DS_Store", "x"),
    ]);
    becomes(&folder, ".dockerignore", &[], b".idea\n**/.DS_Store\n");
    let count = |output: &Output| text(&output.stdout).matches("diff --git").count();
    fs::remove_file(folder.path(".dockerignore")).unwrap();
    assert_eq!(count(&fix(&folder, &[])), 1);
}

#[test]
fn check_tells_by_the_exit_code() {
    let folder = with_junk(&[("Dockerfile", COPY)]);
    assert_eq!(fix(&folder, &["--check"]).status.code(), Some(1));
    assert!(!folder.path(".dockerignore").exists());
    folder.write(".dockerignore", ".idea\n");
    assert_eq!(fix(&folder, &["--check"]).status.code(), Some(0));
}

#[test]
fn json_has_the_diff_and_the_bytes() {
    let folder = with_junk(&[("Dockerfile", COPY)]);
    let output = fix(&folder, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = &report["files"][0];
    assert_eq!((&file["changed"], &file["fixes"][0]["saves_bytes"]), (&true.into(), &4.into()));
    assert!(file["diff"].as_str().unwrap().contains("+++ b/.dockerignore\n@@ -0,0 +1 @@\n+.idea\n"));
    assert_eq!(file["held_back"][0]["title"], "Ignore logs");
    assert_eq!(file["held_back"][0]["claims"][0], "no longer copied: x.log");
}

#[test]
fn uncommitted_changes_are_kept() {
    let dockerfile = format!("{COPY}RUN apt-get update\nRUN apt-get install -y gcc\n");
    let folder = with_junk(&[("Dockerfile", &dockerfile), (".dockerignore", "tmp\n")]);
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "-q", "-m", "one"]);
    folder.write(".dockerignore", "tmp\nmine\n");
    let write = |more: &[&str]| {
        let mut command = program(&folder.root());
        command.args(["fix", "--quiet", "--write"]).args(more).output().unwrap()
    };
    let refused = write(&[]);
    let message =
        "error: .dockerignore: has uncommitted changes; commit or stash them, or pass --allow-dirty\n";
    assert_eq!((text(&refused.stderr).as_str(), refused.status.code()), (message, Some(2)));
    // All or nothing.
    assert_eq!(
        (folder.read("Dockerfile"), folder.read(".dockerignore")),
        (dockerfile.clone(), "tmp\nmine\n".into())
    );
    assert_eq!(write(&["--allow-dirty"]).status.code(), Some(0));
    assert_eq!(folder.read(".dockerignore"), "tmp\nmine\n.git\n.idea\n");
    assert_ne!(folder.read("Dockerfile"), dockerfile);
}

#[test]
fn a_link_out_of_the_tree_is_not_followed() {
    let outside = Folder::with(&[("ignored", "tmp\n")]);
    let folder = with_junk(&[("Dockerfile", COPY), ("shared", "tmp\n")]);
    symlink(outside.path("ignored"), folder.path(".dockerignore")).unwrap();
    let refused = fix(&folder, &["--write"]);
    assert_eq!(text(&refused.stderr), "error: .dockerignore: is a link out of the tree, and left as it is\n");
    assert_eq!((refused.status.code(), outside.read("ignored")), (Some(2), "tmp\n".to_owned()));
    fs::remove_file(folder.path(".dockerignore")).unwrap();
    symlink("shared", folder.path(".dockerignore")).unwrap();
    assert_eq!(fix(&folder, &["--write"]).status.code(), Some(0));
    assert_eq!(folder.read("shared"), "tmp\n.idea\n");
    assert!(folder.path(".dockerignore").is_symlink());
}

#[test]
fn what_cannot_be_written_is_told() {
    // A folder in the place of the file: nothing is known of what is ignored.
    let folder = with_junk(&[("Dockerfile", COPY), (".dockerignore/x", "")]);
    let output = fix(&folder, &["--write"]);
    assert_eq!((text(&output.stdout), output.status.code()), (String::new(), Some(0)));
    if is_root() {
        return;
    }
    let folder = with_junk(&[("Dockerfile", COPY), (".dockerignore", "tmp\n")]);
    fs::set_permissions(folder.path(".dockerignore"), fs::Permissions::from_mode(0o444)).unwrap();
    let output = fix(&folder, &["--write"]);
    assert!(text(&output.stderr).contains(".dockerignore: can't be written"), "{}", text(&output.stderr));
    assert_eq!(folder.read(".dockerignore"), "tmp\n");
}

#[test]
fn comments_and_options_choose() {
    let skipped = format!("{}# dockeropt: skip=ignore-junk\nCOPY . /app\n", "FROM a\n");
    let folder = with_junk(&[("Dockerfile", &skipped)]);
    let output = fix(&folder, &["--unsafe"]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
    let folder = with_junk(&[("Dockerfile", COPY)]);
    let report = fix(&folder, &["--unsafe", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let fixes = report["files"][0]["fixes"].as_array().unwrap();
    let logs = fixes.iter().find(|fix| fix["title"] == "Ignore logs").unwrap();
    let chosen = fix(&folder, &["--write", "--fix", logs["fingerprint"].as_str().unwrap()]);
    assert_eq!((text(&chosen.stderr).as_str(), folder.read(".dockerignore").as_str()), ("", "*.log\n"));
}

#[test]
fn no_context_is_read_where_none_is_wanted() {
    let folder = with_junk(&[("Dockerfile", COPY)]);
    let output = fix(&folder, &["--write", "--no-context"]);
    assert_eq!((output.status.code(), folder.path(".dockerignore").exists()), (Some(0), false));
    // Nor to list what there is.
    let listed = |option: &[&str]| {
        fix(&folder, &[option, &["--baseline", "base.json", "--write-baseline"]].concat());
        folder.read("base.json").contains("Dockerfile")
    };
    assert_eq!((listed(&[]), listed(&["--no-context"])), (true, false));
    let output = fix(&folder, &["--no-context", "--context", "."]);
    assert!(text(&output.stderr).contains("cannot be used with"), "{}", text(&output.stderr));
}

#[test]
fn standard_input_has_no_context() {
    use std::io::Write;
    let folder = with_junk(&[]);
    for arguments in [&["fix", "--unsafe", "-"][..], &["fix", "--unsafe", "--write", "-"]] {
        let mut command = program(&folder.root());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(COPY.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout), if arguments.contains(&"--write") { COPY } else { "" });
        assert!(!folder.path(".dockerignore").exists());
    }
}
