//! The branch of a repository: where it may be made, and where it may be pushed.

use super::commit::Commands;
use super::git::{Git, Trouble};
use super::repository::Repository;
use super::sources::Source;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is done, or was before.
    Done,
    /// It must not be done, and why.
    Refused(String),
}

/// Why the branch must not be made, if so: it is one that others work on.
pub(super) fn is_taken(
    repository: &Repository,
    source: &Source,
    branch: &str,
) -> Result<Option<String>, Trouble> {
    let git = &repository.git;
    if let Err(trouble) = git.run(&["check-ref-format", "--branch", branch]) {
        let reason = format!("`{branch}` is no name of a branch");
        return Err(Trouble { reason, ..trouble });
    }
    let mut defaults: Vec<String> = repository.branch.iter().cloned().collect();
    if !repository.is_clone() {
        let remote =
            git.text(&["for-each-ref", "--format=%(symref)", "refs/remotes/*/HEAD", "refs/remotes/**/HEAD"])?;
        let names = remote.lines().filter_map(|line| line.strip_prefix("refs/remotes/")?.split_once('/'));
        defaults.extend(names.map(|(_, name)| name.to_owned()));
        defaults.extend(git.text(&["config", "init.defaultBranch"]).ok());
    }
    if defaults.iter().any(|default| default == branch) {
        return Ok(Some(format!(
            "`{branch}` is the default branch, or checked out, and is never written to"
        )));
    }
    let reference = source.reference.as_deref().map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    if reference == Some(branch) {
        return Ok(Some(format!("`{branch}` is the branch that the list names, and is never written to")));
    }
    Ok(None)
}

/// Makes the branch, unless another one has its name.
pub(super) fn make(
    repository: &Repository,
    branch: &str,
    head: &str,
    is_resumed: bool,
    commands: &mut Commands,
) -> Result<Attempt, Trouble> {
    let git = &repository.git;
    let name = format!("refs/heads/{branch}");
    let there = git.text(&["rev-parse", "--verify", "--quiet", &name]).ok();
    if there.as_deref() == Some(head) {
        return Ok(Attempt::Done);
    }
    // In a clone of ours it is left from an earlier plan.
    if let (Some(there), false) = (&there, repository.is_clone()) {
        let short = short(there);
        return Ok(Attempt::Refused(format!(
            "has a branch `{branch}` already, at {short}, which this plan did not make; delete it, or name \
             another by --branch"
        )));
    }
    if is_resumed {
        // Left behind by a git that was killed while it made this very branch.
        let _ = std::fs::remove_file(git.folder().join(format!("{name}.lock")));
    }
    let none = "0".repeat(if head.len() == 64 { 64 } else { 40 });
    let mut arguments = vec!["update-ref", &name, head];
    arguments.extend((!repository.is_clone()).then_some(none.as_str()));
    commands.run(git, &arguments, &[], "")?;
    Ok(Attempt::Done)
}

/// Pushes the branch, unless the remote has another of its name. Nothing is ever forced.
pub(super) fn push(
    git: &Git,
    remote: &str,
    branch: &str,
    head: &str,
    commands: &mut Commands,
) -> Result<Attempt, Trouble> {
    if remote.starts_with('-') || remote.contains("::") {
        return Ok(Attempt::Refused(format!("`{remote}` is no name of a remote")));
    }
    let name = format!("refs/heads/{branch}");
    let there = git.remote(&["ls-remote", "--symref", "--", remote, "HEAD", &name], &[])?;
    let there = String::from_utf8_lossy(&there);
    for line in there.lines() {
        let Some((value, found)) = line.split_once('\t') else { continue };
        if found == "HEAD" && value == format!("ref: {name}") {
            return Ok(Attempt::Refused(format!(
                "`{branch}` is the default branch of {remote}, and is never pushed to"
            )));
        }
        if found == name && value == head {
            return Ok(Attempt::Done);
        }
        if found == name {
            let short = short(value);
            return Ok(Attempt::Refused(format!(
                "{remote} has a branch `{branch}` already, at {short}; delete it, or name another by --branch"
            )));
        }
    }
    let refspec = format!("{head}:{name}");
    let arguments =
        ["push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", remote, &refspec];
    commands.push(git, &arguments)?;
    Ok(Attempt::Done)
}

/// The start of the id of a commit.
pub(super) fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}
