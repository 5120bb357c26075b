//! Inputs that once went wrong. Each file of `tests/regressions/` is taken as a Dockerfile and as a
//! script.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test may fail")]

#[path = "support/properties.rs"]
mod properties;

use dockeropt_syntax::Text;

#[test]
fn hold_the_properties() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut failures = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let text = Text::decode(bytes.clone());
        let text = text.as_str();
        let mut checks = vec![properties::lossless(&bytes), properties::script(text)];
        for options in properties::both() {
            let valid = properties::valid(text, &options);
            checks.push(valid.and_then(|outcome| properties::stable(&outcome, &options)));
        }
        for message in checks.into_iter().filter_map(Result::err) {
            failures.push(format!("{}: {message}", path.file_name().unwrap().display()));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
