//! Commits made from objects: no file is checked out, and no hook runs.

use std::collections::BTreeMap;

use dockeropt_syntax::Text;
use tempfile::TempDir;

use super::git::{Git, Trouble, printed};
use super::message::message;
use super::stack::Part;

/// Who commits, when, and how.
#[derive(Clone, Debug)]
pub(super) struct Committer {
    /// `Name <email>`, if it is not the one that git is configured with.
    pub(super) author: Option<(String, String)>,
    /// Seconds since 1970.
    pub(super) time: u64,
    /// Whether to add a sign-off in any case.
    pub(super) signoff: bool,
}

/// Commands that change a repository, which are run or only shown.
#[derive(Debug)]
pub(super) struct Commands {
    /// The commands so far, if they are only shown.
    shown: Option<Vec<String>>,
    /// What the results of commands that are only shown are called.
    results: Vec<String>,
}

impl Commands {
    /// Commands that are run, or only shown.
    pub(super) fn new(only_shown: bool) -> Self {
        Self { shown: only_shown.then(Vec::new), results: Vec::new() }
    }

    /// The commands so far, if they are only shown.
    pub(super) fn take(&mut self) -> Option<Vec<String>> {
        self.shown.take()
    }

    /// Pushes, or shows how.
    pub(super) fn push(&mut self, git: &Git, arguments: &[&str]) -> Result<(), Trouble> {
        match &mut self.shown {
            Some(shown) => shown.push(git.shown(arguments, &self.results)),
            None => drop(git.remote(arguments, &[])?),
        }
        Ok(())
    }

    /// Runs a command that reads `input` and prints something that is called `result`; what it prints, or the
    /// name of that.
    pub(super) fn run(
        &mut self,
        git: &Git,
        arguments: &[&str],
        input: &[u8],
        result: &str,
    ) -> Result<String, Trouble> {
        let Some(shown) = &mut self.shown else {
            let output = git.feed(arguments, input)?;
            return Ok(String::from_utf8_lossy(&output).trim_end().to_owned());
        };
        let mut command = git.shown(arguments, &self.results);
        if !input.is_empty() || arguments.contains(&"--stdin") {
            command = format!("{} | {command}", printed(input));
        }
        if !result.is_empty() {
            command = format!("{result}=$({command})");
        }
        shown.push(command);
        let result = format!("${result}");
        self.results.push(result.clone());
        Ok(result)
    }
}

/// Makes a commit for each part, the first on top of `base`; the last of them. `modes` has the modes of the
/// files that are there.
pub(super) fn make(
    git: &Git,
    base: &str,
    parts: &[Part],
    modes: &BTreeMap<&str, &str>,
    committer: &Committer,
    commands: &mut Commands,
) -> Result<String, Trouble> {
    let folder = TempDir::with_prefix("dockeropt-")?;
    let git = as_committer(git, committer)?.with("GIT_INDEX_FILE", folder.path().join("index"));
    let git = git.set(&["core.sparseCheckout=false", "index.sparse=false", "core.splitIndex=false"]);
    let is_set = |name: &str| git.text(&["config", "--type=bool", name]).is_ok_and(|value| value == "true");
    let signs = is_set("commit.gpgSign");
    let signoff = if committer.signoff || is_set("format.signOff") { Some(signoff(&git)?) } else { None };
    let plain =
        ["-c", "core.sparseCheckout=false", "-c", "index.sparse=false", "-c", "core.splitIndex=false"];
    if let Some(shown) = &mut commands.shown {
        shown.extend(git.exports("GIT_INDEX_FILE"));
        shown.push("export GIT_INDEX_FILE=\"$(mktemp -u)\"".to_owned());
        shown.push("trap 'rm -f \"$GIT_INDEX_FILE\"' EXIT".to_owned());
    }
    commands.run(&git, &[&plain[..], &["read-tree", base]].concat(), &[], "")?;
    let mut parent = base.to_owned();
    for (at, part) in parts.iter().enumerate() {
        let number = at + 1;
        let mut entries = Vec::new();
        let mut names = Vec::new();
        for (at, change) in part.changes.iter().enumerate() {
            let content = Text::encode(&change.after);
            let blob = commands.run(
                &git,
                &["hash-object", "-w", "--stdin"],
                &content,
                &format!("blob{number}_{}", at + 1),
            )?;
            let mode = modes.get(change.path.as_str()).copied().unwrap_or("100644");
            entries.extend_from_slice(format!("{mode} {blob}\t{}\0", change.path).as_bytes());
            names.push([mode.to_owned(), blob, change.path.clone()]);
        }
        if commands.shown.is_some() {
            for name in &names {
                let name = name.each_ref().map(String::as_str);
                let arguments = [&["update-index", "--add", "--cacheinfo"][..], &name].concat();
                commands.run(&git, &arguments, &[], "")?;
            }
        } else {
            commands.run(&git, &["update-index", "-z", "--index-info"], &entries, "")?;
        }
        let tree = commands.run(&git, &["write-tree", "--missing-ok"], &[], &format!("tree{number}"))?;
        let mut text = message(part);
        if let Some(signoff) = &signoff {
            text.push_str(&format!("\n{signoff}\n"));
        }
        let mut arguments = vec!["commit-tree", "-p", &parent, "-F", "-"];
        arguments.extend(signs.then_some("-S"));
        arguments.push(&tree);
        parent = commands.run(&git, &arguments, text.as_bytes(), &format!("commit{number}"))?;
    }
    Ok(parent)
}

/// git with the names and the time of those who commit.
fn as_committer(git: &Git, committer: &Committer) -> Result<Git, Trouble> {
    let mut git = git.with("DOCKEROPT", "migrate");
    let time = format!("@{} +0000", committer.time);
    for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        if std::env::var_os(name).is_none() {
            git = git.with(name, &time);
        }
    }
    let configured = git.text(&["-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"]);
    match (&committer.author, configured) {
        (Some((name, address)), configured) => {
            git = git.with("GIT_AUTHOR_NAME", name).with("GIT_AUTHOR_EMAIL", address);
            if configured.is_err() {
                git = git.with("GIT_COMMITTER_NAME", name).with("GIT_COMMITTER_EMAIL", address);
            }
            Ok(git)
        }
        (None, Ok(_)) => Ok(git),
        (None, Err(trouble)) if trouble.interrupted => Err(trouble),
        (None, Err(trouble)) => {
            let reason = "git doesn't know who commits; set user.name and user.email, or pass --author";
            Err(Trouble { reason: reason.to_owned(), ..trouble })
        }
    }
}

fn signoff(git: &Git) -> Result<String, Trouble> {
    let ident = git.text(&["var", "GIT_COMMITTER_IDENT"])?;
    let end = ident.rfind('>').map_or(ident.len(), |end| end + 1);
    Ok(format!("Signed-off-by: {}", &ident[..end]))
}
