//! `package-lock.json`: what npm installs.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: u32,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(default)]
    has_install_script: bool,
    #[serde(default)]
    link: bool,
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
    let names =
        scripted.map(|(path, _)| path.rsplit_once("node_modules/").map_or(&path[..], |(_, name)| name));
    Some(names.map(str::to_owned).collect())
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
}
