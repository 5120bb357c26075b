//! npm and bun.

use serde_json::Value;

use super::answer::{Answer, Needs, Question, join};
use super::node::{Package, Packages, assume_about_scripts, check_install_scripts, npmrc};
use super::options::{Known, Options};

const NPM: Known = Known {
    flags: &[
        "--force",
        "--foreground-scripts",
        "--fund",
        "--ignore-scripts",
        "--legacy-peer-deps",
        "--no-audit",
        "--no-bin-links",
        "--no-fund",
        "--no-optional",
        "--no-progress",
        "--no-save",
        "--no-update-notifier",
        "--offline",
        "--prefer-offline",
        "--prefer-dedupe",
        "--production",
        "--quiet",
        "--silent",
        "--strict-peer-deps",
        "--unsafe-perm",
        "--verbose",
        "--global",
        "-d",
        "-f",
        "-g",
        "-q",
        "-s",
        "-y",
        "--yes",
    ],
    values: &[
        "--audit",
        "--cache",
        "--fetch-retries",
        "--fetch-retry-maxtimeout",
        "--fetch-retry-mintimeout",
        "--fetch-timeout",
        "--include",
        "--install-strategy",
        "--loglevel",
        "--maxsockets",
        "--network-timeout",
        "--omit",
        "--only",
        "--prefix",
        "--progress",
        "--registry",
        "--location",
        "-C",
    ],
};

/// `npm ci`, `npm install`
pub(super) fn npm(question: &Question<'_>) -> Result<Answer, String> {
    let words = question.words;
    let verb = words.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let keeps_lock = matches!(verb, "ci" | "clean-install" | "install-clean");
    if !keeps_lock && !matches!(verb, "install" | "i") && !words.contains(&"--prefix") {
        return Ok(Answer::Other);
    }
    let options = Options::read(words, &NPM)?;
    let [verb, packages @ ..] = &options.operands[..] else { return Ok(Answer::Other) };
    let keeps_lock = matches!(*verb, "ci" | "clean-install" | "install-clean");
    if !keeps_lock && !matches!(*verb, "install" | "i") {
        return Ok(Answer::Other);
    }
    if options.has(&["-g", "--global"]) || options.value(&["--location"]) == Some("global") {
        return match packages.iter().find(|package| is_path(package)) {
            Some(path) => Err(format!("it installs {path}, which is made of the sources")),
            None => Ok(Answer::Passes(Needs { moves_programs: true, ..Needs::default() })),
        };
    }
    if let Some(package) = packages.first() {
        return Err(format!("it adds {package} to package.json, which the COPY would undo"));
    }
    if let Some(folder) = options.value(&["--cache"]).filter(|folder| question.origin(folder).is_some()) {
        return Err(format!("it writes into {folder}, where the project is"));
    }
    let prefix = options.value(&["--prefix", "-C"]).unwrap_or(".");
    let folder = super::absolute_path(question.folder, prefix);
    let question = &question.in_folder(&folder);
    let folder = question.context_folder()?;
    let root = Package::read(question, &folder)?;
    let patterns = root.workspaces()?;
    let packages = Packages::read(question, root, &patterns)?;
    let mut settings = Needs::default();
    let ignore_scripts = npmrc(question, &folder, &mut settings)? || options.has(&["--ignore-scripts"]);
    let mut needs = packages.needs(question, ignore_scripts)?;
    let locks = ["npm-shrinkwrap.json", "package-lock.json"].map(|name| join(&folder, name));
    match locks.iter().find(|path| question.has(path)) {
        Some(path) => {
            needs.files.insert(1, path.clone());
            let scripts = Lock::read(question.text(path)?, path)?;
            scripts.check(&packages, path)?;
            if !ignore_scripts {
                scripts.check_scripts(&mut needs)?;
            }
            if !keeps_lock {
                needs.assume(format!("`npm {verb}` leaves {path} as it is, as `npm ci` would"));
            }
        }
        None if keeps_lock => return Err("there is no package-lock.json for it".to_owned()),
        None => {
            needs.assume("no newer version of a package is wanted as long as only the sources change (there is no package-lock.json)");
            if !ignore_scripts {
                needs.assume("no package runs an install script that reads the project");
            }
        }
    }
    needs.merge(settings);
    Ok(Answer::Passes(needs))
}

fn is_path(package: &str) -> bool {
    package.starts_with(['.', '/', '~']) || package.ends_with(".tgz") || package.starts_with("file:")
}

/// What a lock of npm says.
struct Lock {
    version: u64,
    content: Value,
}

impl Lock {
    fn read(text: &str, path: &str) -> Result<Self, String> {
        let content: Value = serde_json::from_str(text).map_err(|_| format!("{path} is not understood"))?;
        let version = content.get("lockfileVersion").and_then(Value::as_u64).unwrap_or(1);
        Ok(Self { version, content })
    }

    /// The packages, by the folder that they are installed in.
    fn packages(&self) -> impl Iterator<Item = (&str, &Value)> {
        let packages = self.content.get("packages").and_then(Value::as_object).into_iter().flatten();
        packages.map(|(folder, package)| (folder.as_str(), package))
    }

    /// What it names must come from a registry, or be of the workspace.
    fn check(&self, workspace: &Packages, path: &str) -> Result<(), String> {
        let root = &workspace.all[0].folder;
        let is_member =
            |folder: &str| workspace.all.iter().any(|package| package.folder == join(root, folder));
        for (folder, package) in self.packages().filter(|(folder, _)| !folder.is_empty()) {
            let resolved = package.get("resolved").and_then(Value::as_str).unwrap_or_default();
            let is_link = package.get("link").and_then(Value::as_bool) == Some(true);
            let outside = !folder.contains("node_modules/") || is_link;
            let place = if is_link { resolved } else { folder };
            if (outside && !is_member(place)) || resolved.starts_with("file:") {
                return Err(format!("{path} takes {folder} from the project"));
            }
        }
        // The first version has no list of folders.
        let mut open: Vec<&Value> = self.content.get("dependencies").into_iter().collect();
        while let Some(dependencies) = open.pop() {
            for (name, package) in dependencies.as_object().into_iter().flatten() {
                let version = package.get("version").and_then(Value::as_str).unwrap_or_default();
                if version.starts_with("file:") && !workspace.is_workspace() {
                    return Err(format!("{path} takes {name} from the project"));
                }
                open.extend(package.get("dependencies"));
            }
        }
        Ok(())
    }

    fn check_scripts(&self, needs: &mut Needs) -> Result<(), String> {
        if self.version < 2 {
            let names = self.content.get("dependencies").and_then(Value::as_object).into_iter().flatten();
            return assume_about_scripts(names.map(|(name, _)| name.as_str()), needs);
        }
        let with_scripts = self.packages().filter(|(folder, package)| {
            !folder.is_empty() && package.get("hasInstallScript").and_then(Value::as_bool) == Some(true)
        });
        let names = with_scripts.map(|(folder, package)| {
            let own = package.get("name").and_then(Value::as_str);
            own.unwrap_or_else(|| folder.rsplit("node_modules/").next().unwrap_or(folder))
        });
        check_install_scripts(names, needs)
    }
}

const BUN: Known = Known {
    flags: &[
        "--frozen-lockfile",
        "--ignore-scripts",
        "--no-cache",
        "--no-progress",
        "--no-save",
        "--no-summary",
        "--production",
        "--silent",
        "--verbose",
        "-p",
    ],
    values: &["--backend", "--omit", "--registry", "--network-concurrency", "--concurrent-scripts"],
};

/// `bun install`, `bun ci`
pub(super) fn bun(question: &Question<'_>) -> Result<Answer, String> {
    let verb = question.words.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    if !matches!(verb, "install" | "i" | "ci") {
        return Ok(Answer::Other);
    }
    let options = Options::read(question.words, &BUN)?;
    if let [_, package, ..] = options.operands[..] {
        return Err(format!("it adds {package} to package.json, which the COPY would undo"));
    }
    let folder = question.context_folder()?;
    let root = Package::read(question, &folder)?;
    let patterns = root.workspaces()?;
    if root.content.contains_key("patchedDependencies") {
        return Err(format!("{} has packages patched", root.path()));
    }
    let packages = Packages::read(question, root, &patterns)?;
    let mut settings = Needs::default();
    let ignore_scripts = npmrc(question, &folder, &mut settings)? || options.has(&["--ignore-scripts"]);
    let bunfig = join(&folder, "bunfig.toml");
    if question.has(&bunfig) {
        let text = question.text(&bunfig)?;
        if text.contains("preload") || text.contains("cafile") || text.contains("globalDir") {
            return Err(format!("{bunfig} may name files of the project"));
        }
        settings.add(bunfig);
    }
    let mut needs = packages.needs(question, ignore_scripts)?;
    let locks = ["bun.lock", "bun.lockb"].map(|name| join(&folder, name));
    match locks.iter().find(|path| question.has(path)) {
        Some(path) => {
            needs.files.insert(1, path.clone());
            if path.ends_with("bun.lock") {
                let text = question.text(path)?;
                if ["file:", "link:"].iter().any(|start| text.contains(&format!("@{start}"))) {
                    return Err(format!("{path} takes a package from the project"));
                }
            }
            if !options.has(&["--frozen-lockfile"]) && verb != "ci" {
                needs.assume(format!("`bun {verb}` leaves {path} as it is, as --frozen-lockfile would"));
            }
        }
        None if verb == "ci" => return Err("there is no bun.lock for it".to_owned()),
        None => needs.assume(
            "no newer version of a package is wanted as long as only the sources change (there is no bun.lock)",
        ),
    }
    if !ignore_scripts && has_dependencies(&packages) {
        needs.assume("no package runs an install script that reads the project");
    }
    needs.merge(settings);
    Ok(Answer::Passes(needs))
}

/// Whether any package depends on another.
pub(super) fn has_dependencies(packages: &Packages) -> bool {
    let groups = ["dependencies", "devDependencies", "optionalDependencies"];
    packages.all.iter().any(|package| {
        groups.iter().any(|group| {
            package.content.get(*group).and_then(Value::as_object).is_some_and(|group| !group.is_empty())
        })
    })
}
