//! Files that a test compares with what they should hold, and rewrites if `UPDATE_EXPECT=1`.

use std::fs;
use std::path::{Path, PathBuf};

use dockeropt::diff::{Texts, unified};
use dockeropt::palette::Palette;

/// A path in the repository.
pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a file of the repository with what it should hold.
#[track_caller]
pub(crate) fn expect(path: &str, wanted: &str) {
    let found = fs::read_to_string(root(path)).unwrap_or_default();
    if found == wanted {
        return;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        let path = root(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, wanted).unwrap();
    }
    let mut diff = Vec::new();
    unified(path.as_bytes(), Texts::new(&found, wanted), &Palette::default(), &mut diff);
    let diff = String::from_utf8_lossy(&diff);
    let command = "UPDATE_EXPECT=1 cargo test --no-fail-fast --test examples --test readme --test docs";
    panic!("{path} is out of date; `{command}` makes it this:\n{diff}");
}
