//! Poetry, uv, Pipenv and PDM.

use toml::{Table, Value};

use super::answer::{Answer, Needs, Question, is_anything_sent, join};
use super::options::{Known, Options};
use super::pip;

const POETRY: Known = Known {
    flags: &[
        "--all-extras",
        "--all-groups",
        "--compile",
        "--no-ansi",
        "--no-cache",
        "--no-dev",
        "--no-directory",
        "--no-interaction",
        "--no-root",
        "--quiet",
        "--sync",
        "--verbose",
        "-n",
        "-q",
        "-v",
    ],
    values: &["--extras", "--only", "--with", "--without", "-E"],
};

/// `poetry install`, `poetry sync`
pub(super) fn poetry(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &POETRY)?;
    if !matches!(options.operands[..], ["install" | "sync"]) {
        return Ok(Answer::Other);
    }
    let folder = question.context_folder()?;
    let path = join(&folder, "pyproject.toml");
    let project = read(question, &path)?;
    let mut needs = Needs::default();
    needs.add(path.clone());
    let own = table(&project, &["tool", "poetry"]);
    check_paths(&project, &path)?;
    if own.contains_key("requires-plugins") || project.contains_key("plugins") {
        return Err(format!("{path} requires plugins"));
    }
    lock(question, &join(&folder, "poetry.lock"), &mut needs, |lock| {
        ["\"directory\"", "\"file\""].iter().any(|kind| lock.contains(&format!("type = {kind}")))
    })?;
    let settings = join(&folder, "poetry.toml");
    if question.has(&settings) {
        if question.text(&settings)?.contains("path") {
            return Err(format!("{settings} sets a path"));
        }
        needs.add(settings);
    }
    needs.makes.push(join(&folder, ".venv"));
    let is_package = own.get("package-mode").and_then(Value::as_bool) != Some(false);
    Ok(with_root(question, needs, is_package && !options.has(&["--no-root"]), "--no-root"))
}

/// What is answered where the project itself may be installed, too: a command with another option does the
/// rest before.
fn with_root(question: &Question<'_>, needs: Needs, installs_root: bool, option: &str) -> Answer {
    if installs_root {
        Answer::Prepared(needs, vec![format!("{} {option}", question.command())])
    } else {
        Answer::Passes(needs)
    }
}

const UV: Known = Known {
    flags: &[
        "--all-extras",
        "--all-groups",
        "--compile-bytecode",
        "--frozen",
        "--inexact",
        "--locked",
        "--native-tls",
        "--no-cache",
        "--no-default-groups",
        "--no-dev",
        "--no-editable",
        "--no-install-project",
        "--no-install-workspace",
        "--no-progress",
        "--no-python-downloads",
        "--offline",
        "--quiet",
        "--system",
        "--verbose",
        "--no-deps",
        "--no-compile",
        "--upgrade",
        "--break-system-packages",
        "--require-hashes",
        "--pre",
        "-U",
        "-n",
        "-q",
        "-v",
    ],
    values: &[
        "--constraint",
        "--constraints",
        "--default-index",
        "--extra",
        "--extra-index-url",
        "--find-links",
        "--group",
        "--index",
        "--index-strategy",
        "--index-url",
        "--link-mode",
        "--no-group",
        "--only-group",
        "--prefix",
        "--prerelease",
        "--python",
        "--requirement",
        "--requirements",
        "--resolution",
        "--target",
        "-c",
        "-f",
        "-i",
        "-p",
        "-r",
    ],
};

/// `uv sync`, `uv pip install`
pub(super) fn uv(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &UV)?;
    let folder = question.context_folder()?;
    let path = join(&folder, "pyproject.toml");
    let settings = join(&folder, "uv.toml");
    let mut needs = Needs::default();
    match &options.operands[..] {
        ["pip", "install", packages @ ..] => {
            needs.merge(pip::install(question, &options, packages)?);
            // Its settings are looked for in the working folder.
            if question.has(&path) && question.text(&path)?.contains("[tool.uv") {
                needs.add(path);
            }
            if !options.has(&["--system"]) {
                needs.makes.push(join(&folder, ".venv"));
            }
            needs.moves_programs = true;
        }
        ["sync"] => {
            let project = read(question, &path)?;
            needs.add(path.clone());
            let own = table(&project, &["tool", "uv"]);
            if own.contains_key("workspace") {
                return Err(format!("{path} is of a workspace"));
            }
            check_paths(&project, &path)?;
            let is_frozen = options.has(&["--frozen"]);
            let about = table(&project, &["project"]);
            if about.contains_key("dynamic") && !is_frozen {
                return Err(format!("{path} takes metadata from the sources"));
            }
            let file = join(&folder, "uv.lock");
            lock(question, &file, &mut needs, |lock| {
                let sources = ["editable = \"", "virtual = \"", "directory = \"", "path = \""];
                sources.iter().flat_map(|kind| lock.split(kind).skip(1)).any(|rest| !rest.starts_with(".\""))
            })?;
            if question.has(&file) && !is_frozen && !options.has(&["--locked"]) {
                needs.assume(format!("`uv sync` leaves {file} as it is, as --locked would"));
            }
            let version = join(&folder, ".python-version");
            if question.has(&version) {
                needs.add(version);
            }
            needs.makes.push(join(&folder, ".venv"));
        }
        _ => return Ok(Answer::Other),
    }
    if question.has(&settings) {
        if question.text(&settings)?.contains("path") {
            return Err(format!("{settings} sets a path"));
        }
        needs.add(settings);
    }
    if options.operands[0] == "pip" {
        return Ok(Answer::Passes(needs));
    }
    let project = read(question, &join(&folder, "pyproject.toml"))?;
    let declared = table(&project, &["tool", "uv"]).get("package").and_then(Value::as_bool);
    let is_package = declared.unwrap_or(project.contains_key("build-system"));
    let without = options.has(&["--no-install-project", "--no-install-workspace"]);
    Ok(with_root(question, needs, is_package && !without, "--no-install-project"))
}

const PIPENV: Known = Known {
    flags: &[
        "--clear",
        "--deploy",
        "--dev",
        "--ignore-pipfile",
        "--keep-outdated",
        "--quiet",
        "--skip-lock",
        "--system",
        "--verbose",
        "-d",
        "-v",
    ],
    values: &["--categories", "--extra-pip-args", "--python", "--pypi-mirror"],
};

/// `pipenv install`, `pipenv sync`
pub(super) fn pipenv(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &PIPENV)?;
    let [verb @ ("install" | "sync"), packages @ ..] = &options.operands[..] else {
        return Ok(Answer::Other);
    };
    if let Some(package) = packages.first() {
        return Err(format!("it adds {package} to Pipfile, which the COPY would undo"));
    }
    let folder = question.context_folder()?;
    let path = join(&folder, "Pipfile");
    let project = read(question, &path)?;
    let mut needs = Needs { moves_programs: true, ..Needs::default() };
    needs.add(path.clone());
    check_paths(&project, &path)?;
    let file = join(&folder, "Pipfile.lock");
    if options.has(&["--skip-lock"]) {
        needs.assume(format!(
            "no newer version of a package is wanted as long as only the sources change ({path} is installed \
             without a lock)"
        ));
        if question.has(&file) {
            needs.add(file);
        }
    } else {
        lock(question, &file, &mut needs, |lock| {
            ["\"editable\":", "\"path\":", "\"file\":"].iter().any(|kind| lock.contains(kind))
        })?;
        let keeps = *verb == "sync" || options.has(&["--deploy", "--ignore-pipfile"]);
        if question.has(&file) && !keeps {
            needs.assume(format!("`pipenv install` leaves {file} as it is, as --deploy would"));
        }
    }
    needs.makes.push(join(&folder, ".venv"));
    Ok(Answer::Passes(needs))
}

const PDM: Known = Known {
    flags: &[
        "--check",
        "--clean",
        "--dev",
        "--fail-fast",
        "--frozen-lockfile",
        "--no-default",
        "--no-editable",
        "--no-isolation",
        "--no-lock",
        "--no-self",
        "--prod",
        "--production",
        "--quiet",
        "--verbose",
        "-q",
        "-v",
        "-x",
    ],
    values: &["--group", "--with", "--without", "-G"],
};

/// `pdm install`, `pdm sync`
pub(super) fn pdm(question: &Question<'_>) -> Result<Answer, String> {
    let options = Options::read(question.words, &PDM)?;
    let [verb @ ("install" | "sync")] = options.operands[..] else { return Ok(Answer::Other) };
    let folder = question.context_folder()?;
    let path = join(&folder, "pyproject.toml");
    let project = read(question, &path)?;
    let mut needs = Needs::default();
    needs.add(path.clone());
    check_paths(&project, &path)?;
    let own = table(&project, &["tool", "pdm"]);
    let hooks = table(&project, &["tool", "pdm", "scripts"]);
    if let Some(name) = hooks.keys().find(|name| name.starts_with("pre_") || name.starts_with("post_")) {
        return Err(format!("the script {name} of {path} may need the sources"));
    }
    if table(&project, &["project"]).contains_key("dynamic") && !options.has(&["--no-self"]) {
        return Err(format!("{path} takes metadata from the sources"));
    }
    if own.contains_key("plugins") {
        return Err(format!("{path} requires plugins"));
    }
    let file = join(&folder, "pdm.lock");
    lock(question, &file, &mut needs, |lock| lock.lines().any(|line| line.starts_with("path = ")))?;
    let keeps = verb == "sync" || options.has(&["--frozen-lockfile", "--no-lock", "--check"]);
    if question.has(&file) && !keeps {
        needs.assume(format!("`pdm install` leaves {file} as it is, as --frozen-lockfile would"));
    }
    for name in ["pdm.toml", ".pdm-python", ".pdm-plugins", "__pypackages__"] {
        let path = join(&folder, name);
        if is_anything_sent(question.project, &path) {
            return Err(format!("{path} comes with the project"));
        }
    }
    needs.makes.push(join(&folder, ".venv"));
    let is_package = own.get("distribution").and_then(Value::as_bool) != Some(false);
    Ok(with_root(question, needs, is_package && !options.has(&["--no-self"]), "--no-self"))
}

/// Reads a manifest.
pub(super) fn read(question: &Question<'_>, path: &str) -> Result<Table, String> {
    let text = question.text(path)?;
    text.parse().map_err(|_| format!("{path} is not understood"))
}

/// A table within others; empty if there is none.
pub(super) fn table(root: &Table, path: &[&str]) -> Table {
    let mut at = root;
    for name in path {
        match at.get(*name).and_then(Value::as_table) {
            Some(inner) => at = inner,
            None => return Table::new(),
        }
    }
    at.clone()
}

/// Adds a lock, of which `names_paths` tells whether it takes packages from the project.
fn lock(
    question: &Question<'_>,
    path: &str,
    needs: &mut Needs,
    names_paths: impl Fn(&str) -> bool,
) -> Result<(), String> {
    if !question.has(path) {
        let name = path.rsplit('/').next().unwrap_or(path);
        needs.assume(format!(
            "no newer version of a package is wanted as long as only the sources change (there is no {name})"
        ));
        return Ok(());
    }
    if names_paths(question.text(path)?) {
        return Err(format!("{path} takes a package from the project"));
    }
    needs.add(path);
    Ok(())
}

/// No dependency may be a path. Everything below a table of dependencies or sources is looked at.
fn check_paths(project: &Table, path: &str) -> Result<(), String> {
    let mut open: Vec<(&str, &Value, bool)> =
        project.iter().map(|(name, value)| (name.as_str(), value, is_about_packages(name))).collect();
    while let Some((name, value, about_packages)) = open.pop() {
        match value {
            Value::Table(table) => {
                let named = table.get("path").or_else(|| table.get("editable")).or_else(|| table.get("file"));
                let workspace = table.get("workspace");
                if about_packages && (named.is_some() || workspace.is_some()) {
                    return Err(format!("{path} takes {name} from the project"));
                }
                let inner = table.iter();
                open.extend(
                    inner.map(|(key, value)| (key.as_str(), value, about_packages || is_about_packages(key))),
                );
            }
            Value::Array(values) => open.extend(values.iter().map(|value| (name, value, about_packages))),
            Value::String(text) if about_packages => {
                let is_path = text.contains("file:") || text.starts_with("-e") || text.contains("@ .");
                if is_path || text.starts_with(['.', '/']) {
                    return Err(format!("{path} takes {text} from the project"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether what lies in a table tells of packages.
fn is_about_packages(name: &str) -> bool {
    name.contains("dependencies")
        || matches!(name, "packages" | "dev-packages" | "sources" | "dependency-groups")
}
