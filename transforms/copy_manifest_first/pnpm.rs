//! pnpm.

use super::answer::{Answer, Needs, Question, join};
use super::node::{Package, Packages, npmrc};
use super::npm::has_dependencies;
use super::options::{Known, Options};

const KNOWN: Known = Known {
    flags: &[
        "--dev",
        "--force",
        "--frozen-lockfile",
        "--ignore-scripts",
        "--no-optional",
        "--no-strict-peer-dependencies",
        "--offline",
        "--prefer-offline",
        "--prod",
        "--production",
        "--recursive",
        "--shamefully-hoist",
        "--silent",
        "--strict-peer-dependencies",
        "--use-stderr",
        "-D",
        "-P",
        "-r",
        "-s",
    ],
    values: &[
        "--child-concurrency",
        "--dir",
        "--fetch-retries",
        "--fetch-timeout",
        "--loglevel",
        "--network-concurrency",
        "--registry",
        "--reporter",
        "--store-dir",
        "-C",
    ],
};

/// `pnpm install`, `pnpm fetch`
pub(super) fn pnpm(question: &Question<'_>) -> Result<Answer, String> {
    let verb = question.words.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    if !matches!(verb, "install" | "i" | "fetch") && !question.words.contains(&"-C") {
        return Ok(Answer::Other);
    }
    let options = Options::read(question.words, &KNOWN)?;
    let [verb, packages @ ..] = &options.operands[..] else { return Ok(Answer::Other) };
    if let Some(package) = packages.first() {
        return Err(format!("it adds {package} to package.json, which the COPY would undo"));
    }
    let store = options.value(&["--store-dir"]);
    if let Some(folder) = store.filter(|folder| question.origin(folder).is_some()) {
        return Err(format!("it writes into {folder}, where the project is"));
    }
    let folder = super::absolute_path(question.folder, options.value(&["--dir", "-C"]).unwrap_or("."));
    let question = &question.in_folder(&folder);
    let folder = question.context_folder()?;
    let path = join(&folder, "pnpm-lock.yaml");
    let lock = if question.has(&path) { Some(question.text(&path)?) } else { None };
    let mut settings = Needs::default();
    let ignore_scripts = npmrc(question, &folder, &mut settings)? || options.has(&["--ignore-scripts"]);
    let patterns = workspace(question, &folder, &mut settings)?;
    hooks(question, &folder, &mut settings)?;
    let root = Package::read(question, &folder)?;
    root.corepack(question, &mut settings);
    let packages = Packages::read(question, root, &patterns)?;
    let mut needs = match *verb {
        // The lock is all that it reads.
        "fetch" => {
            let lock = join(&folder, "node_modules");
            Needs { makes: vec![lock], ..Needs::default() }
        }
        "install" | "i" => packages.needs(question, ignore_scripts)?,
        _ => return Ok(Answer::Other),
    };
    match lock {
        Some(lock) => {
            needs.files.insert(usize::from(!needs.files.is_empty()), path.clone());
            check_lock(lock, &path, packages.is_workspace())?;
            patches(question, lock, &folder, &mut needs)?;
            if *verb != "fetch" && !options.has(&["--frozen-lockfile"]) {
                needs.assume(format!("`pnpm {verb}` leaves {path} as it is, as --frozen-lockfile would"));
            }
        }
        None if *verb == "fetch" => return Err("there is no pnpm-lock.yaml for it".to_owned()),
        None => needs.assume(
            "no newer version of a package is wanted as long as only the sources change (there is no \
             pnpm-lock.yaml)",
        ),
    }
    if *verb != "fetch" && !ignore_scripts && has_dependencies(&packages) {
        needs.assume("no package runs an install script that reads the project");
    }
    needs.merge(settings);
    Ok(Answer::Passes(needs))
}

/// The patterns of a workspace.
fn workspace(question: &Question<'_>, folder: &str, needs: &mut Needs) -> Result<Vec<String>, String> {
    let path = join(folder, "pnpm-workspace.yaml");
    if !question.has(&path) {
        return Ok(Vec::new());
    }
    needs.add(path.clone());
    let mut patterns = Vec::new();
    let mut in_packages = false;
    for line in question.text(&path)?.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with([' ', '-', '\t']) {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            in_packages = name == "packages";
            match name {
                "packages" if value.trim().is_empty() => {}
                "catalog"
                | "catalogs"
                | "onlyBuiltDependencies"
                | "ignoredBuiltDependencies"
                | "minimumReleaseAge"
                | "nodeLinker"
                | "linkWorkspacePackages"
                | "shamefullyHoist"
                | "autoInstallPeers"
                | "strictPeerDependencies"
                | "savePrefix"
                | "overrides"
                | "patchedDependencies" => {}
                _ => return Err(format!("{path} sets {name}")),
            }
        } else if in_packages {
            let pattern = line.trim().strip_prefix('-').unwrap_or_default().trim();
            patterns.push(pattern.trim_matches(['"', '\'']).to_owned());
        } else if ["link:", "file:"].iter().any(|start| line.contains(start)) {
            return Err(format!("{path} takes a package from the project"));
        }
    }
    patterns.retain(|pattern| pattern != ".");
    Ok(patterns)
}

/// `.pnpmfile.cjs` may only load itself.
fn hooks(question: &Question<'_>, folder: &str, needs: &mut Needs) -> Result<(), String> {
    for name in [".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"] {
        let path = join(folder, name);
        if !question.has(&path) {
            continue;
        }
        let text = question.text(&path)?;
        if ["require(", "import", "fs", "process"].iter().any(|word| text.contains(word)) {
            return Err(format!("{path} may read other files"));
        }
        needs.add(path);
    }
    Ok(())
}

/// What a lock names must come from a registry, or be of the workspace.
fn check_lock(lock: &str, path: &str, is_workspace: bool) -> Result<(), String> {
    for line in lock.lines() {
        let line = line.trim();
        let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_matches(['"', '\'']);
        if value.starts_with("file:") || line.contains("@file:") || line.starts_with("directory:") {
            return Err(format!("{path} takes a package from the project"));
        }
        if value.starts_with("link:") && !is_workspace {
            return Err(format!("{path} takes a package from {}", &value["link:".len()..]));
        }
    }
    Ok(())
}

/// The patches that a lock names.
fn patches(question: &Question<'_>, lock: &str, folder: &str, needs: &mut Needs) -> Result<(), String> {
    let mut inside = false;
    let mut names = 0;
    let mut found = 0;
    for line in lock.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            inside = line.starts_with("patchedDependencies:");
        } else if inside && line.starts_with("  ") && !line.starts_with("   ") {
            names += 1;
        } else if inside && let Some(path) = line.trim().strip_prefix("path: ") {
            let path = join(folder, path.trim_matches(['"', '\'']));
            if !question.has(&path) {
                return Err(format!("{path} is not in the build context"));
            }
            needs.add(path);
            found += 1;
        }
    }
    if names == found { Ok(()) } else { Err("which patches pnpm applies is not known".to_owned()) }
}
