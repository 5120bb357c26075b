//! Every project in `examples/` becomes what its `expected.Dockerfile` says.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod expect;

use std::fs;

use dockeropt::pipeline::{Applicability, Options, Outcome, optimize_in};
use dockeropt::project::Contexts;
use expect::{expect, root};

/// The names of the example projects, sorted. A folder without a Dockerfile shows something else.
fn examples() -> Vec<String> {
    let entries = fs::read_dir(root("examples")).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().join("Dockerfile").exists());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What becomes of a Dockerfile of an example, with the project around it.
fn fixed(name: &str, text: &str) -> Outcome {
    let contexts = Contexts::default();
    let path = root(&format!("examples/{name}/Dockerfile"));
    let outcome = optimize_in(text, &Options::default(), &contexts.around(&path, text));
    assert_eq!((&outcome.diagnostics[..], &outcome.bugs[..]), (&[][..], &[][..]));
    outcome
}

#[test]
fn every_example_becomes_what_is_expected() {
    let names = examples();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        let text = fs::read_to_string(root(&format!("examples/{name}/Dockerfile"))).unwrap();
        expect(&format!("examples/{name}/expected.Dockerfile"), &fixed(&name, &text).after);
    }
}

#[test]
fn a_second_run_changes_nothing() {
    for name in examples() {
        let text = fs::read_to_string(root(&format!("examples/{name}/Dockerfile"))).unwrap();
        let once = fixed(&name, &text);
        assert_ne!(once.after, text, "{name} shows nothing");
        let twice = fixed(&name, &once.after);
        assert_eq!(twice.after, once.after, "{name}");
        assert_eq!(twice.fixes, [], "{name}");
    }
}

#[test]
fn what_is_applied_by_default_is_safe() {
    let mut held_back = 0;
    for name in examples() {
        let text = fs::read_to_string(root(&format!("examples/{name}/Dockerfile"))).unwrap();
        let outcome = fixed(&name, &text);
        for fix in outcome.fixes {
            assert_eq!((fix.applicability, &fix.assumes[..]), (Applicability::Safe, &[][..]), "{name}");
        }
        for fix in outcome.held_back {
            held_back += 1;
            assert_eq!(fix.applicability, Applicability::Unsafe, "{name}");
            assert!(!fix.claims.is_empty() || !fix.assumes.is_empty(), "{name}: {}", fix.title);
        }
    }
    assert!(held_back > 0);
}

/// The article's project, step by step: what the tool is named for.
#[test]
fn the_article_by_hand() {
    let expected = fs::read_to_string(root("examples/article/expected.Dockerfile")).unwrap();
    let lines: Vec<&str> = expected.lines().collect();
    let place = |start: &str| lines.iter().position(|line| line.starts_with(start)).unwrap();
    assert_eq!(lines.iter().filter(|line| line.starts_with("RUN apt-get")).count(), 1);
    assert!(expected.contains("apt-get update && apt-get install -y --no-install-recommends"));
    assert!(expected.contains("rm -rf /var/lib/apt/lists/*"));
    assert!(place("RUN apt-get update") < place("COPY . /app"));
    let install = place("RUN pip install --no-cache-dir -r requirements.txt");
    assert!(place("COPY requirements.txt /app/") < install && install < place("COPY . /app"));
}
