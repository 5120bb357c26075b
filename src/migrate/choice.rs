//! What a project chose: the `dockeropt.toml` of its repository, or else that of the one who plans.

use std::path::Path;

use super::plan::{Choice, Configuration};
use crate::cli::ChoiceArgs;
use crate::config::{self, Config};
use crate::pipeline::Options;
use crate::run::options;

/// What holds for files without a `dockeropt.toml` of their own.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    choice: Choice,
    /// The configuration of the folder that the plan is made in.
    ours: (Config, std::path::PathBuf),
}

impl Choices {
    /// Reads the configuration of the current folder.
    pub(super) fn new(choice: Choice) -> anyhow::Result<Self> {
        let (config, path) = config::read(&std::env::current_dir()?)?;
        let choices = Self { choice, ours: (config, path.unwrap_or_else(|| config::NAME.into())) };
        choices.of(None).map_err(|message| anyhow::anyhow!("{message}"))?;
        Ok(choices)
    }

    /// What may be done to a file, given the nearest configuration of its repository.
    pub(super) fn of(&self, configuration: Option<&Configuration>) -> Result<Options, String> {
        let own;
        let (config, path) = match configuration {
            Some(Configuration { path, text }) => {
                own = config::parse(text).map_err(|error| format!("{path}: {error}"))?;
                (&own, Path::new(path))
            }
            None => (&self.ours.0, self.ours.1.as_path()),
        };
        let Choice { only, skip } = self.choice.clone();
        let choice = ChoiceArgs { r#unsafe: true, only, skip, fingerprints: Vec::new() };
        options(config, path, &choice).map_err(|error| format!("{error:#}"))
    }
}

/// The nearest of some configurations to a file: in its folder, or the next above it.
pub(super) fn nearest<'c>(configurations: &'c [Configuration], file: &str) -> Option<&'c Configuration> {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let of_file = folder(file);
    let above =
        configurations.iter().filter(|configuration| of_file.starts_with(&folder(&configuration.path)));
    above.max_by_key(|configuration| configuration.path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_configuration_counts() {
        let at = |path: &str| Configuration { path: path.to_owned(), text: String::new() };
        let all = [at("dockeropt.toml"), at("a/dockeropt.toml"), at("a/b/dockeropt.toml")];
        let found = |file| nearest(&all, file).map(|configuration| configuration.path.as_str());
        assert_eq!(found("a/b/c/Dockerfile"), Some("a/b/dockeropt.toml"));
        assert_eq!(found("a/Dockerfile"), Some("a/dockeropt.toml"));
        assert_eq!(found("ab/Dockerfile"), Some("dockeropt.toml"));
        assert_eq!(nearest(&all[1..], "Dockerfile"), None);
    }
}
