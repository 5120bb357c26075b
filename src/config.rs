//! `dockeropt.toml`: what a project chooses.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The name of the file.
pub(crate) const NAME: &str = "dockeropt.toml";

/// What a project chooses; everything may be left out, and names that are not known are errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// Runs the transforms of this edition only, so that a newer version proposes nothing more.
    pub edition: Option<u32>,
    /// Transforms that don't run.
    pub skip: Vec<String>,
    /// Choices about `merge-run`.
    pub merge_run: MergeRun,
}

/// Choices about `merge-run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MergeRun {
    /// When RUNs are joined.
    pub when: When,
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

/// Reads the configuration of a folder: the nearest `dockeropt.toml` in it or above it, with its path.
/// Without one nothing is chosen.
///
/// # Errors
/// If the file can't be read, or says something that is not known; the message names file, line and
/// what is expected.
pub fn read(folder: &Path) -> anyhow::Result<(Config, Option<PathBuf>)> {
    let Some(path) = folder.ancestors().map(|folder| folder.join(NAME)).find(|path| path.is_file()) else {
        return Ok((Config::default(), None));
    };
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| anyhow::anyhow!("{shown}: {error}"))?;
    let config = parse(&text).map_err(|error| anyhow::anyhow!("{shown}: {error}"))?;
    Ok((config, Some(path)))
}

pub(crate) fn parse(text: &str) -> Result<Config, toml::de::Error> {
    toml::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read() {
        let config = parse("skip = [\"no-recommends\"]\n[merge-run]\nwhen = \"always\"\n").unwrap();
        assert_eq!(config.skip, ["no-recommends"]);
        assert_eq!(config.merge_run.when, When::Always);
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn unknown_names_are_errors_that_say_where_and_what() {
        let message = parse("[merge-run]\nwhn = \"always\"\n").unwrap_err().to_string();
        assert!(message.contains("line 2") && message.contains("`when`"), "{message}");
        assert!(parse("[merge-run]\nwhen = \"never\"\n").is_err());
    }

    #[test]
    fn the_nearest_file_counts() {
        let top = tempfile::tempdir().unwrap();
        let below = top.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(top.path().join(NAME), "skip = [\"merge-run\"]\n").unwrap();
        assert_eq!(read(&below).unwrap().0.skip, ["merge-run"]);
        std::fs::write(top.path().join("a").join(NAME), "").unwrap();
        assert_eq!(read(&below).unwrap().0, Config::default());
    }
}
