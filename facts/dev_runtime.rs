//! What programs need when they run that were built with a package; see `data/dev-runtime.tsv` and
//! `data/build-only.tsv`.

use std::collections::BTreeSet;

use crate::knowledge::{Knowledge, Table, columns, words};

/// How a package that only builds need is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It compiles, or generates what is compiled: nothing of it is needed afterwards.
    Build,
    /// Nothing links with it, but whoever calls its programs needs it: git, curl.
    Call,
}

impl Knowledge {
    /// The packages with the libraries of a -dev package, in a release; none for headers alone, and for what only
    /// builds need. `None` if it isn't known.
    pub fn runtime_of(&self, release: &str, package: &str) -> Option<BTreeSet<&'static str>> {
        if self.build_only(package).is_some() {
            return Some(BTreeSet::new());
        }
        let at = self.release_column(release)?;
        let (_, row) = self.row(Table::DevRuntime, package)?;
        let columns: [&str; 3] = columns(row);
        match columns[at] {
            "" | "?" => None,
            "-" => Some(BTreeSet::new()),
            libraries => Some(words(libraries).collect()),
        }
    }

    /// Whether a package is of use only to build with; `None` if it isn't known to be.
    pub fn build_only(&self, package: &str) -> Option<Use> {
        let exact = self.row(Table::BuildOnly, package);
        let row = exact.or_else(|| {
            let version = |c: char| c.is_ascii_digit() || c == '.';
            let stem = package.trim_end_matches("-dev");
            let (name, _) =
                stem.rsplit_once('-').filter(|(_, end)| !end.is_empty() && end.chars().all(version))?;
            let rest = &package[stem.len()..];
            self.row(Table::BuildOnly, &format!("{name}-#{rest}"))
        });
        match row?.1 {
            "build" => Some(Use::Build),
            _ => Some(Use::Call),
        }
    }

    /// In which column of `dev-runtime.tsv` a release is.
    fn release_column(&self, release: &str) -> Option<usize> {
        ["bullseye", "bookworm", "trixie"].iter().position(|known| *known == release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(release: &str, package: &str) -> Option<String> {
        let libraries = Knowledge::builtin().runtime_of(release, package)?;
        Some(libraries.into_iter().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn headers_lead_to_the_libraries_of_the_release() {
        let expected = [
            ("libpq-dev", ["libpq5", "libpq5", "libpq5"]),
            ("default-libmysqlclient-dev", ["libmariadb3", "libmariadb3", "libmariadb3"]),
            ("libjpeg-dev", ["libjpeg62-turbo", "libjpeg62-turbo", "libjpeg62-turbo"]),
            ("libldap2-dev", ["libldap-2.4-2", "libldap-2.5-0", "libldap2"]),
            ("libssl-dev", ["libssl1.1", "libssl3", "libssl3t64"]),
            ("libxslt-dev", ["libxslt1.1", "libxslt1.1", "libxslt1.1"]),
            ("libicu-dev", ["libicu67", "libicu72", "libicu76"]),
            ("libffi-dev", ["libffi7", "libffi8", "libffi8"]),
            ("zlib1g-dev", ["zlib1g", "zlib1g", "zlib1g"]),
            ("libcurl4-openssl-dev", ["libcurl4", "libcurl4", "libcurl4t64"]),
            ("libncurses5-dev", ["libncurses6 libncursesw6 libtinfo6"; 3]),
            ("libeigen3-dev", ["", "", ""]),
        ];
        for (package, libraries) in expected {
            for (release, libraries) in ["bullseye", "bookworm", "trixie"].into_iter().zip(libraries) {
                assert_eq!(runtime(release, package).as_deref(), Some(libraries), "{release}: {package}");
            }
        }
    }

    #[test]
    fn what_only_builds_need_leaves_nothing() {
        for package in
            ["gcc", "g++-12", "make", "pkg-config", "libc6-dev", "libstdc++-12-dev", "build-essential"]
        {
            assert_eq!(runtime("bookworm", package).as_deref(), Some(""), "{package}");
            assert_eq!(Knowledge::builtin().build_only(package), Some(Use::Build), "{package}");
        }
        assert_eq!(Knowledge::builtin().build_only("git"), Some(Use::Call));
        for package in ["nginx", "python3", "gcc-doc", "no-such-dev", "libpq5"] {
            assert_eq!(runtime("bookworm", package), None, "{package}");
        }
        assert_eq!(runtime("jammy", "libpq-dev"), None);
    }

    #[test]
    fn every_row_is_read_and_its_libraries_exist() {
        let builtin = Knowledge::builtin();
        for (package, row) in Table::DevRuntime.ours().all() {
            for (release, column) in ["bullseye", "bookworm", "trixie"].into_iter().zip(row.split('\t')) {
                let libraries = builtin.runtime_of(release, package);
                assert_eq!(libraries.is_none(), column == "?", "{package}");
                let mut libraries = libraries.into_iter().flatten();
                assert!(
                    libraries.all(|library| builtin.size(release, library).is_some()),
                    "{release}: {package}"
                );
            }
        }
        for (package, _) in Table::BuildOnly.ours().all() {
            assert!(builtin.build_only(&package.replace('#', "12")).is_some(), "{package}");
        }
    }
}
