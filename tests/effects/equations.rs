//! The equations that the check stands on, held against builds: what it calls equal gives the same image,
//! and what it must not call equal is another one.

use std::fs;
use std::path::Path;
use std::process::Command;

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_syntax::parse;

/// Two Dockerfiles.
struct Pair {
    /// Whether they do the same.
    equal: bool,
    /// Whether the check says so.
    known: bool,
    name: String,
    before: String,
    after: String,
}

fn pairs() -> Vec<Pair> {
    let text = include_str!("pairs.txt");
    let start = text.find("\n= ").unwrap();
    let mut found: Vec<Pair> = Vec::new();
    let mut second = false;
    for line in text[start..].lines() {
        let marks = [("= ", true, true), ("~ ", true, false), ("! ", false, false)];
        let named =
            marks.iter().find_map(|&(mark, equal, known)| Some((equal, known, line.strip_prefix(mark)?)));
        if let Some((equal, known, name)) = named {
            second = false;
            let (before, after) = (String::new(), String::new());
            found.push(Pair { equal, known, name: name.to_owned(), before, after });
        } else if line == "-" {
            second = true;
        } else if let Some(pair) = found.last_mut() {
            let side = if second { &mut pair.after } else { &mut pair.before };
            side.push_str(line);
            side.push('\n');
        }
    }
    found
}

fn are_equal(before: &str, after: &str) -> Result<(), String> {
    let (before, after) = (parse(before), parse(after));
    assert!(before.diagnostics.is_empty() && after.diagnostics.is_empty());
    check(&Facts::new(&before), &Facts::new(&after), &Licence::default())
        .map_err(|difference| difference.message)
}

#[test]
fn the_check_says_what_the_pairs_say() {
    let mut wrong = Vec::new();
    for pair in pairs() {
        let said = are_equal(pair.before.trim_end(), pair.after.trim_end());
        if said.is_ok() != pair.known {
            wrong.push(format!("{}: {said:?}", pair.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for equation in 1..=6 {
        let count =
            pairs().iter().filter(|pair| pair.equal && pair.name.starts_with(&equation.to_string())).count();
        assert!(count >= 3, "equation {equation} has {count} pairs");
    }
}

#[test]
fn builds_say_what_the_pairs_say() {
    if !super::is_wanted() {
        return;
    }
    let context = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("file.txt", "file\n"),
        ("requirements.txt", "six\n"),
        ("tool", "#!/bin/sh\necho old\n"),
        ("no-doc", "path-exclude=/usr/share/doc/*\n"),
    ] {
        fs::write(context.path().join(name), content).unwrap();
    }
    make_executable(&context.path().join("tool"));
    let mut wrong = Vec::new();
    for pair in pairs() {
        let [before, after] =
            [("Dockerfile", &pair.before), ("after.Dockerfile", &pair.after)].map(|(name, text)| {
                let path = context.path().join(name);
                fs::write(&path, text).unwrap();
                path
            });
        let output = Command::new(env!("CARGO_BIN_EXE_dockeropt"))
            .args(["verify", "--unsafe", "--network", "host", "--format", "json", "--against"])
            .args([&after, &before])
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let said = format!(
            "{} {} {}",
            report["broken"],
            report["unexpected"],
            String::from_utf8_lossy(&output.stderr)
        );
        println!("{}: {}", pair.name, report["passed"]);
        // An error of the engine is neither.
        if report["passed"] != pair.equal {
            wrong.push(format!("{}: passed {}: {said}", pair.name, report["passed"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
