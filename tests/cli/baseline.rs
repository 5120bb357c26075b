//! The fixes that were there before.

use std::fs;
use std::path::Path;

use crate::support::{Folder, output, program};

const OLD: &str = "FROM debian:12-slim\nRUN apt-get update\nRUN apt-get install -y gcc\n";

fn fix(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    output(program(folder).arg("fix").args(arguments))
}

#[test]
fn what_was_there_is_left_alone() {
    let folder = Folder::with(&[("a/Dockerfile", OLD), ("b/Dockerfile", OLD), ("c/Dockerfile", "FORM\n")]);
    let root = folder.root();
    let record = ["--baseline", "ci/base.json", "--write-baseline"];
    fs::create_dir(folder.path("ci")).unwrap();
    let (code, out, err) = fix(&root, &record);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.starts_with("error: c/Dockerfile:1:1: unknown instruction"), "{err}");
    assert!(err.ends_with("\nci/base.json lists 6 fixes in 2 files\n"), "{err}");
    folder.write("c/Dockerfile", "FROM a\n");
    for arguments in
        [&["--baseline", "ci/base.json"][..], &["--unsafe", "--check", "--baseline", "ci/base.json"]]
    {
        assert_eq!(fix(&root, arguments), (Some(0), String::new(), "nothing to do in 3 files\n".to_owned()));
    }
    // From another folder, by the configuration.
    folder.write("dockeropt.toml", "baseline = \"ci/base.json\"\n");
    assert_eq!(fix(&folder.path("b"), &["."]).2, "nothing to do in 1 file\n");
    // What is new is reported, and what was there stays as it is.
    folder.write("a/Dockerfile", format!("{OLD}RUN pip install --upgrade x\nRUN apk add curl\n"));
    let (code, out, _) = fix(&root, &["--check"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("+RUN apk add --no-cache curl") && out.contains(" RUN apt-get update\n"), "{out}");
    let (_, list, _) = fix(&root, &["--isolated", "--format", "json", "b"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let fingerprint = list["files"][0]["fixes"][0]["fingerprint"].as_str().unwrap();
    assert!(
        fix(&root, &["--fix", fingerprint, "b"]).1.contains("+RUN apt-get update && "),
        "named, so wanted"
    );
}

#[test]
fn recording_again_replaces_what_was_looked_at() {
    let folder = Folder::with(&[("a/Dockerfile", OLD), ("b/Dockerfile", OLD), ("c/Dockerfile", OLD)]);
    let record = |paths: &[&str]| {
        fix(&folder.root(), &[&["--baseline", "base.json", "--write-baseline"], paths].concat()).2
    };
    assert_eq!(record(&[]), "base.json lists 9 fixes in 3 files\n");
    folder.write("a/Dockerfile", "FROM a\n");
    fs::remove_file(folder.path("b/Dockerfile")).unwrap();
    assert_eq!(record(&["a"]), "base.json lists 3 fixes in 1 file\n");
    let written = folder.read("base.json");
    assert!(
        written.starts_with("{\n  \"version\": 1,\n  \"files\": {\n    \"c/Dockerfile\": {\n"),
        "{written}"
    );
    assert!(written.contains("\": \"merge-run\""), "{written}");
}

#[test]
fn a_wrong_baseline_is_an_error() {
    let folder = Folder::with(&[
        ("Dockerfile", OLD),
        ("new.json", "{\"version\":2,\"files\":{}}"),
        ("other.json", "{\n\"a\":1}"),
    ]);
    for (arguments, message) in [
        (&["--baseline", "none.json"][..], "none.json: there is no such baseline; --write-baseline makes it"),
        (&["--baseline", "new.json"], "new.json: is of version 2"),
        (&["--baseline", "other.json"], "other.json:2: is no baseline: unknown field `a`"),
        (&["--write-baseline"], "--write-baseline needs --baseline FILE"),
        (&["--write-baseline", "--baseline", "b.json", "--write"], "cannot be used with"),
    ] {
        let (code, out, err) = fix(&folder.root(), arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(err.contains(message), "{err}");
    }
}

/// Fixes that show up only when others aren't made are in the baseline as well.
#[test]
fn nothing_is_left_of_real_files() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let folder = Folder::with(&[]);
    for unsafe_too in [&[][..], &["--unsafe"]] {
        let record = [&["--baseline", "base.json", "--write-baseline", examples], unsafe_too].concat();
        assert_eq!(fix(&folder.root(), &record).0, Some(0));
        let check = [&["--baseline", "base.json", "--check", examples], unsafe_too].concat();
        let (code, out, err) = fix(&folder.root(), &check);
        assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    }
}
