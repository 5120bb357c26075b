//! What Debian packages need, and weigh; see `data/packages-*.tsv`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::PoisonError;

use crate::base_contents::Contents;
use crate::knowledge::{Knowledge, Table, columns};
use crate::tables::rows;

/// A package without a row: what it needs isn't known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no row for the package {0}")]
pub struct Unknown(pub String);

/// What an install without recommended packages brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Install {
    /// The packages that were not there.
    pub packages: BTreeSet<&'static str>,
    /// What they weigh together, as Debian counts: the files, rounded up to whole KiB.
    pub bytes: u64,
}

/// A row.
#[derive(Clone, Copy)]
enum Row {
    /// Part of every image of the release.
    Base,
    /// A name that stands for one package.
    Virtual(&'static str),
    /// What it weighs, and what has to be there with it.
    Package { kib: u64, needs: &'static str },
}

impl Knowledge {
    /// Whether there is a table of a release.
    pub fn has_packages(&self, release: &str) -> bool {
        self.has(Table::Packages(release))
    }

    /// Whether a package is in every image that is made of the release, the slim ones too.
    pub fn is_in_base(&self, release: &str, package: &str) -> bool {
        matches!(self.package(release, package), Some((_, Row::Base)))
    }

    /// What apt's package lists take after an update in an image of the release, in bytes; `None` if that isn't
    /// known.
    pub fn list_bytes(&self, release: &str) -> Option<u64> {
        let mut sizes = rows(include_str!("data/list-sizes.tsv"));
        sizes.find_map(|row| row.get(1)?.parse().ok().filter(|_| row[0] == release))
    }

    /// What a package weighs by itself, in bytes.
    pub fn size(&self, release: &str, package: &str) -> Option<u64> {
        let (name, _) = self.package(release, package)?;
        let [kib] = columns(self.row(Table::Packages(release), name)?.1);
        kib.parse().ok().map(|kib: u64| kib * 1024)
    }

    /// What installing `packages` without recommended ones brings, where `is_present` tells of other packages
    /// whether they are there; those of the base always are. As apt chooses: what has to be taken is taken
    /// first, and of several the first, unless one is there.
    pub fn install(
        &self,
        release: &str,
        packages: &[&str],
        is_present: &dyn Fn(&str) -> bool,
    ) -> Result<Install, Unknown> {
        let mut result = Install::default();
        let mut choices: VecDeque<&'static str> = VecDeque::new();
        let mut todo: Vec<&str> = packages.to_vec();
        loop {
            while let Some(name) = todo.pop() {
                let found = self.package(release, name).ok_or_else(|| Unknown(name.to_owned()))?;
                let (name, Row::Package { kib, needs }) = found else { continue };
                if is_present(name) || !result.packages.insert(name) {
                    continue;
                }
                result.bytes += kib * 1024;
                for need in needs.split(' ').filter(|need| !need.is_empty()) {
                    if need.contains('|') {
                        choices.push_back(need);
                    } else {
                        todo.push(need);
                    }
                }
            }
            let Some(choice) = choices.pop_front() else { return Ok(result) };
            let is_there = |name: &str| is_present(name) || result.packages.contains(name);
            if !choice.split('|').any(is_there) {
                todo.extend(choice.split('|').next());
            }
        }
    }

    /// What installing `packages` in an image brings, in bytes; `None` if a package isn't known.
    pub fn installed_size(&self, packages: &[&str], on: &Contents<'_>) -> Option<u64> {
        // The same is asked for in each round of a rewrite, and of many files.
        let key = (on.key(), packages.join(" "));
        let known = self.sizes.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        known.unwrap_or_else(|| {
            let install = self.install(on.release, packages, &|name| on.has(name));
            let size = install.ok().map(|install| install.bytes);
            self.sizes.lock().unwrap_or_else(PoisonError::into_inner).insert(key, size);
            size
        })
    }

    /// A row, with the name under which it stands, which for a virtual package is that of the real one.
    fn package(&self, release: &str, name: &str) -> Option<(&'static str, Row)> {
        let mut name = name;
        // A virtual name stands for a real one; a team's rows may stand for each other.
        for _ in 0..4 {
            let (key, row) = self.package_row(release, name)?;
            match row {
                Row::Virtual(real) => name = real,
                row => return Some((key, row)),
            }
        }
        None
    }

    fn package_row(&self, release: &str, name: &str) -> Option<(&'static str, Row)> {
        let (key, row) = self.row(Table::Packages(release), name)?;
        let [kib, needs] = columns(row);
        let row = match (needs, needs.strip_prefix('~')) {
            ("=", _) => Row::Base,
            (_, Some(real)) => Row::Virtual(real),
            _ => Row::Package { kib: kib.parse().ok()?, needs },
        };
        Some((key, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(release: &str, packages: &[&str]) -> Install {
        Knowledge::builtin().install(release, packages, &|_| false).unwrap()
    }

    /// What `apt-get --simulate install --no-install-recommends` brought in a root with the base alone on
    /// 2026-11-25: how many packages, and the sum of their Installed-Size.
    #[test]
    fn as_apt_would_install() {
        let expected = [
            ("bookworm", "git", 24, 106_251),
            ("bookworm", "libpq5", 10, 9_682),
            ("bookworm", "gcc libc6-dev", 41, 205_294),
            ("bookworm", "gcc pkg-config default-libmysqlclient-dev", 53, 220_802),
            ("bookworm", "build-essential", 56, 315_402),
            ("bookworm", "ffmpeg", 200, 470_097),
            ("bookworm", "libmagickwand-dev", 195, 370_402),
            ("bookworm", "python3-pip", 30, 46_811),
            ("trixie", "git", 33, 116_600),
            ("trixie", "libpq5", 10, 3_917),
            ("trixie", "gcc pkg-config default-libmysqlclient-dev", 48, 231_225),
            ("trixie", "libmagickwand-dev", 214, 397_086),
            ("bullseye", "git", 18, 86_972),
            ("bullseye", "default-libmysqlclient-dev", 14, 32_559),
            ("bullseye", "ffmpeg", 189, 392_848),
        ];
        for (release, packages, count, kib) in expected {
            let install = install(release, &packages.split(' ').collect::<Vec<_>>());
            // Of `a | b` apt may take one that it wouldn't have needed: two transitional packages of a few KiB.
            let found = (install.packages.len(), install.bytes / 1024);
            assert!(found.0.abs_diff(count) <= 2, "{release}: {packages}: {found:?}");
            assert!(found.1.abs_diff(kib) * 1000 <= kib, "{release}: {packages}: {found:?}");
        }
    }

    #[test]
    fn what_is_there_is_not_counted() {
        let builtin = Knowledge::builtin();
        let there = install("bookworm", &["libcurl3-gnutls"]).packages;
        let all = install("bookworm", &["git"]);
        let rest = builtin.install("bookworm", &["git"], &|name| there.contains(name)).unwrap();
        assert!(rest.packages.is_disjoint(&there));
        assert_eq!(rest.packages.len() + there.len(), all.packages.len());
        assert_eq!(install("bookworm", &["bash", "tar"]), Install::default());
        assert!(builtin.is_in_base("bookworm", "bash") && !builtin.is_in_base("bookworm", "perl"));
    }

    #[test]
    fn a_virtual_name_stands_for_its_package() {
        assert_eq!(install("bookworm", &["libc-dev"]), install("bookworm", &["libc6-dev"]));
        assert_eq!(
            Knowledge::builtin().size("bookworm", "libxslt-dev"),
            Knowledge::builtin().size("bookworm", "libxslt1-dev")
        );
    }

    #[test]
    fn what_has_no_row_is_unknown() {
        let builtin = Knowledge::builtin();
        let unknown = builtin.install("bookworm", &["git", "no-such-package"], &|_| false);
        assert_eq!(unknown, Err(Unknown("no-such-package".to_owned())));
        assert!(builtin.install("jammy", &["git"], &|_| false).is_err());
        assert!(builtin.has_packages("trixie") && !builtin.has_packages("jammy"));
    }

    #[test]
    fn every_row_is_read_and_what_it_needs_has_a_row() {
        let builtin = Knowledge::builtin();
        for release in ["bullseye", "bookworm", "trixie"] {
            let is_known = |name: &str| builtin.package(release, name).is_some();
            for name in builtin.names(Table::Packages(release)) {
                match builtin.package_row(release, name) {
                    Some((_, Row::Package { needs, .. })) => {
                        let mut needs = needs.split([' ', '|']).filter(|need| !need.is_empty());
                        assert!(needs.all(is_known), "{release}: {name}");
                    }
                    Some(_) => assert!(is_known(name), "{release}: {name}"),
                    None => panic!("{release}: {name}"),
                }
            }
        }
    }

    #[test]
    fn a_team_may_add_packages_and_releases() {
        let rows = "team-tools\t100\tcurl|wget team-base\nteam-base\t28\nwget\t5\ncurl\t6\n";
        let knowledge = Knowledge::with(&[(Table::Packages("jammy"), rows)]).unwrap();
        let install = knowledge.install("jammy", &["team-tools"], &|_| false).unwrap();
        assert_eq!(install.packages.into_iter().collect::<Vec<_>>(), ["curl", "team-base", "team-tools"]);
        assert_eq!(install.bytes, 134 * 1024);
        let install = knowledge.install("jammy", &["team-tools"], &|name| name == "wget").unwrap();
        assert_eq!(install.packages.into_iter().collect::<Vec<_>>(), ["team-base", "team-tools"]);
    }
}
