//! `dockeropt.toml`, and what the command line says about it.

use std::path::Path;

use crate::support::{Folder, output, program};

/// A file to which `merge-run` and `no-recommends` both have something to say.
const TEXT: &str = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y gcc\n";

/// The files with the transforms that would change them, one a line.
fn fixes(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = output(program(folder).args(["fix", "--format", "json"]).args(arguments));
    assert_eq!(code, Some(0), "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let line = |file: &serde_json::Value| {
        let fixes = file["fixes"].as_array().unwrap();
        let ids: Vec<_> = fixes.iter().map(|fix| fix["transform"].as_str().unwrap()).collect();
        format!("{}: {}\n", file["path"].as_str().unwrap(), ids.join(" "))
    };
    report["files"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn the_file_that_is_nearest_to_each_dockerfile_counts() {
    let folder = Folder::with(&[
        ("dockeropt.toml", "only = [\"merge-run\"]\n"),
        ("Dockerfile", TEXT),
        ("a/Dockerfile", TEXT),
        ("b/dockeropt.toml", "only = [\"no-recommends\"]\n"),
        ("b/c/Dockerfile", TEXT),
    ]);
    let wanted = "Dockerfile: merge-run\na/Dockerfile: merge-run\nb/c/Dockerfile: no-recommends\n";
    assert_eq!(fixes(&folder.root(), &[]), wanted);
    let below = fixes(&folder.path("b/c"), &["../../a", "."]);
    assert_eq!(below, "../../a/Dockerfile: merge-run\nDockerfile: no-recommends\n");
    let isolated = fixes(&folder.root(), &["--isolated", "a"]);
    assert_eq!(isolated, "a/Dockerfile: merge-run no-recommends clean-package-cache\n");
    folder.write("other.toml", "skip = [\"no-recommends\"]\n");
    let named = fixes(&folder.path("b"), &["--config", "../other.toml", "c"]);
    assert_eq!(named, "c/Dockerfile: merge-run clean-package-cache\n");
}

#[test]
fn overrides_hold_for_their_paths() {
    let folder = Folder::with(&[
        (
            "dockeropt.toml",
            "skip = [\"clean-package-cache\"]\n[[overrides]]\npaths = [\"docker/**\"]\nskip = [\"merge-run\"]\n",
        ),
        ("Dockerfile", TEXT),
        ("docker/a/Dockerfile", TEXT),
    ]);
    let wanted = "Dockerfile: merge-run no-recommends\ndocker/a/Dockerfile: no-recommends\n";
    assert_eq!(fixes(&folder.root(), &[]), wanted);
    assert_eq!(fixes(&folder.path("docker/a"), &["Dockerfile"]), "Dockerfile: no-recommends\n");
    let config = folder.path("dockeropt.toml");
    let elsewhere = Folder::with(&[("docker/a/Dockerfile", TEXT)]);
    let named = fixes(&elsewhere.root(), &["--config", config.to_str().unwrap()]);
    assert_eq!(named, "docker/a/Dockerfile: merge-run no-recommends\n");
}

#[test]
fn the_command_line_has_the_last_word() {
    let config = "only = [\"merge-run\"]\nskip = [\"no-recommends\"]\nunsafe = true\n";
    let folder = Folder::with(&[("dockeropt.toml", config), ("Dockerfile", TEXT)]);
    let fixes = |arguments: &[&str]| fixes(&folder.root(), arguments);
    assert_eq!(fixes(&[]), "Dockerfile: merge-run\n");
    assert_eq!(fixes(&["--only", "no-recommends"]), "Dockerfile: no-recommends\n");
    folder.write("dockeropt.toml", "unsafe = true\n");
    folder.write("Dockerfile", "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y gcc\n");
    assert!(fixes(&[]).contains("no-recommends"));
    assert!(!fixes(&["--no-unsafe"]).contains("no-recommends"));
    assert!(fixes(&["--no-unsafe", "--unsafe"]).contains("no-recommends"));
}

#[test]
fn a_mistake_is_told_before_anything_is_written() {
    let folder = Folder::with(&[
        ("a/Dockerfile", TEXT),
        ("b/Dockerfile", TEXT),
        ("b/dockeropt.toml", "# first\nskipp = []\n"),
    ]);
    let (code, out, err) = output(program(&folder.root()).args(["fix", "--write"]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(err, "error: b/dockeropt.toml:2:1: unknown key `skipp`; did you mean `skip`?\n");
    assert_eq!(folder.read("a/Dockerfile"), TEXT);
    for (arguments, message) in [
        (&["--config", "none.toml"][..], "none.toml: no such file or directory"),
        (&["--config", "b/dockeropt.toml", "a"], "b/dockeropt.toml:2:1: unknown key"),
        (&["--config", "x", "--isolated"], "cannot be used with"),
        (&["--enable", "merge-run", "--skip", "merge-run"], "`merge-run` is named by --enable and by --skip"),
    ] {
        let (code, _, err) = output(program(&folder.root()).arg("fix").args(arguments));
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(message), "{err}");
    }
}

/// A team's image that is made of Debian, and has a lighter variant.
#[test]
fn tables_of_a_team_are_known() {
    let text = "FROM registry.example.com/team/base:2\nRUN apt-get update && apt-get install -y gcc\n";
    let folder = Folder::with(&[
        ("dockeropt.toml", "tables = [\"ops/bases.tsv\", \"ops/variants.tsv\", \"ops/base-contents.tsv\"]\n"),
        ("ops/bases.tsv", "*/team/base\t*\tdebian\tbookworm\tapt\tyes\n"),
        ("ops/variants.tsv", "*/team/base\t{v}\tfull\t{v}-small\n*/team/base\t{v}-small\tsmall\n"),
        (
            "ops/base-contents.tsv",
            "*/team/base\tfull\tbookworm\tbuildpack-deps full\t0\t10\n*/team/base\tsmall\tbookworm\tdebian slim\t0\t10\n",
        ),
        ("Dockerfile", text),
    ]);
    let known = fixes(&folder.root(), &["--unsafe"]);
    assert_eq!(known, "Dockerfile: slim-base no-recommends clean-package-cache\n");
    let (_, diff, _) = output(program(&folder.root()).args(["fix", "--unsafe"]));
    assert!(diff.contains("+FROM registry.example.com/team/base:2-small"), "{diff}");
    // Of a release that is known, nothing has to be assumed.
    assert_eq!(fixes(&folder.root(), &[]), "Dockerfile: no-recommends clean-package-cache\n");
    assert_eq!(fixes(&folder.root(), &["--isolated"]), "Dockerfile: clean-package-cache\n");
    folder.write("ops/bases.tsv", "*/team/base\n");
    let (code, _, err) = output(program(&folder.root()).args(["fix"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("ops/bases.tsv: row 1: 1 columns; this table has 6 to 6"), "{err}");
}
