//! Yarn, the first version and those after it ("Berry").

use dockeropt_facts::project::EntryKind;

use super::answer::{Answer, Needs, Question, is_anything_sent, join};
use super::node::{Package, Packages, assume_about_scripts, npmrc};
use super::options::{Known, Options};

const KNOWN: Known = Known {
    flags: &[
        "--check-cache",
        "--check-files",
        "--force",
        "--frozen-lockfile",
        "--ignore-engines",
        "--ignore-optional",
        "--ignore-platform",
        "--ignore-scripts",
        "--immutable",
        "--immutable-cache",
        "--inline-builds",
        "--link-duplicates",
        "--network-concurrency",
        "--no-bin-links",
        "--no-immutable",
        "--no-progress",
        "--non-interactive",
        "--offline",
        "--prefer-offline",
        "--prod",
        "--production",
        "--pure-lockfile",
        "--silent",
        "--verbose",
        "-s",
    ],
    values: &["--cache-folder", "--cwd", "--mode", "--mutex", "--network-timeout", "--registry"],
};

/// `yarn`, `yarn install`
pub(super) fn yarn(question: &Question<'_>) -> Result<Answer, String> {
    if !matches!(question.words.iter().find(|word| !word.starts_with('-')), None | Some(&"install"))
        && !question.words.contains(&"install")
    {
        return Ok(Answer::Other);
    }
    let options = Options::read(question.words, &KNOWN)?;
    if !matches!(options.operands[..], [] | ["install"]) {
        return Ok(Answer::Other);
    }
    if let Some(folder) =
        options.value(&["--cache-folder"]).filter(|folder| question.origin(folder).is_some())
    {
        return Err(format!("it writes into {folder}, where the project is"));
    }
    let folder = super::absolute_path(question.folder, options.value(&["--cwd"]).unwrap_or("."));
    let question = &question.in_folder(&folder);
    let folder = question.context_folder()?;
    let root = Package::read(question, &folder)?;
    let patterns = root.workspaces()?;
    let manager = root.text("packageManager").unwrap_or_default().to_owned();
    let mut needs = Needs::default();
    root.corepack(question, &mut needs);
    let packages = Packages::read(question, root, &patterns)?;
    let path = join(&folder, "yarn.lock");
    let lock = if question.has(&path) { Some(question.text(&path)?) } else { None };
    let is_berry = lock.is_some_and(|lock| lock.contains("__metadata:"))
        || question.has(&join(&folder, ".yarnrc.yml"))
        || (manager.starts_with("yarn@") && !manager.starts_with("yarn@1"));
    let settings = if is_berry {
        berry(question, &folder, &mut needs)?
    } else {
        first_version(question, &folder, &mut needs)?
    };
    let ignore_scripts = settings.ignores_scripts
        || options.has(&["--ignore-scripts"])
        || (is_berry && options.value(&["--mode"]) == Some("skip-build"));
    let mut all = packages.needs(question, ignore_scripts)?;
    match lock {
        Some(lock) => {
            all.files.insert(1, path.clone());
            let members: Vec<String> = packages.all.iter().map(|it| it.folder.clone()).collect();
            check_lock(lock, &path, &folder, &members)?;
            let keeps = if is_berry { ["--immutable"] } else { ["--frozen-lockfile"] };
            if !options.has(&keeps) {
                all.assume(format!("`yarn install` leaves {path} as it is, as {} would", keeps[0]));
            }
            if !ignore_scripts {
                assume_about_scripts(names(lock), &mut all)?;
            }
        }
        None => {
            all.assume("no newer version of a package is wanted as long as only the sources change (there is no yarn.lock)");
            if !ignore_scripts {
                all.assume("no package runs an install script that reads the project");
            }
        }
    }
    all.merge(needs);
    Ok(Answer::Passes(all))
}

/// What the settings of Yarn say.
struct Settings {
    ignores_scripts: bool,
}

/// The settings of Yarn 1.
fn first_version(question: &Question<'_>, folder: &str, needs: &mut Needs) -> Result<Settings, String> {
    let mut ignores_scripts = npmrc(question, folder, needs)?;
    let path = join(folder, ".yarnrc");
    if question.has(&path) {
        needs.add(path.clone());
        for line in question.text(&path)?.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let value = value.trim().trim_matches('"');
            match name {
                "" | "registry" | "network-timeout" | "strict-ssl" | "lastUpdateCheck" | "save-prefix" => {}
                "yarn-path" => needs.add(file(question, folder, value, &path)?),
                "ignore-scripts" | "--ignore-scripts" | "--install.ignore-scripts" => {
                    ignores_scripts |= value == "true";
                }
                _ => return Err(format!("{path} sets {name}")),
            }
        }
    }
    Ok(Settings { ignores_scripts })
}

/// A file that settings name.
fn file(question: &Question<'_>, folder: &str, value: &str, by: &str) -> Result<String, String> {
    let path = join(folder, value);
    if value.starts_with('/') || value.contains("..") || !question.has(&path) {
        return Err(format!("{by} names {value}, which is not in the build context"));
    }
    Ok(path)
}

/// The settings of later versions, and what lies in `.yarn`.
fn berry(question: &Question<'_>, folder: &str, needs: &mut Needs) -> Result<Settings, String> {
    let mut ignores_scripts = false;
    let path = join(folder, ".yarnrc.yml");
    if question.has(&path) {
        needs.add(path.clone());
        // Only settings at the start of a line matter: what is indented is a part of one.
        for line in question.text(&path)?.lines().filter(|line| !line.starts_with(['#', ' ', '-', '\t'])) {
            let (name, value) = line.split_once(':').unwrap_or((line.trim(), ""));
            let value = value.trim().trim_matches(['"', '\'']);
            match name {
                ""
                | "nodeLinker"
                | "enableTelemetry"
                | "compressionLevel"
                | "enableGlobalCache"
                | "npmRegistryServer"
                | "npmScopes"
                | "npmRegistries"
                | "npmAuthToken"
                | "npmAlwaysAuth"
                | "httpTimeout"
                | "httpRetry"
                | "networkConcurrency"
                | "logFilters"
                | "packageExtensions"
                | "supportedArchitectures"
                | "nmHoistingLimits"
                | "nmMode"
                | "pnpMode"
                | "pnpFallbackMode"
                | "enableProgressBars"
                | "enableInlineBuilds"
                | "enableImmutableInstalls"
                | "defaultSemverRangePrefix"
                | "checksumBehavior"
                | "plugins"
                | "approvedGitRepositories"
                | "npmMinimalAgeGate"
                | "npmPublishAccess"
                | "unsafeHttpWhitelist" => {}
                "yarnPath" => needs.add(file(question, folder, value, &path)?),
                "enableScripts" => ignores_scripts |= value == "false",
                _ => return Err(format!("{path} sets {name}")),
            }
        }
        if question.text(&path)?.lines().any(|line| line.starts_with("plugins:")) {
            needs.assume("the plugins of Yarn don't read the sources");
        }
    }
    // What Yarn itself writes there must not come with the project.
    for name in [
        ".pnp.cjs",
        ".pnp.loader.mjs",
        ".yarn/cache",
        ".yarn/unplugged",
        ".yarn/install-state.gz",
        ".yarn/build-state.yml",
    ] {
        let path = join(folder, name);
        if is_anything_sent(question.project, &path) {
            return Err(format!("{path} comes with the project"));
        }
        needs.makes.push(path);
    }
    for part in ["plugins", "patches", "releases"] {
        let inside = join(folder, &format!(".yarn/{part}"));
        let files = question.project.below(&inside).filter(|(path, _)| question.project.is_sent(path));
        for (path, entry) in files {
            match entry.kind {
                EntryKind::File => needs.add(path),
                EntryKind::Folder => {}
                EntryKind::Link => return Err(format!("{path} is a link")),
            }
        }
    }
    Ok(Settings { ignores_scripts })
}

/// What a lock names must come from a registry, or be of the workspace.
fn check_lock(lock: &str, path: &str, folder: &str, members: &[String]) -> Result<(), String> {
    let message = |what: &str| format!("{path} takes {what} from the project");
    for line in lock.lines().map(str::trim) {
        let Some((_, rest)) = line.split_once("@workspace:") else {
            for kind in ["@file:", "@link:", "@portal:", "@exec:", "resolved \"file:", "resolved \"./"] {
                if line.contains(kind) {
                    return Err(message(line.split(['"', ',']).find(|it| it.contains('@')).unwrap_or(line)));
                }
            }
            continue;
        };
        let member = rest.split(['"', ',', '#']).next().unwrap_or_default();
        let is_range = member.contains(['*', '^', '~']) || member.is_empty();
        if !is_range && !members.contains(&join(folder, member)) {
            return Err(message(member));
        }
    }
    Ok(())
}

/// The names of the packages in a lock of either kind, those of the workspace apart.
fn names(lock: &str) -> impl Iterator<Item = &str> {
    let entries = lock.lines().filter(|line| !line.starts_with([' ', '#']) && line.ends_with(':'));
    entries.filter(|line| !line.contains("@workspace:")).filter_map(|line| {
        let first = line.trim_end_matches(':').split(',').next()?.trim().trim_matches('"');
        let end = first.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at)?;
        Some(&first[..end])
    })
}
