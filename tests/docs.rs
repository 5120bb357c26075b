//! The documentation says what is so: the pages of the transforms are their own words, the examples
//! in them run, and links lead somewhere.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod expect;

use std::fs;
use std::path::Path;

use dockeropt::list::{Entry, catalogue, explain};
use dockeropt::pipeline::{Options, optimize_in};
use dockeropt_facts::Project;
use dockeropt_facts::project::{self, EntryKind};
use dockeropt_transforms::Surroundings;
use expect::{expect, root};

/// The page of a transform in `docs/transforms/`.
fn page(entry: &Entry) -> String {
    format!(
        "<!-- Written by tests/docs.rs from the transform's source; change that, then run \
         UPDATE_EXPECT=1 cargo test --test docs -->\n\n{}",
        explain(entry)
    )
}

#[test]
fn the_pages_of_the_transforms_are_up_to_date() {
    let entries = catalogue();
    for entry in &entries {
        expect(&format!("docs/transforms/{}.md", entry.id), &page(entry));
    }
    for file in fs::read_dir(root("docs/transforms")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let known = entries.iter().any(|entry| name == format!("{}.md", entry.id));
        assert!(known, "docs/transforms/{name} is about no transform");
    }
}

#[test]
fn the_transforms_do_what_their_examples_say() {
    for entry in catalogue() {
        let mut surroundings = Surroundings::unknown();
        let mut before: Option<&str> = None;
        let mut examples = 0;
        let blocks = blocks(&entry.doc);
        for (language, text) in &blocks {
            let only = [entry.id.to_owned()].into();
            let safe = Options { only, ..Options::default() };
            let all = Options { allow_unsafe: true, ..safe.clone() };
            // What is safe changes the example, or else what isn't.
            let run = |example: &str| {
                let outcome = optimize_in(example, &safe, &surroundings);
                let is_enough = outcome.held_back.is_empty() || outcome.after != example;
                if is_enough { outcome } else { optimize_in(example, &all, &surroundings) }
            };
            match (*language, before) {
                ("context", _) => surroundings = Surroundings::of(context(text)),
                (language, _) if language.starts_with("text ") => {
                    let path = language["text ".len()..].trim().to_owned();
                    surroundings = Surroundings::of(Project::from_texts([(path, (*text).to_owned())].into()));
                }
                ("dockerfile", None) => before = Some(text),
                ("dockerfile", Some(example)) => {
                    let outcome = run(example);
                    assert_eq!(outcome.after, *text, "{}\n{:?}", entry.id, outcome.declined);
                    (before, examples) = (None, examples + 1);
                }
                ("dockerignore", Some(example)) => {
                    let outcome = run(example);
                    assert_eq!(outcome.after, example, "{}", entry.id);
                    let after = outcome.ignore.map(|change| change.after);
                    assert_eq!(after.as_deref(), Some(*text), "{}\n{:?}", entry.id, outcome.declined);
                    (before, examples) = (None, examples + 1);
                }
                _ => {}
            }
        }
        assert!(examples > 0 && before.is_none(), "{}: before and after, please", entry.id);
    }
}

/// The code in a page, with its language.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let parts = page.split("```").skip(1).step_by(2);
    parts.filter_map(|part| part.split_once('\n')).collect()
}

/// A build context of files with their sizes.
fn context(block: &str) -> Project {
    let mut project = Project::default();
    for (path, size) in block.lines().filter_map(|line| line.split_once(' ')) {
        for (at, _) in path.match_indices('/') {
            project.add(&path[..at], project::Entry { kind: EntryKind::Folder, size: 0, skipped: 0 });
        }
        project.add(path, project::Entry { kind: EntryKind::File, size: size.parse().unwrap(), skipped: 0 });
    }
    project
}

#[test]
fn links_lead_somewhere() {
    for page in ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/ASSUMPTIONS.md"] {
        let text = fs::read_to_string(root(page)).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let path = target.split('#').next().unwrap_or_default();
            let folder = root(page).parent().map(Path::to_path_buf).unwrap();
            assert!(folder.join(path).exists(), "{page} links to {target}, which is not there");
        }
    }
}
