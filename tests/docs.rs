//! The documentation says what is so: the pages of the transforms are their own words, the examples
//! in them run, and links lead somewhere.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod expect;

use std::fs;
use std::path::Path;

use dockeropt::list::{Entry, catalogue, explain};
use dockeropt::pipeline::{Options, optimize};
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
        let blocks: Vec<String> = dockerfiles(&entry.doc);
        assert!(
            !blocks.is_empty() && blocks.len().is_multiple_of(2),
            "{}: before and after, please",
            entry.id
        );
        for pair in blocks.chunks(2) {
            let only = [entry.id.to_owned()].into();
            let options = Options { only, ..Options::default() };
            let mut outcome = optimize(&pair[0], &options);
            if outcome.after == pair[0] {
                outcome = optimize(&pair[0], &Options { allow_unsafe: true, ..options });
            }
            assert_eq!(outcome.after, pair[1], "{}\n{:?}", entry.id, outcome.declined);
        }
    }
}

/// The Dockerfiles in a page.
fn dockerfiles(page: &str) -> Vec<String> {
    let blocks = page.split("```dockerfile\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
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
