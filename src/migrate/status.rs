//! `migrate status`: where each repository stands.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::branch::short;
use super::folder::Folder;
use super::journal::{Journal, State, Step};
use super::plan::{Entry, Status as Planned};
use crate::problem::printable;

/// Where all repositories stand.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    version: u32,
    totals: Totals,
    repositories: Vec<Row>,
}

/// How many repositories stand where.
#[derive(Debug, Default, Serialize)]
struct Totals {
    planned: usize,
    nothing: usize,
    applied: usize,
    pushed: usize,
    skipped: usize,
    failed: usize,
}

/// Where a repository stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Stand {
    Planned,
    Nothing,
    Applied,
    Pushed,
    Skipped,
    Failed,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    source: String,
    status: Stand,
    /// What was being done, if it failed: `plan`, `apply` or `push`.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What git said.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    /// How much was left out, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    left_out: BTreeMap<String, usize>,
    fixes: usize,
    safe: usize,
    /// Files that could not be looked at.
    errors: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    commits: usize,
    pushed: Vec<String>,
}

/// Reads where all repositories of a plan stand.
pub(super) fn read(folder: &Folder) -> anyhow::Result<Status> {
    let index = folder.index()?;
    let past = Journal::read(&folder.path("journal.jsonl"))?;
    let mut status = Status { version: 1, totals: Totals::default(), repositories: Vec::new() };
    for name in &index.repositories {
        let entry = folder.entry(&name.name)?;
        let state = past.states.get(&name.name).cloned().unwrap_or_default();
        let row = row(&entry, state);
        let totals = &mut status.totals;
        let count = match row.status {
            Stand::Planned => &mut totals.planned,
            Stand::Nothing => &mut totals.nothing,
            Stand::Applied => &mut totals.applied,
            Stand::Pushed => &mut totals.pushed,
            Stand::Skipped => &mut totals.skipped,
            Stand::Failed => &mut totals.failed,
        };
        *count += 1;
        status.repositories.push(row);
    }
    Ok(status)
}

fn row(entry: &Entry, state: State) -> Row {
    let State { made, applied, pushed, failed, skipped } = state;
    let mut row = Row {
        name: entry.name.clone(),
        source: entry.source.clone(),
        status: Stand::Planned,
        step: None,
        reason: None,
        output: None,
        remarks: Vec::new(),
        left_out: entry.left_out.clone(),
        fixes: entry.fixes().count(),
        safe: entry.fixes().filter(|(_, fix)| fix.is_made_by_safe()).count(),
        errors: entry.errors.len(),
        branch: None,
        base: None,
        head: None,
        commits: 0,
        pushed: pushed.into_iter().collect(),
    };
    if let Some(made) = made.filter(|_| applied) {
        (row.branch, row.base, row.head) = (Some(made.branch), Some(made.base), Some(made.head));
        (row.commits, row.remarks) = (made.commits, made.remarks);
    }
    let trouble = match (entry.status, failed) {
        (Planned::Failed, _) => entry.failure.clone().map(|trouble| ("plan", trouble)),
        (_, Some((Step::Apply, trouble))) => Some(("apply", trouble)),
        (_, Some((Step::Push, trouble))) => Some(("push", trouble)),
        _ => None,
    };
    row.status = match trouble {
        Some((step, trouble)) => {
            (row.step, row.reason) = (Some(step), Some(trouble.reason));
            row.output = Some(trouble.output).filter(|output| !output.is_empty());
            Stand::Failed
        }
        None if skipped.is_some() => {
            row.reason = skipped;
            Stand::Skipped
        }
        None if !row.pushed.is_empty() => Stand::Pushed,
        None if applied => Stand::Applied,
        None if entry.status == Planned::Nothing => Stand::Nothing,
        None => Stand::Planned,
    };
    row
}

/// The status as a table.
pub(super) fn table(status: &Status) -> String {
    let width = status.repositories.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in &status.repositories {
        let stand = match row.status {
            Stand::Planned => "planned",
            Stand::Nothing => "nothing",
            Stand::Applied => "applied",
            Stand::Pushed => "pushed",
            Stand::Skipped => "skipped",
            Stand::Failed => "failed",
        };
        let mut details = Vec::new();
        if let Some(reason) = &row.reason {
            details.push(reason.clone());
        }
        if let (Some(branch), Some(head)) = (&row.branch, &row.head) {
            details.push(format!("{branch} at {}, commits: {}", short(head), row.commits));
        } else if row.fixes > 0 {
            details.push(format!("fixes: {}, safe: {}", row.fixes, row.safe));
        }
        if row.fixes == 0 && !row.left_out.is_empty() {
            let left_out: Vec<_> =
                row.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            details.push(format!("left out: {}", left_out.join(", ")));
        }
        if row.errors > 0 {
            details.push(format!("files with errors: {}", row.errors));
        }
        let details = details.join("; ");
        let _ = writeln!(text, "{:width$}  {stand:7}  {}", row.name, printable(&details).replace('\n', " "));
    }
    let Totals { planned, nothing, applied, pushed, skipped, failed } = &status.totals;
    let _ = writeln!(
        text,
        "planned: {planned}, nothing to do: {nothing}, applied: {applied}, pushed: {pushed}, skipped: {skipped}, \
         failed: {failed}"
    );
    text
}
