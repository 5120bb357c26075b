//! git, told to trust nothing that a repository says.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{self, Failure, Finished, Limits};

/// What git is told at every call: no hooks, no monitor, no programs as protocols, nothing in the
/// background, nothing of submodules.
const SETTINGS: [&str; 8] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "advice.detachedHead=false",
];

/// Why something failed: the reason in a line, and all that was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Trouble {
    /// The reason.
    pub(super) reason: String,
    /// What the program said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) output: String,
    /// Whether the user interrupted, so that it is no failure of the repository.
    #[serde(skip)]
    pub(super) interrupted: bool,
}

impl Trouble {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::new(crate::problem::describe(&error))
    }
}

/// git for one repository, with the time and the space that it may take.
#[derive(Clone, Debug)]
pub(super) struct Git {
    /// The repository: `.git`, or a bare one; none for what needs none.
    folder: Option<PathBuf>,
    /// Where commands run: what a repository's configuration names may be relative to that.
    place: Option<PathBuf>,
    limits: Limits,
    until: Instant,
    timeout: Duration,
    environment: Vec<(String, std::ffi::OsString)>,
    settings: Vec<&'static str>,
}

impl Git {
    /// git without a repository, for so long.
    pub(super) fn new(limits: &Limits, timeout: Duration) -> Self {
        Self {
            folder: None,
            place: None,
            limits: limits.clone(),
            until: Instant::now() + timeout,
            timeout,
            environment: Vec::new(),
            settings: SETTINGS.to_vec(),
        }
    }

    /// The same for a repository, given by its `.git`.
    pub(super) fn of(&self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_path_buf()), place: Some(folder.to_path_buf()), ..self.clone() }
    }

    /// The same, run in a folder.
    pub(super) fn inside(&self, folder: &Path) -> Self {
        Self { place: Some(folder.to_path_buf()), ..self.clone() }
    }

    /// The same with a variable in its environment.
    pub(super) fn with(&self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let mut git = self.clone();
        git.environment.push((name.to_owned(), value.as_ref().to_owned()));
        git
    }

    /// The same with more settings.
    pub(super) fn set(&self, settings: &[&'static str]) -> Self {
        let mut git = self.clone();
        git.settings.extend_from_slice(settings);
        git
    }

    /// The same; it is stopped when its repository has more than so many bytes.
    pub(super) fn at_most(&self, bytes: u64) -> Self {
        let folder = self.folder.clone().unwrap_or_default();
        Self { limits: self.limits.with_size(folder, bytes), ..self.clone() }
    }

    /// The repository.
    pub(super) fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new("."))
    }

    /// Runs a command; its standard output.
    pub(super) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<u8>, Trouble> {
        self.feed(arguments, &[])
    }

    /// Runs a command that reads `input`; its standard output.
    pub(super) fn feed<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Vec<u8>, Trouble> {
        let result = process::feed(self.command(arguments), input, &self.remaining()?);
        result.map(|Finished { output, .. }| output).map_err(|failure| self.trouble(failure))
    }

    /// Runs a command; its output as text without the last newline.
    pub(super) fn text<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String, Trouble> {
        Ok(String::from_utf8_lossy(&self.run(arguments)?).trim_end_matches('\n').to_owned())
    }

    /// Runs a command that may talk to a server.
    pub(super) fn remote<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Vec<u8>, Trouble> {
        let mut command = self.command(arguments);
        if ["GIT_SSH", "GIT_SSH_COMMAND"].iter().all(|name| std::env::var_os(name).is_none())
            && self.text(&["config", "core.sshCommand"]).is_err()
        {
            // Nobody is there to answer.
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        let result = process::feed(command, input, &self.remaining()?);
        result.map(|Finished { output, .. }| output).map_err(|failure| self.trouble(failure))
    }

    /// Runs a command that reads `input` and hands on its output as it comes.
    pub(super) fn stream<T>(
        &self,
        arguments: &[&str],
        input: &[u8],
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Trouble> {
        let result = process::stream(self.command(arguments), input, &self.remaining()?, read);
        result.map_err(|failure| self.trouble(failure))
    }

    /// The command as a person would type it.
    /// A word that is one of `variables`, or begins with one and a colon, is left to the shell.
    pub(super) fn shown(&self, arguments: &[&str], variables: &[String]) -> String {
        let place = self.place.as_deref().unwrap_or(Path::new(".")).to_string_lossy();
        let mut text = format!("git -C {} -c core.hooksPath=/dev/null", quoted(&place));
        for argument in arguments {
            text.push(' ');
            let (word, rest) = argument.split_at(argument.find(':').unwrap_or(argument.len()));
            if variables.iter().any(|variable| variable == word) {
                let rest = if rest.is_empty() { String::new() } else { quoted(rest) };
                text.push_str(&format!("\"{word}\"{rest}"));
            } else {
                text.push_str(&quoted(argument));
            }
        }
        text
    }

    /// The commands that set for a shell what this git has in its environment, but for `other` variables.
    pub(super) fn exports(&self, other: &str) -> Vec<String> {
        let own = self.environment.iter().filter(|(name, _)| name != other);
        own.map(|(name, value)| format!("export {name}={}", quoted(&value.to_string_lossy()))).collect()
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new("git");
        // The variables that git sets for its hooks would point it to another repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.arg("--no-optional-locks");
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        if let Some(folder) = &self.folder {
            command.arg("--git-dir").arg(folder);
        }
        if let Some(place) = &self.place {
            command.current_dir(place);
        }
        command.args(arguments);
        command
    }

    fn remaining(&self) -> Result<Limits, Trouble> {
        let remaining = self.until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(Trouble::new(self.too_long()));
        }
        Ok(self.limits.within(remaining))
    }

    fn too_long(&self) -> String {
        format!("took longer than {} s, which --timeout allows", self.timeout.as_secs())
    }

    fn trouble(&self, failure: Failure) -> Trouble {
        match failure {
            Failure::TimedOut { .. } => Trouble::new(self.too_long()),
            Failure::Interrupted => Trouble { interrupted: true, ..Trouble::new("interrupted") },
            Failure::Exit { said, .. } => {
                let telling = |line: &&str| {
                    ["fatal:", "error:", "ERROR", "remote:", "! ["]
                        .iter()
                        .any(|start| line.starts_with(start))
                };
                let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
                let reason = lines.clone().find(telling).or(lines.next()).unwrap_or("git failed");
                Trouble { output: said.clone(), ..Trouble::new(format!("git says: {reason}")) }
            }
            other => Trouble::new(other.to_string()),
        }
    }
}

/// A text as an argument of `printf` in a shell, and how that has to read it. What a terminal would obey, or
/// is not UTF-8, is written as numbers.
pub(super) fn printed(content: &[u8]) -> String {
    let is_obeyed = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if let Ok(text) = std::str::from_utf8(content)
        && !text.contains(is_obeyed)
    {
        return format!("printf %s {}", quoted(text));
    }
    let mut text = String::new();
    for chunk in content.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str(r"\\"),
                obeyed if is_obeyed(obeyed) => octal(obeyed.encode_utf8(&mut [0; 4]).as_bytes(), &mut text),
                other => text.push(other),
            }
        }
        octal(chunk.invalid(), &mut text);
    }
    format!("printf %b {}", quoted(&text))
}

fn octal(bytes: &[u8], text: &mut String) {
    bytes.iter().for_each(|byte| text.push_str(&format!("\\0{byte:03o}")));
}

/// A word for a shell.
pub(super) fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_prints_what_it_is_given() {
        for content in
            [&b""[..], b"a 'b' $c `d`\n\te %s\n", b"\xffa\\0101\r\n'\x1b[0m\0", "\u{9b}\u{e9}".as_bytes()]
        {
            let shown = printed(content);
            assert_eq!(crate::problem::printable(&shown), shown);
            let output = Command::new("sh").args(["-c", &shown]).output().unwrap();
            assert_eq!(output.stdout, content, "{shown}");
        }
    }

    #[test]
    fn only_what_is_a_variable_is_left_to_the_shell() {
        let git = Git::new(&Limits::none(), Duration::from_secs(1));
        let shown = git.shown(&["a", "$x", "$x:b", "$y", "c$x"], &["$x".to_owned()]);
        assert!(shown.ends_with(" a \"$x\" \"$x\":b '$y' 'c$x'"), "{shown}");
    }
}
