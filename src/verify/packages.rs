//! Which packages an image has, and which files are theirs: what dpkg and apk note.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Image;

/// The packages of an image by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packages(BTreeMap<String, Package>);

/// A package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// Its version.
    pub version: String,
    /// What it needs, what it recommends: all names, alternatives included.
    pub leads_to: BTreeSet<String>,
    /// Other names that it answers to.
    pub provides: BTreeSet<String>,
}

impl Packages {
    /// The packages that an image's package manager notes.
    pub(super) fn of(image: &Image) -> Self {
        let text = |path: &str| image.kept.get(path).map(|bytes| String::from_utf8_lossy(bytes));
        let mut found = Self::default();
        if let Some(status) = text("/var/lib/dpkg/status") {
            found.read_dpkg(&status);
        }
        for path in ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"] {
            if let Some(installed) = text(path) {
                found.read_apk(&installed);
            }
        }
        found
    }

    fn read_dpkg(&mut self, status: &str) {
        for paragraph in status.split("\n\n") {
            let mut name = None;
            let mut package = Package::default();
            let mut is_installed = false;
            for line in paragraph.lines() {
                match line.split_once(": ") {
                    Some(("Package", value)) => name = Some(value.to_owned()),
                    Some(("Version", value)) => package.version = value.to_owned(),
                    Some(("Status", value)) => is_installed = value.ends_with(" installed"),
                    Some(("Depends" | "Pre-Depends" | "Recommends", value)) => {
                        package.leads_to.extend(names_in(value));
                    }
                    Some(("Provides", value)) => package.provides.extend(names_in(value)),
                    _ => {}
                }
            }
            if let Some(name) = name.filter(|_| is_installed) {
                self.0.insert(name, package);
            }
        }
    }

    fn read_apk(&mut self, installed: &str) {
        for paragraph in installed.split("\n\n") {
            let field = |letter: char| {
                paragraph.lines().find_map(|line| line.strip_prefix(letter)?.strip_prefix(':'))
            };
            let Some(name) = field('P') else { continue };
            let version = field('V').unwrap_or_default().to_owned();
            self.0.insert(name.to_owned(), Package { version, ..Package::default() });
        }
    }

    /// The names of those that `other` lacks.
    pub(super) fn missing_in(&self, other: &Self) -> BTreeSet<String> {
        self.0.keys().filter(|name| !other.0.contains_key(*name)).cloned().collect()
    }

    /// Those of `names` that some of `roots`, by what these need and recommend, leads to.
    pub(super) fn led_to_by(&self, roots: &Self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let mut provided: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, package) in &self.0 {
            for other in &package.provides {
                provided.entry(other).or_default().push(name);
            }
        }
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> =
            self.0.keys().map(String::as_str).filter(|name| roots.0.contains_key(*name)).collect();
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            let Some(package) = self.0.get(name) else { continue };
            for next in &package.leads_to {
                open.push(next);
                open.extend(provided.get(next.as_str()).into_iter().flatten());
            }
        }
        names.iter().filter(|name| seen.contains(name.as_str())).cloned().collect()
    }
}

/// The names in `libc6 (>= 2.36), default-mta | mail-transport-agent, gcc:any`.
fn names_in(relation: &str) -> impl Iterator<Item = String> {
    relation.split([',', '|']).filter_map(|part| {
        let name = part.split_whitespace().next()?;
        Some(name.split(':').next().unwrap_or(name).to_owned())
    })
}

/// The files and folders of some packages, as dpkg notes them.
pub(super) fn files_of(image: &Image, packages: &BTreeSet<String>) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (path, list) in &image.kept {
        let Some(name) = path.strip_prefix("/var/lib/dpkg/info/").and_then(|it| it.strip_suffix(".list"))
        else {
            continue;
        };
        let name = name.split(':').next().unwrap_or(name);
        if packages.contains(name) {
            files.extend(String::from_utf8_lossy(list).lines().map(resolve));
        }
    }
    files
}

/// A path with the links of merged `/usr` followed.
fn resolve(path: &str) -> String {
    let merged = ["/bin/", "/sbin/", "/lib/", "/lib64/", "/lib32/"];
    if merged.iter().any(|start| path.starts_with(start)) { format!("/usr{path}") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Package: git\nStatus: install ok installed\nVersion: 1:2.39\nDepends: libc6 (>= 2.34), perl\n\
        Recommends: ssh-client, less, patch\n\nPackage: openssh-client\nStatus: install ok installed\n\
        Version: 1\nDepends: libedit2\nProvides: ssh-client\n\nPackage: libedit2\nStatus: install ok installed\nVersion: 3\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: gcc\nStatus: install ok installed\nVersion: 12\n";

    #[test]
    fn what_is_recommended_is_led_to() {
        let (mut before, mut after) = (Packages::default(), Packages::default());
        before.read_dpkg(STATUS);
        after.read_dpkg(STATUS.split("\n\n").next().unwrap());
        let missing = before.missing_in(&after);
        assert_eq!(missing.iter().collect::<Vec<_>>(), ["gcc", "libedit2", "openssh-client"]);
        let led = before.led_to_by(&after, &missing);
        assert_eq!(led.iter().collect::<Vec<_>>(), ["libedit2", "openssh-client"]);
    }

    #[test]
    fn apk_notes_packages_too() {
        let mut packages = Packages::default();
        packages.read_apk("C:Q1\nP:musl\nV:1.2.5-r0\n\nP:curl\nV:8\n");
        assert_eq!(packages.0["musl"].version, "1.2.5-r0");
        assert_eq!(packages.0.len(), 2);
    }
}
