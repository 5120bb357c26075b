//! What is known of packages that projects install, apart from what their manifests say.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::tables::rows;

/// What the scripts of a package read and write that run when it is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptScope {
    /// Nothing of the project that installs it.
    Own,
    /// Files of the project.
    Project,
}

/// What the install scripts of a package of npm read and write, if that is known.
pub fn install_script(package: &str) -> Option<ScriptScope> {
    script_row(package).map(|row| row.0)
}

/// The folder outside of the project in which the install scripts of a package of npm leave what the program
/// reads when it runs.
pub fn left_by_install_script(package: &str) -> Option<&'static str> {
    script_row(package).map(|row| row.1).filter(|&folder| folder != "-")
}

fn script_row(package: &str) -> Option<(ScriptScope, &'static str)> {
    static TABLE: OnceLock<FxHashMap<&'static str, (ScriptScope, &'static str)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let rows = rows(include_str!("data/install-scripts.tsv"));
        rows.filter_map(|row| {
            let scope = match row.get(1).copied()? {
                "own" => ScriptScope::Own,
                "project" => ScriptScope::Project,
                _ => return None,
            };
            Some((row[0], (scope, row.get(2).copied()?)))
        })
        .collect()
    });
    table.get(package).copied()
}

/// Whether Python, or pip, loads a module of this name.
pub fn is_python_module(name: &str) -> bool {
    static TABLE: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    TABLE
        .get_or_init(|| rows(include_str!("data/python-modules.tsv")).map(|row| row[0]).collect())
        .contains(name)
}
