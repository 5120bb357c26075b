//! `package.json` and what it means for an install, whoever installs.

use std::collections::BTreeSet;

use dockeropt_facts::ignore::Ignore;
use dockeropt_facts::manifests::{ScriptScope, install_script};
use serde_json::{Map, Value};

use super::answer::{Needs, Question, folder_of, join};

/// Scripts of a project that run when its dependencies are installed.
const LIFECYCLE: [&str; 9] = [
    "preinstall",
    "install",
    "postinstall",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
    "pnpm:devPreinstall",
    "dependencies",
];

/// A `package.json`.
pub(super) struct Package {
    /// The folder of the context that it lies in.
    pub(super) folder: String,
    pub(super) content: Map<String, Value>,
}

impl Package {
    /// Reads the `package.json` of a folder.
    pub(super) fn read(question: &Question<'_>, folder: &str) -> Result<Self, String> {
        let path = join(folder, "package.json");
        let text = question.text(&path)?;
        match serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            Ok(Value::Object(content)) => Ok(Self { folder: folder.to_owned(), content }),
            _ => Err(format!("{path} is not understood")),
        }
    }

    /// Its path in the context.
    pub(super) fn path(&self) -> String {
        join(&self.folder, "package.json")
    }

    /// A text in it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.content.get(name)?.as_str()
    }

    /// It may run no script of its own.
    pub(super) fn check_scripts(&self, question: &Question<'_>) -> Result<(), String> {
        let scripts = self.content.get("scripts").and_then(Value::as_object);
        let named = |name: &&&str| scripts.is_some_and(|scripts| scripts.contains_key(**name));
        if let Some(name) = LIFECYCLE.iter().find(named) {
            return Err(format!("the script {name} of {} may need the sources", self.path()));
        }
        let addon = join(&self.folder, "binding.gyp");
        if question.has(&addon) {
            return Err(format!("{addon} has an add-on compiled at the install"));
        }
        Ok(())
    }

    /// What it depends on may not be a path, unless that is one of the workspace.
    pub(super) fn check_dependencies(&self, in_workspace: bool) -> Result<(), String> {
        const GROUPS: [&str; 7] = [
            "dependencies",
            "devDependencies",
            "optionalDependencies",
            "peerDependencies",
            "overrides",
            "resolutions",
            "catalog",
        ];
        let mut values: Vec<(&str, &str)> = Vec::new();
        for group in GROUPS {
            self.content.get(group).into_iter().for_each(|group| texts(group, &mut values));
        }
        for (name, value) in values {
            let workspace = value.starts_with("workspace:") && in_workspace;
            let path = ["file:", "link:", "portal:", "workspace:", ".", "/", "~/", "patch:"];
            let is_path = path.iter().any(|start| value.starts_with(start));
            let is_archive = !value.contains("://") && (value.contains(".tgz") || value.contains(".tar"));
            if (is_path && !workspace) || is_archive {
                return Err(format!("{} takes {name} from {value}", self.path()));
            }
        }
        Ok(())
    }

    /// Notes that Corepack, if it is in use, adds the version of the package manager to a manifest that has none.
    pub(super) fn corepack(&self, question: &Question<'_>, needs: &mut Needs) {
        let is_used = question.earlier.iter().any(|command| command.contains("corepack"));
        let is_told = question.state.variable("COREPACK_ENABLE_AUTO_PIN").is_some();
        if is_used && !is_told && !self.content.contains_key("packageManager") {
            let path = self.path();
            needs.assume(format!(
                "nothing reads the packageManager that corepack adds to {path}, which the COPY undoes"
            ));
        }
    }

    /// The patterns of its workspaces.
    pub(super) fn workspaces(&self) -> Result<Vec<String>, String> {
        let workspaces = match self.content.get("workspaces") {
            None => return Ok(Vec::new()),
            Some(Value::Object(workspaces)) => workspaces.get("packages"),
            workspaces => workspaces,
        };
        let patterns = workspaces.and_then(Value::as_array).into_iter().flatten();
        let patterns: Option<Vec<String>> =
            patterns.map(|pattern| pattern.as_str().map(str::to_owned)).collect();
        patterns.ok_or_else(|| format!("the workspaces of {} are not understood", self.path()))
    }
}

/// The texts of an object, at any depth, with their names.
fn texts<'v>(value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        match value.as_str() {
            Some(text) => found.push((name, text)),
            None => texts(value, found),
        }
    }
}

/// The packages of a project: its own and those of its workspace.
pub(super) struct Packages {
    pub(super) all: Vec<Package>,
}

impl Packages {
    /// Reads the package in a folder, and those that `patterns` name below it.
    pub(super) fn read(question: &Question<'_>, root: Package, patterns: &[String]) -> Result<Self, String> {
        let mut folders = BTreeSet::new();
        for pattern in patterns {
            let plain = pattern.trim_start_matches("./").trim_end_matches('/');
            if plain.contains(['!', '{', '(']) || plain.starts_with('.') {
                return Err(format!("the workspaces {pattern} are not understood"));
            }
            let pattern = Ignore::parse(&join(&root.folder, plain));
            let depth = plain.split('/').count();
            let found = question.project.below(&root.folder).filter(|(path, _)| {
                path.ends_with("/package.json") && !path.contains("node_modules/") && question.has(path)
            });
            folders.extend(found.map(|(path, _)| folder_of(path)).filter(|folder| {
                let below = folder.strip_prefix(&root.folder).unwrap_or(folder).trim_start_matches('/');
                let fits = plain.contains("**") || below.split('/').count() == depth;
                !below.is_empty() && fits && pattern.excludes(folder)
            }));
        }
        let mut all = vec![root];
        for folder in folders {
            all.push(Package::read(question, folder)?);
        }
        Ok(Self { all })
    }

    /// Whether there is more than one.
    pub(super) fn is_workspace(&self) -> bool {
        self.all.len() > 1
    }

    /// What all of them need to be installed.
    pub(super) fn needs(&self, question: &Question<'_>, ignore_scripts: bool) -> Result<Needs, String> {
        let mut needs = Needs::default();
        for package in &self.all {
            if !ignore_scripts {
                package.check_scripts(question)?;
            }
            package.check_dependencies(self.is_workspace())?;
            needs.add(package.path());
            needs.makes.push(join(&package.folder, "node_modules"));
        }
        // The programs of a package are linked to and made executable.
        let programs = |package: &&Package| {
            package.content.contains_key("bin") || package.content.contains_key("directories")
        };
        if let Some(package) = self.all[1..].iter().find(programs) {
            return Err(format!("{} has programs that are linked at the install", package.path()));
        }
        Ok(needs)
    }
}

/// Notes what scripts of packages may do that the install runs, given those that have some.
pub(super) fn check_install_scripts<'n>(
    packages: impl Iterator<Item = &'n str>,
    needs: &mut Needs,
) -> Result<(), String> {
    let mut unknown = BTreeSet::new();
    for package in packages {
        match install_script(package) {
            Some(ScriptScope::Own) => {}
            Some(ScriptScope::Project) => {
                return Err(format!("the install script of {package} may read the project"));
            }
            None => drop(unknown.insert(package)),
        }
    }
    let mut unknown = unknown.into_iter();
    if let Some(package) = unknown.next() {
        let others = unknown.count();
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        needs.assume(format!("the install script of {package}{more} does not read the project"));
    }
    Ok(())
}

/// Notes that it isn't known which packages have install scripts, given the names of all.
pub(super) fn assume_about_scripts<'n>(
    packages: impl Iterator<Item = &'n str>,
    needs: &mut Needs,
) -> Result<(), String> {
    let mut any = false;
    for package in packages {
        any = true;
        if install_script(package) == Some(ScriptScope::Project) {
            return Err(format!("the install script of {package} may read the project"));
        }
    }
    if any {
        needs.assume("no package runs an install script that reads the project");
    }
    Ok(())
}

/// Reads the `.npmrc` of a folder; whether it keeps scripts from running.
pub(super) fn npmrc(question: &Question<'_>, folder: &str, needs: &mut Needs) -> Result<bool, String> {
    let path = join(folder, ".npmrc");
    if !question.has(&path) {
        return Ok(false);
    }
    const FILES: [&str; 12] = [
        "cache",
        "cafile",
        "cert-file",
        "certfile",
        "globalconfig",
        "keyfile",
        "modules-dir",
        "prefix",
        "script-shell",
        "store-dir",
        "userconfig",
        "virtual-store-dir",
    ];
    let text = question.text(&path)?;
    let mut ignores = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let (name, value) = (name.trim(), value.trim());
        let is_absolute = value.starts_with('/') && question.origin(value).is_none();
        if (FILES.contains(&name) && !is_absolute) || name == "node-options" {
            return Err(format!("{path} sets {name}"));
        }
        ignores |= name == "ignore-scripts" && value == "true";
    }
    needs.add(path);
    Ok(ignores)
}
