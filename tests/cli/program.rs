//! The program itself.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Folder, output, output_for, program};

/// Two neighbouring RUNs that some transform is sure to improve.
const IMPROVABLE: &str = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y gcc\n";

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::with(&[]);
    for arguments in [
        &["fix", "--only", "no-such-transform"][..],
        &["fix", "--no-such-option"],
        &["fix", "-", "x"],
        &["fix", "--check", "--write"],
        &["fix", "--jobs", "0"],
        &["fix", "--only", "merge-run,no-recommends", "--skip", "merge-run"],
        &["fix", "missing"],
        &["explain", "no-such-transform"],
        &["inspect", "missing"],
        &[],
    ] {
        let (code, out, err) = output(program(&folder.root()).args(arguments));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
        assert!(!err.contains("panicked"));
    }
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    let folder =
        Folder::with(&[("dockeropt.toml", "skip = [\"no-recomends\"]\n"), ("Dockerfile", "FROM a\n")]);
    let elsewhere = Folder::with(&[]);
    for (folder, arguments, expected) in [
        (&elsewhere, &["fix", "--only", "merge-runs"][..], "`merge-runs`; did you mean `merge-run`?"),
        (&elsewhere, &["explain", "clean"], "`clean`; did you mean `clean-package-cache`?"),
        (&folder, &["fix"], "dockeropt.toml:1:9: there is no transform `no-recomends`; did you mean `no-"),
    ] {
        let (code, _, err) = output(program(&folder.root()).args(arguments));
        assert_eq!(code, Some(2));
        assert!(err.contains(expected), "{err}");
    }
}

#[test]
fn a_comment_that_is_not_known_is_a_warning() {
    let text = "# dockeropt: skip=nope\n# DockerOpt: ignore=x\nFROM a\n# dockeropt: skip=no-recommends, merge-runs\n\
                # dockeropt: skip=merge-run because, as you know # x, y\nRUN a\n#dockeropt:skip-file # why\n";
    let folder = Folder::with(&[("Dockerfile", text)]);
    let (code, out, err) = output(program(&folder.root()).args(["fix", "--quiet"]));
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert_eq!(
        err,
        "warning: Dockerfile:1:1: unknown transform `nope` in a comment; `dockeropt list` shows those that \
         there are\n\
         warning: Dockerfile:2:1: unknown comment `dockeropt: ignore`; there are `skip=ID,ID` and `skip-file`\n\
         warning: Dockerfile:4:1: unknown transform `merge-runs` in a comment; did you mean `merge-run`?\n\
         warning: Dockerfile:5:1: unknown transform `as` in a comment; `dockeropt list` shows those that \
         there are\n"
    );
}

#[test]
fn the_json_report_has_the_warnings_about_comments() {
    let text = "# syntax=docker/dockerfile:1\n# check=skip=StageNameCasing,NoSuchCheck;error=true\nFROM a\n  # dockeropt: skip=nope\n";
    let folder = Folder::with(&[("Dockerfile", text)]);
    let (code, out, err) = output(program(&folder.root()).args(["fix", "--quiet", "--format", "json"]));
    assert_eq!(code, Some(0));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let message = "unknown transform `nope` in a comment; `dockeropt list` shows those that there are";
    let wanted = serde_json::json!([{ "line": 4, "column": 1, "message": message }]);
    assert_eq!(report["files"][0]["warnings"], wanted);
    assert_eq!(err, format!("warning: Dockerfile:4:1: {message}\n"), "BuildKit's own is none of ours");
}

#[test]
fn comments_are_read_in_any_letter_case() {
    let skipped = IMPROVABLE.replacen("RUN", "# DockerOpt: skip=merge-run # it is wanted so\nRUN", 1);
    let folder = Folder::with(&[("Dockerfile", &skipped)]);
    let (code, out, err) = output(program(&folder.root()).args(["fix", "--unsafe", "--only", "merge-run"]));
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", "nothing to do in 1 file\n"));
}

#[test]
fn a_fix_is_named_by_its_fingerprint_or_the_start_of_it() {
    let folder = Folder::with(&[("Dockerfile", IMPROVABLE)]);
    let (_, report, _) = output(program(&folder.root()).args(["fix", "--unsafe", "--format", "json"]));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let fingerprint = report["files"][0]["fixes"][0]["fingerprint"].as_str().unwrap();
    let capitals = fingerprint.to_uppercase();
    for named in [fingerprint, &fingerprint[..6], &capitals] {
        let (code, out, err) = output(program(&folder.root()).args(["fix", "--fix", named]));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.starts_with("diff"), "{named}");
    }
    for wrong in ["", "12345", "no-hex-digits", "0123456789abcdef0"] {
        let (code, out, err) = output(program(&folder.root()).args(["fix", "--fix", wrong]));
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(err.contains(&format!("`{wrong}` is no fingerprint")), "{err}");
    }
    let (code, _, err) = output(program(&folder.root()).args(["fix", "--fix", "0123456789abcdef"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("there is no fix with the fingerprint 0123456789abcdef"), "{err}");
}

#[test]
fn a_fix_that_builds_on_others_says_on_which() {
    let folder = Folder::with(&[("Dockerfile", IMPROVABLE)]);
    let fix = |arguments: &[&str]| output(program(&folder.root()).arg("fix").args(arguments));
    let fingerprints = |out: &str| -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(out).unwrap();
        let fixes = report["files"][0]["fixes"].as_array().unwrap();
        fixes.iter().map(|fix| fix["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let all = fingerprints(&fix(&["--format", "json"]).1);
    let last = all.last().unwrap();
    let (code, out, err) = fix(&["--fix", &last[..8]]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let named = err.trim().split("named as well: --fix ").nth(1).unwrap();
    assert_eq!(named, format!("{},{last}", all[0]));
    assert_eq!(fingerprints(&fix(&["--format", "json", "--fix", named]).1), [all[0].clone(), last.clone()]);
}

#[test]
fn the_summary_has_the_number_of_fixes_with_unsafe() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (mut counted, mut files) = (0, 0);
    for entry in std::fs::read_dir(examples).unwrap() {
        let Ok(text) = std::fs::read_to_string(entry.unwrap().path().join("Dockerfile")) else { continue };
        let folder = Folder::with(&[("Dockerfile", &text)]);
        let fix = |arguments: &[&str]| output(program(&folder.root()).arg("fix").args(arguments));
        let number = |arguments: &[&str]| -> usize {
            let report: serde_json::Value = serde_json::from_str(&fix(arguments).1).unwrap();
            report["files"][0]["fixes"].as_array().unwrap().len()
        };
        let (all, safe) = (number(&["--format", "json", "--unsafe"]), number(&["--format", "json"]));
        let said = fix(&[]).2;
        files += 1;
        if all != safe {
            counted += 1;
            let (one, many) = (format!("{all} fix with --unsafe"), format!("{all} fixes with --unsafe"));
            let more = format!(", {all} with --unsafe)");
            assert!([one, many, more].iter().any(|it| said.contains(it.as_str())), "{all}, {safe}: {said}");
        } else {
            assert!(!said.contains("with --unsafe"), "{said}");
        }
    }
    assert!(counted > 0 && files > counted, "{counted} of {files}");
}

/// Two fixes whose fingerprints begin alike are found by trying names until there are some.
#[test]
fn a_fingerprint_that_is_not_clear_is_an_error_before_anything_is_written() {
    let mut known = std::collections::BTreeMap::new();
    let (texts, start) = (0..)
        .find_map(|at| {
            let text = format!("FROM alpine\nRUN apk add package{at}\n");
            let outcome = dockeropt::pipeline::optimize(&text, &Default::default());
            let start = outcome.fixes[0].fingerprint[..6].to_owned();
            known.insert(start.clone(), text.clone()).map(|first| ([first, text], start))
        })
        .unwrap();
    let folder = Folder::with(&[("a/Dockerfile", &texts[0]), ("b/Dockerfile", &texts[1])]);
    for arguments in [&["--write"][..], &[], &["--output", "r.md"]] {
        let (code, out, err) = output(program(&folder.root()).args(["fix", "--fix", &start]).args(arguments));
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(err.contains(&format!("{start} stands for more than one fix")), "{err}");
        assert_eq!(folder.read("a/Dockerfile"), texts[0]);
        assert!(!folder.path("r.md").exists());
    }
    let (code, _, err) = output(program(&folder.root()).args(["fix", "--write", "--fix", &start, "a"]));
    assert_eq!((code, err.as_str()), (Some(0), "1 file changed (1 fix)\n"));
    // One that isn't there keeps another from being written, too.
    let (code, _, err) = output(program(&folder.root()).args([
        "fix",
        "--write",
        "--fix",
        &start,
        "--fix",
        "0123456789abcdef",
    ]));
    assert_eq!(code, Some(2), "{err}");
    assert_eq!(folder.read("b/Dockerfile"), texts[1]);
}

#[test]
fn nothing_to_do_exits_with_0() {
    let folder = Folder::with(&[]);
    let (code, out, err) = output(program(&folder.root()).arg("fix"));
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", "no Dockerfile found\n"));
    let (code, _, err) = output(program(&folder.root()).args(["fix", "--quiet"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
}

#[test]
fn help_and_completions_are_printed() {
    let folder = Folder::with(&[]);
    for arguments in [&["--help"][..], &["fix", "--help"], &["--version"], &["list"]] {
        let (code, _, err) = output(program(&folder.root()).args(arguments));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = output(program(&folder.root()).args(["completions", shell]));
        assert_eq!(code, Some(0));
        assert!(out.contains("why-not"), "{shell}");
    }
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let folder = Folder::with(&[]);
    let mut command = program(&folder.root());
    let mut child = command.args(["completions", "bash"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let folder = Folder::with(&[]);
    let output = program(&folder.root()).args(["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't write"));
}

#[test]
fn check_tells_by_the_exit_code() {
    let folder = Folder::with(&[("Dockerfile", IMPROVABLE)]);
    let (code, diff, _) = output(program(&folder.root()).args(["fix", "--check", "--unsafe"]));
    assert_eq!(code, Some(1));
    assert!(diff.starts_with("diff --git a/Dockerfile b/Dockerfile\n"));
    let (code, _, _) = output(program(&folder.root()).args(["fix", "--unsafe"]));
    assert_eq!(code, Some(0));
    let (code, _, _) = output(program(&folder.root()).args(["fix", "--unsafe", "--write"]));
    assert_eq!(code, Some(0));
    let (code, out, _) = output(program(&folder.root()).args(["fix", "--check", "--unsafe"]));
    assert_eq!((code, out.as_str()), (Some(0), ""));
}

#[test]
fn a_file_that_the_builder_refuses_exits_with_2() {
    let folder = Folder::with(&[("a/Dockerfile", "FORM a\n"), ("b/Dockerfile", IMPROVABLE)]);
    let (code, out, err) = output(program(&folder.root()).args(["fix", "--unsafe"]));
    assert_eq!(code, Some(2));
    assert!(out.contains("b/Dockerfile"));
    assert!(err.starts_with("error: a/Dockerfile:1:1: "), "{err}");
}

#[test]
fn without_git_a_file_in_a_work_tree_is_refused() {
    let folder = Folder::with(&[("Dockerfile", IMPROVABLE), ("none/x", "")]);
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "-q", "-m", "one"]);
    let write = |arguments: &[&str]| {
        let mut command = program(&folder.root());
        command.args(["fix", "--unsafe", "--write"]).args(arguments).env("PATH", folder.path("none"));
        output(&mut command)
    };
    let (code, _, err) = write(&[]);
    assert_eq!(code, Some(2));
    assert!(err.contains("git isn't found") && err.contains("--allow-dirty"), "{err}");
    assert_eq!(folder.read("Dockerfile"), IMPROVABLE);
    assert_eq!(write(&["--allow-dirty"]).0, Some(0));
    assert_ne!(folder.read("Dockerfile"), IMPROVABLE);
}

#[test]
fn a_broken_repository_is_an_error() {
    let folder = Folder::with(&[("Dockerfile", IMPROVABLE), (".git", "gitdir: /nowhere\n")]);
    let (code, _, err) = output(program(&folder.root()).args(["fix", "--unsafe", "--write"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("git says: fatal: not a git repository"), "{err}");
    assert_eq!(folder.read("Dockerfile"), IMPROVABLE);
}

#[test]
fn colours_are_used_when_asked_for() {
    let folder = Folder::with(&[("Dockerfile", IMPROVABLE)]);
    let coloured = |arguments: &[&str]| {
        let mut command = program(&folder.root());
        command.args(["fix", "--unsafe"]).args(arguments).env_remove("NO_COLOR");
        output(&mut command).1.contains('\u{1b}')
    };
    assert!(coloured(&["--color", "always"]));
    assert!(!coloured(&["--color", "never"]));
    assert!(!coloured(&[]));
}

#[test]
fn inspect_prints_no_secrets() {
    let text = "FROM a\nARG API_KEY=xyzzy\nENV DB_PASSWORD xyzzy\nENV TOKEN=\"xyzzy\" A=$B\nONBUILD ENV TOKEN=xyzzy\n\
                LABEL token=xyzzy\nRUN curl -H 'Authorization: Bearer xyzzy' https://user:xyzzy@host && x --password xyzzy\n\
                RUN [\"x\", \"--token=xyzzy\"]\nCMD [\"x\", \"--password\", \"xyz\"]\nENV AUTH_TOKEN=$B\nRUN <<EOF\nexport TOKEN=xyzzy\nEOF\n";
    let folder = Folder::with(&[("Dockerfile", text)]);
    let (code, out, err) = output(program(&folder.root()).args(["inspect", "Dockerfile"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(!out.contains("xyz"), "{out}");
    assert!(out.contains("\"DB_PASSWORD\": \"***\"") && out.contains("\"$B\""), "{out}");
}

#[test]
fn inspect_prints_json() {
    let folder = Folder::with(&[]);
    let mut command = program(&folder.root());
    let mut child =
        command.args(["inspect", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"FROM a\nRUN --network=none <<EOF\nb\nEOF\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &value["instructions"][1];
    assert_eq!((&run["cmd"], &run["start"], &run["end"]), (&"RUN".into(), &2.into(), &4.into()));
    assert_eq!(run["flags"][0], "--network=none");
    assert_eq!(run["heredocs"][0]["content"], "b\n");
}

#[test]
fn an_editor_says_whose_text_it_is() {
    let folder = Folder::with(&[
        ("a/dockeropt.toml", "skip = [\"merge-run\"]\n"),
        ("a/base.json", "{\"version\":1,\"files\":{}}"),
        (".git/HEAD", ""),
    ]);
    let fix = |folder: &std::path::Path, arguments: &[&str], text: &str| {
        output_for(program(folder).args(["fix", "--quiet"]).args(arguments), text)
    };
    let (root, below) = (folder.root(), folder.path("a"));
    let (code, diff, err) = fix(&root, &["--stdin-filename", "a/Dockerfile.new", "-"], IMPROVABLE);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(diff.starts_with("diff --git a/a/Dockerfile.new b/a/Dockerfile.new\n"), "{diff}");
    assert!(diff.contains("\n RUN apt-get update\n"), "merge-run is skipped there: {diff}");
    assert_eq!(fix(&below, &["--stdin-filename", "Dockerfile.new", "-"], IMPROVABLE).1, diff);
    let absolute = below.join("Dockerfile.new");
    let absolute = ["--stdin-filename", absolute.to_str().unwrap(), "-"];
    assert_eq!(fix(&root, &absolute, IMPROVABLE).1, diff);
    let write = ["--write", "--stdin-filename", "a/Dockerfile.new", "-"];
    let (_, text, _) = fix(&root, &write, IMPROVABLE);
    assert!(
        text.starts_with("FROM debian:12\nRUN apt-get update\nRUN apt-get install -y --no-install"),
        "{text}"
    );
    assert!(!folder.path("a/Dockerfile.new").exists());
    let (code, out, err) = fix(&root, &write, "FORM a\n");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.starts_with("error: a/Dockerfile.new:1:1: "), "{err}");
    let (code, _, err) = fix(&root, &["--stdin-filename", "a/Dockerfile"], "");
    assert_eq!((code, err.contains("add - to read it")), (Some(2), true), "{err}");
    folder.write("a/dockeropt.toml", "skp = []\n");
    let (code, out, err) = fix(&root, &write, IMPROVABLE);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("a/dockeropt.toml:1:1: unknown key"), "{err}");
}

#[test]
fn accepting_a_safe_fix_makes_no_other() {
    let text = "FROM debian:bookworm\n\
        RUN apt-get update\n\
        RUN apt-get install -y locales\n\
        RUN apt-get install -y curl\n\
        RUN apt-get install -y postgresql-client zstd cron\n";
    let folder = Folder::with(&[("Dockerfile", text)]);
    let report = |arguments: &[&str]| -> serde_json::Value {
        let output =
            program(&folder.root()).args(["fix", "--format", "json"]).args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = report(&[]);
    let fixes = all["files"][0]["fixes"].as_array().unwrap();
    let safe: Vec<&str> = fixes.iter().map(|fix| fix["fingerprint"].as_str().unwrap()).collect();
    let held_back = all["files"][0]["held_back"].as_array().unwrap();
    assert!(held_back.iter().any(|fix| fix["transform"] == "no-recommends"), "{all}");
    assert!(held_back.iter().all(|fix| !safe.contains(&fix["fingerprint"].as_str().unwrap())), "{all}");
    let named: Vec<&str> = safe.iter().flat_map(|name| ["--fix", *name]).collect();
    let again = report(&named);
    assert_eq!(again["files"][0]["fixes"].as_array().unwrap().len(), safe.len());
    assert!(again["files"][0]["fixes"].as_array().unwrap().iter().all(|fix| fix["applicability"] == "safe"));
}
