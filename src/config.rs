//! `dockeropt.toml`: what a project chooses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockeropt_facts::builds::{Builds, Engine, Version};
use dockeropt_facts::knowledge::{Knowledge, Table};
use dockeropt_syntax::{LineIndex, nearest};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::Deserialize;
use toml::Spanned;

use crate::list;
use crate::problem::describe;

/// The name of the file.
pub(crate) const NAME: &str = "dockeropt.toml";

/// What a project chooses; everything may be left out.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it says so; `None` if there is no such file.
    pub path: Option<PathBuf>,
    /// The transforms of later editions don't run unless they are named.
    pub edition: Option<u32>,
    /// The fixes that were there before, which are not reported; a path relative to the current folder.
    pub baseline: Option<PathBuf>,
    /// The files with rows of our own, and their paths as they are written.
    pub tables: Vec<PathBuf>,
    /// What they say, with what the program comes with; `None` without such files.
    pub knowledge: Option<Arc<Knowledge>>,
    /// What holds for all files.
    pub selection: Selection,
    /// What holds for some files, in order; the last one that says something counts.
    pub overrides: Vec<Override>,
}

/// What may be chosen for all files or for some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// These transforms run and no others; empty means all.
    pub only: Vec<String>,
    /// These transforms don't run.
    pub skip: Vec<String>,
    /// These transforms run, too, though they are off by default.
    pub enable: Vec<String>,
    /// Whether fixes with claims or assumptions are applied.
    pub allow_unsafe: Option<bool>,
    /// When RUNs are joined.
    pub merge_when: Option<When>,
    /// The program that builds.
    pub engine: Option<Engine>,
    /// The version of the Dockerfile syntax that it reads.
    pub syntax: Option<Version>,
}

/// What holds for the files below some paths.
#[derive(Clone, Debug)]
pub struct Override {
    paths: Gitignore,
    selection: Selection,
}

/// When RUNs are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// When it makes the image smaller or the cache right.
    #[default]
    Pays,
    /// Whenever it is right; what gains nothing but a layer less needs `--unsafe`.
    Always,
}

impl Config {
    /// What is chosen for a file, given by its path relative to the folder of the configuration.
    pub fn selection(&self, path: &Path) -> Selection {
        let mut selection = self.selection.clone();
        for one in &self.overrides {
            if one.paths.matched_path_or_any_parents(path, false).is_ignore() {
                selection.add(&one.selection);
            }
        }
        selection
    }

    /// The folder that paths in it are relative to.
    pub fn folder(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }
}

impl Selection {
    /// Adds a later word on the same.
    fn add(&mut self, later: &Self) {
        if !later.only.is_empty() {
            self.only.clone_from(&later.only);
        }
        // What is named last counts.
        self.skip.retain(|id| !later.enable.contains(id));
        self.enable.retain(|id| !later.skip.contains(id));
        self.skip.extend_from_slice(&later.skip);
        self.enable.extend_from_slice(&later.enable);
        self.allow_unsafe = later.allow_unsafe.or(self.allow_unsafe);
        self.merge_when = later.merge_when.or(self.merge_when);
        self.engine = later.engine.or(self.engine);
        self.syntax = later.syntax.or(self.syntax);
    }

    /// What the builds use.
    pub fn builds(&self) -> Builds {
        Builds { engine: self.engine, syntax: self.syntax }
    }
}

/// Finds the configuration for a folder: the nearest `dockeropt.toml` in it or above it.
pub fn nearest_file(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(NAME)).find(|path| path.is_file())
}

/// Reads a configuration file.
///
/// # Errors
/// If the file can't be read, or says something that is not known; the message names file, line and
/// what was probably meant.
pub fn read(path: &Path) -> anyhow::Result<Config> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{shown}: {}", describe(&error)))?;
    let mut config = read_text(&text, path)?;
    config.knowledge = knowledge(&config.tables)?;
    Ok(config)
}

/// Reads tables of packages and images.
///
/// # Errors
/// If one can't be read, has a name that stands for no table, or a row with too few or too many columns.
fn knowledge(paths: &[PathBuf]) -> anyhow::Result<Option<Arc<Knowledge>>> {
    let mut knowledge = Knowledge::default();
    for path in paths {
        let shown = path.display();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let table = Table::named(name).ok_or_else(|| {
            let names = Table::names().map(|name| format!("{name}.tsv")).collect::<Vec<_>>().join(", ");
            anyhow::anyhow!("{shown}: the name of the file says what it is: {names} or packages-RELEASE.tsv")
        })?;
        let text = std::fs::read_to_string(path)
            .map_err(|error| anyhow::anyhow!("{shown}: {}", describe(&error)))?;
        knowledge.add(table, &text).map_err(|mistake| anyhow::anyhow!("{shown}: {mistake}"))?;
    }
    Ok((!paths.is_empty()).then(|| Arc::new(knowledge)))
}

/// Reads the text of a configuration file, which is that of a path.
///
/// # Errors
/// As [`read`].
pub fn read_text(text: &str, path: &Path) -> anyhow::Result<Config> {
    parse(text, path).map_err(|mistake| {
        let index = LineIndex::new(text);
        let place = index.position(text, mistake.at.min(text.len()));
        anyhow::anyhow!("{}:{}:{}: {}", path.display(), place.line, place.column, mistake.message)
    })
}

/// What is wrong, and the byte where.
#[derive(Debug)]
struct Mistake {
    at: usize,
    message: String,
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Written {
    edition: Option<Spanned<u32>>,
    baseline: Option<PathBuf>,
    tables: Vec<PathBuf>,
    only: Vec<Spanned<String>>,
    skip: Vec<Spanned<String>>,
    enable: Vec<Spanned<String>>,
    r#unsafe: Option<bool>,
    merge_run: MergeRun,
    builds: WrittenBuilds,
    overrides: Vec<WrittenOverride>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenOverride {
    /// Without it, nothing would hold for nothing.
    paths: Vec<Spanned<String>>,
    #[serde(default)]
    only: Vec<Spanned<String>>,
    #[serde(default)]
    skip: Vec<Spanned<String>>,
    #[serde(default)]
    enable: Vec<Spanned<String>>,
    r#unsafe: Option<bool>,
    #[serde(default)]
    merge_run: MergeRun,
    #[serde(default)]
    builds: WrittenBuilds,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MergeRun {
    when: Option<When>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenBuilds {
    engine: Option<Spanned<String>>,
    syntax: Option<Spanned<String>>,
}

fn parse(text: &str, path: &Path) -> Result<Config, Mistake> {
    let written: Written = toml::from_str(text).map_err(|error| Mistake {
        at: error.span().map_or(0, |span| span.start),
        message: explained(error.message()),
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let Written { only, skip, enable, r#unsafe, merge_run, builds, .. } = written;
    let edition = written.edition.map(|edition| {
        let at = edition.span().start;
        let number = edition.into_inner();
        list::newer(&list::catalogue(), number)
            .map(|_| number)
            .map_err(|error| Mistake { at, message: error.to_string() })
    });
    Ok(Config {
        path: Some(path.to_path_buf()),
        edition: edition.transpose()?,
        baseline: written.baseline.map(|baseline| folder.join(baseline)),
        tables: written.tables.iter().map(|path| folder.join(path)).collect(),
        knowledge: None,
        selection: selection(only, skip, enable, r#unsafe, merge_run, builds)?,
        overrides: written
            .overrides
            .into_iter()
            .map(|written| {
                let WrittenOverride { paths, only, skip, enable, r#unsafe, merge_run, builds } = written;
                let selection = selection(only, skip, enable, r#unsafe, merge_run, builds)?;
                Ok(Override { paths: patterns(paths)?, selection })
            })
            .collect::<Result<_, _>>()?,
    })
}

fn selection(
    only: Vec<Spanned<String>>,
    skip: Vec<Spanned<String>>,
    enable: Vec<Spanned<String>>,
    allow_unsafe: Option<bool>,
    merge_run: MergeRun,
    builds: WrittenBuilds,
) -> Result<Selection, Mistake> {
    let named = only.iter().chain(&enable);
    if let Some(twice) = named.clone().find(|id| skip.iter().any(|skipped| skipped.as_ref() == id.as_ref())) {
        let message = format!("`{}` is chosen and skipped", twice.as_ref());
        return Err(Mistake { at: twice.span().start, message });
    }
    let catalogue = list::catalogue();
    let known = |ids: Vec<Spanned<String>>| {
        let check = |id: Spanned<String>| match list::find(&catalogue, id.as_ref()) {
            Ok(_) => Ok(id.into_inner()),
            Err(unknown) => Err(Mistake { at: id.span().start, message: unknown.to_string() }),
        };
        ids.into_iter().map(check).collect::<Result<Vec<_>, _>>()
    };
    Ok(Selection {
        only: known(only)?,
        skip: known(skip)?,
        enable: known(enable)?,
        allow_unsafe,
        merge_when: merge_run.when,
        engine: builds.engine.map(engine).transpose()?,
        syntax: builds.syntax.map(syntax).transpose()?,
    })
}

fn engine(name: Spanned<String>) -> Result<Engine, Mistake> {
    let names = || Engine::ALL.iter().map(|&(name, _)| name);
    let found = Engine::ALL.iter().find(|(known, _)| known == name.as_ref());
    found.map(|&(_, engine)| engine).ok_or_else(|| Mistake {
        at: name.span().start,
        message: format!("unknown engine `{}`; {}", name.as_ref(), hint(name.as_ref(), names())),
    })
}

fn syntax(version: Spanned<String>) -> Result<Version, Mistake> {
    Version::read(version.as_ref()).ok_or_else(|| Mistake {
        at: version.span().start,
        message: format!("`{}` is no version of the Dockerfile syntax, like \"1.4\"", version.as_ref()),
    })
}

/// Patterns as in `.gitignore`, relative to the folder of the configuration.
fn patterns(paths: Vec<Spanned<String>>) -> Result<Gitignore, Mistake> {
    let mut builder = GitignoreBuilder::new("");
    for path in &paths {
        let at = path.span().start;
        let mistake = |error: &dyn std::fmt::Display| Mistake { at, message: error.to_string() };
        builder.add_line(None, path.as_ref()).map_err(|error| mistake(&error))?;
    }
    builder.build().map_err(|error| Mistake {
        at: paths.first().map_or(0, |path| path.span().start),
        message: error.to_string(),
    })
}

/// A message of the reader in our words: "unknown field `a`, expected one of `b`, `c`" names what there is
/// between backticks.
fn explained(message: &str) -> String {
    let kind = match message {
        _ if message.starts_with("unknown field") => "key",
        _ if message.starts_with("unknown variant") => "value",
        _ => return message.to_owned(),
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    format!("unknown {kind} `{unknown}`; {}", hint(unknown, quoted))
}

fn hint<'n>(unknown: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    match nearest(unknown, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        parse(text, Path::new("/p/dockeropt.toml")).unwrap()
    }

    #[test]
    fn choices_are_read() {
        let config = config(
            "edition = 1\nbaseline = \"b.json\"\nskip = [\"no-recommends\"]\nunsafe = true\n\
             [merge-run]\nwhen = \"always\"\n[builds]\nengine = \"podman\"\nsyntax = \"1.4\"\n",
        );
        assert_eq!((config.edition, config.baseline), (Some(1), Some("/p/b.json".into())));
        let selection = config.selection;
        assert_eq!(selection.skip, ["no-recommends"]);
        assert_eq!((selection.merge_when, selection.allow_unsafe), (Some(When::Always), Some(true)));
        assert_eq!(selection.builds(), Builds { engine: Some(Engine::Podman), syntax: Version::read("1.4") });
    }

    #[test]
    fn the_last_word_counts() {
        let config = config(
            "skip = [\"merge-run\"]\n\
             [[overrides]]\npaths = [\"docker/**\", \"!docker/keep\"]\nunsafe = true\nenable = [\"merge-run\"]\n\
             [[overrides]]\npaths = [\"*.dev\"]\nunsafe = false\nonly = [\"no-recommends\"]\n",
        );
        let chosen = |path: &str| {
            let selection = config.selection(Path::new(path));
            (selection.skip, selection.enable, selection.allow_unsafe, selection.only)
        };
        let ids = |id: &str| vec![id.to_owned()];
        assert_eq!(chosen("Dockerfile"), (ids("merge-run"), vec![], None, vec![]));
        assert_eq!(chosen("docker/keep"), (ids("merge-run"), vec![], None, vec![]));
        assert_eq!(chosen("docker/a/Dockerfile"), (vec![], ids("merge-run"), Some(true), vec![]));
        let only = ids("no-recommends");
        assert_eq!(chosen("docker/Dockerfile.dev"), (vec![], ids("merge-run"), Some(false), only));
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_the_nearest_name() {
        for (text, place, message) in [
            ("[merge-run]\nwhn = \"always\"\n", (2, 1), "unknown key `whn`; did you mean `when`?"),
            ("\nskp = []\n", (2, 1), "unknown key `skp`; did you mean `skip`?"),
            ("[merge-run]\nwhen = \"alway\"\n", (2, 8), "unknown value `alway`; did you mean `always`?"),
            ("[merge-run]\ncolour = 1\n", (2, 1), "unknown key `colour`; there is `when`"),
            ("only = [\"x\",\n\"no-recomends\"]\n", (1, 9), "there is no transform `x`"),
            (
                "[[overrides]]\npaths = [\"a\"]\nskip = [\n  \"no-recomends\"\n]\n",
                (4, 3),
                "there is no transform `no-recomends`; did you mean `no-recommends`?",
            ),
            ("[builds]\nengine = \"docker\"\n", (2, 10), "unknown engine `docker`; there are `buildkit`"),
            ("[builds]\nsyntax = \"new\"\n", (2, 10), "`new` is no version"),
            ("edition = 7\n", (1, 11), "there is no edition 7"),
            ("only = [\"merge-run\"]\nskip = [\"merge-run\"]\n", (1, 9), "`merge-run` is chosen and skipped"),
            ("skip = 1\n", (1, 8), "invalid type"),
            ("skip = [\n", (1, 9), ""),
            ("[[overrides]]\npaths = [\"a{\"]\n", (2, 10), ""),
            ("[[overrides]]\nskip = []\n", (1, 1), "missing field `paths`"),
        ] {
            let mistake = parse(text, Path::new("dockeropt.toml")).unwrap_err();
            let found = LineIndex::new(text).position(text, mistake.at);
            assert!(mistake.message.starts_with(message), "{text}: {}", mistake.message);
            assert_eq!((found.line, found.column), place, "{text}: {}", mistake.message);
        }
    }

    #[test]
    fn tables_of_our_own_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let config = |name: &str| {
            write(NAME, &format!("tables = [\"{name}\"]\n"));
            read(&folder.path().join(NAME))
        };
        write("bases.tsv", "*/team/base\t*\tdebian\tbookworm\tapt\tyes\n");
        let knowledge = config("bases.tsv").unwrap().knowledge.unwrap();
        assert_eq!(knowledge.base("registry.example.com/team/base:1").unwrap().releases, ["bookworm"]);
        write("packages-bookworm.tsv", "# ours\nteam-tools\t100\tcurl\n");
        let knowledge = config("packages-bookworm.tsv").unwrap().knowledge.unwrap();
        assert_eq!(knowledge.size("bookworm", "team-tools"), Some(102_400));
        write("owners.tsv", "tool\tteam-tools\nx\n");
        for (name, says) in [
            ("owners.tsv", "owners.tsv: row 2: 1 columns; this table has 2 to 2, with a tab between them"),
            ("mine.tsv", "the name of the file says what it is: bases.tsv, variants.tsv"),
            ("variants.tsv", "variants.tsv: no such file or directory"),
        ] {
            let said = config(name).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn the_nearest_file_counts() {
        let top = tempfile::tempdir().unwrap();
        let below = top.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(top.path().join(NAME), "skip = [\"merge-run\"]\n").unwrap();
        let skipped = || read(&nearest_file(&below).unwrap()).unwrap().selection.skip;
        assert_eq!(skipped(), ["merge-run"]);
        std::fs::write(top.path().join("a").join(NAME), "").unwrap();
        assert_eq!(skipped(), [""; 0]);
    }
}
