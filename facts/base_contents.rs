//! What the official images hold; see `data/base-contents.tsv`.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};

use crate::knowledge::{Knowledge, Table, columns, words};

/// What an image holds that is made of one release of Debian.
#[derive(Clone, Debug)]
pub struct Contents<'k> {
    knowledge: &'k Knowledge,
    holds: Arc<Holds>,
}

impl Deref for Contents<'_> {
    type Target = Holds;

    fn deref(&self) -> &Holds {
        &self.holds
    }
}

/// What an image holds by itself, whatever else is known.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    /// The release.
    pub release: &'static str,
    /// The variant: `full`, `slim` ...
    pub variant: &'static str,
    /// The packages beside those that every image of the release has.
    pub packages: BTreeSet<&'static str>,
    /// The programs that no package brought: the image's own language, below `/usr/local`.
    pub own_programs: BTreeSet<&'static str>,
    /// What its files take, unpacked. Good to a few per cent.
    pub bytes: u64,
    /// Whether part of `bytes` is an estimate: what lies beside the packages.
    pub is_estimated: bool,
}

/// Who brought a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The image itself.
    Image,
    /// A package, the one that would be installed to have the program.
    Package(&'static str),
}

/// What an image has and another hasn't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// The packages.
    pub packages: BTreeSet<&'static str>,
    /// The programs that are found by their names alone.
    pub programs: BTreeSet<&'static str>,
    /// How much larger it is, in bytes.
    pub bytes: u64,
    /// Whether part of `bytes` is an estimate.
    pub is_estimated: bool,
}

impl Knowledge {
    /// What the image holds that a reference denotes, where it is made of a release; ask `base` for the
    /// releases that it may be made of. `None` if it isn't known.
    pub fn contents(&self, reference: &str, release: &str) -> Option<Contents<'_>> {
        let (image, variant) = self.variant(reference)?;
        self.contents_of(image, variant, release)
    }

    /// The programs beside packages and the bytes of an image of which the packages aren't known, as it isn't
    /// made of Debian: eclipse-temurin, maven, gradle.
    pub fn contents_beside_packages(&self, reference: &str) -> Option<Contents<'_>> {
        let (image, variant) = self.variant(reference)?;
        self.contents_of(image, variant, "-")
    }

    fn contents_of(&self, image: String, variant: &'static str, release: &str) -> Option<Contents<'_>> {
        let key = (image, variant, release.to_owned());
        let known = self.contents.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let holds = known.unwrap_or_else(|| {
            let holds = self.holds(&key.0, variant, release, 0).map(Arc::new);
            self.contents.lock().unwrap_or_else(PoisonError::into_inner).insert(key, holds.clone());
            holds
        });
        Some(Contents { knowledge: self, holds: holds? })
    }

    fn holds(&self, image: &str, variant: &str, release: &str, depth: usize) -> Option<Holds> {
        // A team's rows may stand on each other.
        if depth > 8 {
            return None;
        }
        let row = self.rows(Table::BaseContents, image).map(|(_, row)| row).find(|row| {
            let [of_variant, of_release] = columns(row);
            of_variant == variant && of_release == release
        })?;
        let [variant, release, parent, kib, megabytes, own, packages] = columns(row);
        let mut contents = match parent.split_once(' ') {
            Some((image, variant)) => self.holds(image, variant, release, depth + 1)?,
            None => Holds { release, ..Holds::default() },
        };
        contents.variant = variant;
        contents.packages.extend(words(packages));
        contents.own_programs.extend(words(own));
        contents.bytes += kib.parse::<u64>().ok()? * 1024;
        let (estimate, megabytes) =
            megabytes.strip_prefix('~').map_or((false, megabytes), |rest| (true, rest));
        contents.is_estimated |= estimate;
        if !megabytes.is_empty() {
            contents.bytes += (megabytes.parse::<f64>().ok()? * 1e6) as u64;
        }
        Some(contents)
    }

    /// The packages of images in which there is a program, the one to install first; none if it isn't known.
    pub fn owners(&self, program: &str) -> impl Iterator<Item = &'static str> {
        let row = self.row(Table::Owners, program).map_or("", |(_, packages)| packages);
        words(row)
    }
}

impl<'k> Contents<'k> {
    /// Tells it from all others that the same knowledge has given.
    pub(crate) fn key(&self) -> usize {
        Arc::as_ptr(&self.holds).addr()
    }

    /// Whether a package is installed.
    pub fn has(&self, package: &str) -> bool {
        self.packages.contains(package) || self.knowledge.is_in_base(self.release, package)
    }

    /// Who brought a program that is called by its name alone; `None` if it isn't there, as far as is known.
    pub fn program(&self, name: &str) -> Option<Owner> {
        if self.own_programs.contains(name) {
            return Some(Owner::Image);
        }
        self.knowledge.owners(name).find(|package| self.has(package)).map(Owner::Package)
    }

    /// The packages with headers to build with.
    pub fn headers(&self) -> impl Iterator<Item = &'static str> {
        self.packages.iter().copied().filter(|package| package.ends_with("-dev"))
    }

    /// What this image has and `other` hasn't.
    pub fn beyond(&self, other: &Contents<'_>) -> Lost {
        let mut lost = Lost {
            packages: self.packages.iter().copied().filter(|package| !other.has(package)).collect(),
            programs: self.own_programs.difference(&other.own_programs).copied().collect(),
            bytes: self.bytes.saturating_sub(other.bytes),
            is_estimated: self.is_estimated || other.is_estimated,
        };
        for program in self.knowledge.names(Table::Owners) {
            if self.program(program).is_some() && other.program(program).is_none() {
                lost.programs.insert(program);
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(reference: &str, release: &str) -> Contents<'static> {
        Knowledge::builtin().contents(reference, release).unwrap()
    }

    /// The images that were built of the same packages on 2026-11-25, in bytes; the official ones differ from
    /// them by a few per cent.
    #[test]
    fn sizes_are_those_of_images() {
        let measured = [
            ("debian:bookworm", "bookworm", 116_165_368),
            ("debian:bookworm-slim", "bookworm", 74_419_509),
            ("debian:bullseye-slim", "bullseye", 80_484_024),
            ("debian:trixie", "trixie", 119_734_747),
            ("buildpack-deps:bookworm", "bookworm", 930_002_799),
            ("python:3.10", "bookworm", 985_782_025),
            ("python:3.10-slim", "bookworm", 125_830_817),
            ("node:20", "bookworm", 1_039_062_065),
            ("node:20-slim", "bookworm", 192_715_883),
        ];
        for (reference, release, bytes) in measured {
            let ours = contents(reference, release).bytes;
            assert!(ours.abs_diff(bytes) * 20 < bytes, "{reference}: {ours} for {bytes}");
        }
    }

    #[test]
    fn the_slim_image_lacks_what_builds_need() {
        let (full, slim) = (contents("python:3.10", "bookworm"), contents("python:3.10-slim", "bookworm"));
        let lost = full.beyond(&slim);
        for package in ["gcc", "git", "curl", "libpq-dev", "default-libmysqlclient-dev", "procps"] {
            assert!(full.has(package) && !slim.has(package) && lost.packages.contains(package), "{package}");
        }
        for package in ["ca-certificates", "tzdata", "bash", "libsqlite3-0"] {
            assert!(full.has(package) && slim.has(package) && !lost.packages.contains(package), "{package}");
        }
        for program in
            ["gcc", "cc", "make", "git", "curl", "wget", "ps", "convert", "pg_config", "unzip", "ssh"]
        {
            assert!(lost.programs.contains(program), "{program}");
        }
        for program in ["python3", "pip", "openssl", "sh", "tar", "useradd", "sed", "awk", "which", "perl"] {
            assert!(full.program(program).is_some() && !lost.programs.contains(program), "{program}");
        }
        assert!((750_000_000..900_000_000).contains(&lost.bytes), "{}", lost.bytes);
        assert_eq!(slim.headers().next(), None);
        assert!(full.headers().any(|package| package == "zlib1g-dev"));
    }

    #[test]
    fn a_program_has_an_owner() {
        let full = contents("python:3.10", "bookworm");
        assert_eq!(full.program("python3"), Some(Owner::Image));
        assert_eq!(full.program("cc"), Some(Owner::Package("gcc")));
        assert_eq!(full.program("convert"), Some(Owner::Package("imagemagick")));
        assert_eq!(full.program("hg"), Some(Owner::Package("mercurial")));
        assert_eq!(full.program("no-such-program"), None);
        assert_eq!(contents("golang:1.22", "bookworm").program("go"), Some(Owner::Image));
        assert_eq!(contents("node:20-slim", "bookworm").program("python3"), None);
        assert!(!contents("node:20-slim", "bookworm").has("ca-certificates"));
        assert_eq!(contents("node:20", "trixie").program("python3"), Some(Owner::Package("python3")));
        assert_eq!(contents("rust:1-slim", "trixie").program("cc"), Some(Owner::Package("gcc")));
    }

    #[test]
    fn what_an_image_has_need_not_be_installed() {
        let knowledge = Knowledge::builtin();
        let full = contents("python:3.10", "bookworm");
        let slim = contents("python:3.10-slim", "bookworm");
        assert_eq!(knowledge.installed_size(&["gcc", "libpq-dev"], &full), Some(0));
        let size = |packages: &[&str], on| knowledge.installed_size(packages, on).unwrap();
        assert!(size(&["libpq5"], &slim) > 0 && size(&["libpq5"], &slim) < size(&["libpq-dev"], &slim));
        assert_eq!(knowledge.installed_size(&["no-such-package"], &slim), None);
    }

    #[test]
    fn every_row_is_read() {
        for (image, row) in Table::BaseContents.ours().all() {
            let [variant, release, _, _, _, own, packages] = columns(row);
            let contents = Knowledge::builtin().contents_of(image.to_owned(), variant, release);
            let contents = contents.unwrap_or_else(|| panic!("{image} {variant} {release}"));
            assert_eq!(contents.variant, variant);
            assert!(words(packages).all(|package| contents.packages.contains(package)), "{image} {variant}");
            assert!(words(own).all(|program| contents.program(program) == Some(Owner::Image)), "{image}");
            assert!(contents.bytes > 70_000_000, "{image} {variant} {release}");
        }
        for (program, packages) in Table::Owners.ours().all() {
            assert!(Knowledge::builtin().owners(program).eq(packages.split(' ')), "{program}");
        }
    }

    #[test]
    fn an_image_that_is_not_debian_s_has_no_packages() {
        let knowledge = Knowledge::builtin();
        assert!(knowledge.contents("eclipse-temurin:17-jre", "jammy").is_none());
        let beside = knowledge.contents_beside_packages("eclipse-temurin:17-jre").unwrap();
        assert_eq!(beside.program("java"), Some(Owner::Image));
        assert!(beside.is_estimated && beside.program("javac").is_none());
        assert!(knowledge.contents("team/python:3.10", "bookworm").is_none());
    }

    #[test]
    fn a_team_may_say_what_its_bases_hold() {
        let rows = "*/team/base\tfull\tbookworm\tpython slim\t100\t~7.5\tdeploy\tteam-tools\n";
        let variants = "*/team/base\t*\tfull\n";
        let tables = [(Table::BaseContents, rows), (Table::Variants, variants)];
        let knowledge = Knowledge::with(&tables).unwrap();
        let team = knowledge.contents("registry.example.com/team/base:1", "bookworm").unwrap();
        assert!(team.has("team-tools") && team.has("ca-certificates") && team.is_estimated);
        assert_eq!(team.program("deploy").zip(team.program("pip")), Some((Owner::Image, Owner::Image)));
        assert_eq!(team.bytes, contents("python:3.10-slim", "bookworm").bytes + 100 * 1024 + 7_500_000);
        let circle =
            Knowledge::with(&[(Table::BaseContents, "a\tx\ty\ta x\t0\t1\n"), (Table::Variants, "a\t*\tx\n")]);
        assert!(circle.unwrap().contents("a:1", "y").is_none());
    }
}
