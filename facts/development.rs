//! What only development needs; see `data/development.tsv`.

use std::borrow::Cow;
use std::sync::OnceLock;

use dockeropt_syntax::shell::Simple;

use crate::bases::matches;
use crate::command::{Call, call};
use crate::tables::{Manager, Verb, rows};
use crate::usage::pattern;

/// What a command is to development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It installs only what development needs: these packages, and what these manifests list.
    Installs {
        /// The packages.
        packages: Vec<String>,
        /// The manifests, as written.
        manifests: Vec<String>,
    },
    /// It fetches an index or deletes a cache, as belongs to an install.
    Companion,
}

/// The names of a kind.
fn names(kind: &str) -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<(&'static str, Vec<&'static str>)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let rows = rows(include_str!("data/development.tsv"));
        rows.filter_map(|row| Some((row[0], row.get(1)?.split(' ').collect()))).collect()
    });
    table.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, names)| names)
}

/// Whether a package of a manager is only for development. A version behind it doesn't count.
pub fn is_tool(manager: &str, package: &str) -> bool {
    let end = package
        .char_indices()
        .skip(1)
        .find(|(_, c)| "=<>~![@:;".contains(*c))
        .map_or(package.len(), |(at, _)| at);
    let name = package[..end].trim().to_ascii_lowercase();
    !name.is_empty() && names(manager).iter().any(|pattern| matches(pattern, &name))
}

/// Whether a path names a manifest of what only development needs.
pub fn is_manifest(path: &str) -> bool {
    let path = path.trim_start_matches("./");
    names("manifest").iter().any(|name| path == *name || path.ends_with(&format!("/{name}")))
}

/// Every name in the table of programs that may be called by it: `pytest`, `nodemon`.
pub fn programs() -> impl Iterator<Item = &'static str> {
    let kinds = ["pip", "npm", "gem", "apt", "go", "cargo"];
    kinds.into_iter().flat_map(names).copied().filter(|name| !name.contains(['*', '/']))
}

/// What a simple command is to development; `None` if it does, or may do, anything else. `text` is what its
/// spans are places in.
pub fn part(simple: &Simple<'_>, text: &str) -> Option<Part> {
    if !simple.redirections.is_empty() {
        return None;
    }
    let call = call(simple)?;
    let is_deletion = call.managed.is_none() && call.program == "rm";
    if is_deletion {
        let words = simple.words[call.at + 1..].iter().map(|word| pattern(word, text));
        return words.collect::<Option<Vec<_>>>().filter(|words| is_cleanup(words)).map(|_| Part::Companion);
    }
    let words: Vec<&str> = call.arguments().collect::<Option<_>>()?;
    match (&call.managed, call.program) {
        (Some(managed), _) => match managed.verb {
            Verb::Update | Verb::Clean => Some(Part::Companion),
            Verb::Install => installs(&call, managed.manager, &words),
            _ => None,
        },
        (None, "pipenv") => by_option(&words, "install", &["--dev", "-d"]),
        (None, "poetry") => by_option(&words, "install", &["--only=dev", "--only=test"]),
        (None, "go" | "cargo") => {
            let [verb, packages @ ..] = &words[..] else { return None };
            let packages: Vec<&str> =
                packages.iter().copied().filter(|word| !word.starts_with('-')).collect();
            let name = |package: &str| {
                package.split('@').next().unwrap_or(package).rsplit('/').next().map(str::to_owned)
            };
            let tools: Vec<String> = packages.iter().filter_map(|package| name(package)).collect();
            let all = !tools.is_empty() && tools.iter().all(|tool| is_tool(call.program, tool));
            (*verb == "install" && all).then_some(Part::Installs { packages: tools, manifests: Vec::new() })
        }
        _ => None,
    }
}

/// `pipenv install --dev`: what it installs is not spelled out.
fn by_option(words: &[&str], verb: &str, options: &[&str]) -> Option<Part> {
    let has = words.iter().any(|word| options.contains(word));
    (words.first() == Some(&verb) && has)
        .then(|| Part::Installs { packages: Vec::new(), manifests: Vec::new() })
}

fn installs(call: &Call<'_, '_>, manager: Manager, words: &[&str]) -> Option<Part> {
    let managed = call.managed.as_ref()?;
    let word = |at: usize| call.simple.words[at].literal();
    let packages: Vec<String> =
        managed.operands.iter().map(|&at| word(at).map(str::to_owned)).collect::<Option<_>>()?;
    let mut manifests = Vec::new();
    for &(option, value) in &managed.options {
        let (name, joined) =
            word(option)?.split_once('=').map_or((word(option)?, None), |(name, value)| (name, Some(value)));
        if matches!((manager, name), (Manager::Pip, "-r" | "--requirement")) {
            manifests.push(joined.or(value.and_then(word))?.to_owned());
        }
        if matches!(
            (manager, name),
            (Manager::Pip, "-e" | "--editable" | "-t" | "--target" | "-U" | "--upgrade")
        ) {
            return None;
        }
    }
    let dev_only = match manager {
        // What is installed as a dependency of development is so whatever its name.
        Manager::Npm => words
            .iter()
            .any(|word| matches!(*word, "-D" | "--save-dev" | "--only=dev" | "--only=development")),
        Manager::Yarn => words.iter().any(|word| matches!(*word, "-D" | "--dev")) && words.contains(&"add"),
        Manager::Composer => words.contains(&"--dev") && words.first() == Some(&"require"),
        _ => false,
    };
    let tools = packages
        .iter()
        .all(|package| package == "global" || package == "add" || is_tool(manager.name(), package));
    let named = !packages.is_empty() || !manifests.is_empty();
    let only_manifests = manifests.iter().all(|path| is_manifest(path));
    let is_part = dev_only || (named && tools && only_manifests);
    is_part.then_some(Part::Installs { packages, manifests })
}

/// Whether all that an `rm` deletes is a cache.
fn is_cleanup(words: &[Cow<'_, str>]) -> bool {
    let caches =
        ["/var/lib/apt/lists", "/var/cache/apt", "/var/cache/apk", "/root/.cache", "/root/.npm", "/tmp/"];
    let mut paths = words.iter().filter(|word| !word.starts_with('-')).peekable();
    paths.peek().is_some() && paths.all(|path| caches.iter().any(|cache| path.starts_with(cache)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockeropt_syntax::LogicalSpan;
    use dockeropt_syntax::shell::parse;

    fn of(text: &str) -> Option<Part> {
        let list = parse(text, LogicalSpan::new(0, text.len())).ok()?;
        part(list.entries[0].pipeline.simple()?, text)
    }

    #[test]
    fn installs_of_tools_are_told_from_others() {
        for text in [
            "pip install -r requirements-dev.txt",
            "pip install --no-cache-dir --requirement=requirements/dev.txt pytest",
            "python -m pip install pytest==7.0 black 'mypy>=1'",
            "npm install --only=dev",
            "npm install -g nodemon eslint@8",
            "npm i --save-dev anything",
            "yarn add --dev anything",
            "apt-get install -y --no-install-recommends gdb valgrind",
            "gem install rubocop -v 1.0",
            "pipenv install --dev",
            "poetry install --only=dev",
            "go install github.com/go-delve/delve/cmd/dlv@latest",
            "cargo install cargo-watch",
            "composer require --dev anything",
        ] {
            assert!(matches!(of(text), Some(Part::Installs { .. })), "{text}: {:?}", of(text));
        }
        for text in
            ["apt-get update", "rm -rf /var/lib/apt/lists/*", "npm cache clean --force", "apt-get clean"]
        {
            assert_eq!(of(text), Some(Part::Companion), "{text}");
        }
        for text in [
            "pip install -r requirements.txt",
            "pip install -r requirements-dev.txt -r requirements.txt",
            "pip install pytest flask",
            "pip install -e . pytest",
            "pip install $TOOLS",
            "npm install",
            "npm ci",
            "npm install -g typescript",
            "yarn install",
            "apt-get install -y gdb curl",
            "apt-get install -y",
            "pip install --target /x pytest",
            "pip install -U pytest",
            "poetry install",
            "go install ./...",
            "rm -rf /app",
            "make",
            "pip install pytest > log",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn manifests_are_known_by_name() {
        assert!(is_manifest("requirements-dev.txt") && is_manifest("./requirements/dev.txt"));
        assert!(is_manifest("/app/requirements-test.txt"));
        assert!(
            !is_manifest("requirements.txt")
                && !is_manifest("dev.txt")
                && !is_manifest("x-requirements-dev.txt")
        );
        assert!(programs().any(|name| name == "pytest") && programs().all(|name| !name.is_empty()));
    }
}
