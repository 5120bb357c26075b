//! `Cargo.lock`: what Rust programs are linked to.

use std::collections::BTreeSet;

/// The names of the crates that link to a library that isn't Rust's, by the convention that their names end
/// with `-sys`, and of a few that do so without. `None` for a text that is no lock file.
pub fn native_crates(lock: &str) -> Option<BTreeSet<String>> {
    const OTHERS: [&str; 8] = [
        "gdal",
        "hdf5",
        "libvips",
        "magick_rust",
        "opencv",
        "pyo3-ffi",
        "python27-sys",
        "tesseract-plumbing",
    ];
    let mut in_package = false;
    let mut names = BTreeSet::new();
    let mut is_lock = false;
    for line in lock.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            in_package = line == "[[package]]";
            is_lock |= in_package;
        } else if let Some(name) = line.strip_prefix("name = ").filter(|_| in_package) {
            let name = name.trim_matches('"');
            if name.ends_with("-sys") || name.ends_with("_sys") || OTHERS.contains(&name) {
                names.insert(name.to_owned());
            }
        }
    }
    is_lock.then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_that_link_are_found() {
        let lock = "version = 3\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"openssl-sys\",\n]\n\n\
                    [[package]]\nname = \"openssl-sys\"\nversion = \"0.9.1\"\n\n[metadata]\nname = \"x-sys\"\n";
        assert_eq!(native_crates(lock), Some(BTreeSet::from(["openssl-sys".to_owned()])));
        assert_eq!(native_crates("version = 3\n"), None);
    }
}
