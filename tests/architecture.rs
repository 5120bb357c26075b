//! What docs/ARCHITECTURE.md promises about the rooms.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::{Path, PathBuf};

/// The crates from the lowest up, by folder.
const ROOMS: [&str; 3] = ["syntax", "facts", "transforms"];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The source files of a folder, tests apart.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap();
            if name != "tests" && name != "benches" && name != "target" {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_room_knows_those_below_it_and_nothing_above() {
    for (at, room) in ROOMS.iter().enumerate() {
        let manifest = fs::read_to_string(root(room).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for above in &ROOMS[at..] {
            assert!(!dependencies.contains(&format!("dockeropt-{above}")), "{room} depends on {above}");
        }
        assert!(!dependencies.contains("anyhow"), "{room} has errors without a type");
    }
}

#[test]
fn the_lower_rooms_are_pure() {
    let outside = ["std::fs", "std::io", "std::process", "std::net", "std::env", "std::time", "std::thread"];
    let mut files = Vec::new();
    ROOMS.iter().for_each(|room| sources(&root(room), &mut files));
    assert!(files.len() > 30);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for name in outside {
            assert!(!code.contains(name), "{} uses {name}", file.display());
        }
    }
}

/// `docs/ARCHITECTURE.md` names tests as `file::name`.
#[test]
fn the_tests_that_the_architecture_names_are_there() {
    let text = fs::read_to_string(root("docs/ARCHITECTURE.md")).unwrap();
    let names: Vec<(&str, &str)> = text.split('`').filter_map(|code| code.split_once("::")).collect();
    let names: Vec<_> = names.iter().filter(|(file, _)| file.ends_with(".rs")).collect();
    assert!(names.len() > 10, "{names:?}");
    for (file, name) in names {
        let source = fs::read_to_string(root(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {name}(")), "{file} has no test {name}");
    }
}
