//! What a project chose: the `dockeropt.toml` of its repository, or else that of the one who plans.

use std::path::Path;

use super::plan::{Choice, Configuration};
use crate::choices;
use crate::cli::ChoiceArgs;
use crate::config;
use crate::pipeline::Options;

/// What is chosen for the files of all repositories.
pub(super) struct Choices(choices::Choices);

impl Choices {
    /// What holds by the command line, and by the configuration of the current folder where a repository has
    /// none.
    pub(super) fn new(choice: Choice) -> anyhow::Result<Self> {
        let Choice { only, skip } = choice;
        let arguments = ChoiceArgs { r#unsafe: true, only, skip, ..ChoiceArgs::default() };
        let choices = choices::Choices::new(&arguments, &std::env::current_dir()?, true)?;
        // What is wrong in our own configuration is told before anything is done.
        choices.options_of_text(Path::new("Dockerfile"))?;
        Ok(Self(choices))
    }

    /// What may be done to a file, given the nearest configuration of its repository.
    pub(super) fn of(&self, path: &str, configuration: Option<&Configuration>) -> Result<Options, String> {
        let path = Path::new(path);
        let Some(Configuration { path: at, text }) = configuration else {
            let options = self.0.options_of_text(path).map_err(|error| format!("{error:#}"))?;
            return Ok(std::sync::Arc::unwrap_or_clone(options));
        };
        let at = Path::new(at);
        let config = config::read_text(text, at).map_err(|error| format!("{error:#}"))?;
        let folder = at.parent().unwrap_or(Path::new(""));
        Ok(self.0.options_by(&config, path.strip_prefix(folder).unwrap_or(path)))
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
