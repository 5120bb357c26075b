//! `package-lock.json`: what npm installs.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: u32,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
    /// What the first two versions have.
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    dependencies: BTreeMap<String, Self>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(default)]
    has_install_script: bool,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
}

/// The names of the packages that run scripts when they are installed: these may compile, or fetch a program
/// that needs libraries. `None` for a lock file that can't be read, that is of version 1, which does not say
/// so, or that links to folders of the project.
pub fn scripted_packages(lock: &str) -> Option<Vec<String>> {
    let lock: Lock = serde_json::from_str(lock).ok()?;
    if lock.lockfile_version < 2 || lock.packages.values().any(|package| package.link) {
        return None;
    }
    let scripted =
        lock.packages.iter().filter(|(path, package)| !path.is_empty() && package.has_install_script);
    Some(scripted.map(|(path, _)| name(path).to_owned()).collect())
}

/// The names of the packages that not only development needs. `None` for a lock file that can't be read.
pub fn needed_packages(lock: &str) -> Option<Vec<String>> {
    let lock: Lock = serde_json::from_str(lock).ok()?;
    let needed = lock.packages.iter().filter(|(path, package)| !path.is_empty() && !package.dev);
    let mut names: Vec<String> = needed.map(|(path, _)| name(path).to_owned()).collect();
    let mut open = vec![&lock.dependencies];
    while let Some(dependencies) = open.pop() {
        for (name, dependency) in dependencies.iter().filter(|(_, dependency)| !dependency.dev) {
            names.push(name.clone());
            open.push(&dependency.dependencies);
        }
    }
    Some(names)
}

/// The name of the package that lies in a folder.
fn name(path: &str) -> &str {
    path.rsplit_once("node_modules/").map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_scripts() {
        let lock = r#"{"lockfileVersion": 3, "packages": {
            "": {"name": "x", "hasInstallScript": true},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/@s/b": {"version": "1.0.0", "hasInstallScript": true},
            "node_modules/a/node_modules/c": {"hasInstallScript": true}
        }}"#;
        assert_eq!(scripted_packages(lock).unwrap(), ["@s/b", "c"]);
        assert_eq!(scripted_packages(r#"{"lockfileVersion": 1, "dependencies": {}}"#), None);
        assert_eq!(
            scripted_packages(r#"{"lockfileVersion": 3, "packages": {"node_modules/a": {"link": true}}}"#),
            None
        );
        assert_eq!(scripted_packages("{"), None);
    }

    #[test]
    fn packages_that_not_only_development_needs() {
        let lock = r#"{"lockfileVersion": 3, "packages": {
            "": {"name": "x"},
            "node_modules/a": {},
            "node_modules/b": {"dev": true},
            "node_modules/a/node_modules/@s/c": {}
        }}"#;
        assert_eq!(needed_packages(lock).unwrap(), ["a", "@s/c"]);
        let old = r#"{"lockfileVersion": 1, "dependencies": {
            "a": {"version": "1.0.0", "dependencies": {"b": {}, "c": {"dev": true}}},
            "d": {"dev": true}
        }}"#;
        assert_eq!(needed_packages(old).unwrap(), ["a", "b"]);
        assert_eq!(needed_packages("{"), None);
    }
}
