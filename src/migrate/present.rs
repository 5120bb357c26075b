//! Fixes as a plan shows them: without secrets, with what they change.

use dockeropt_syntax::Text;
use similar::DiffOp;

use super::plan::{DeclinedEntry, FixEntry, Hunk};
use super::stack::Change;
use crate::diff::{hunks, lines};
use crate::pipeline::{Applicability, ReportedFix, ReportedRefusal};
use crate::redact::{Redacted, redact};

/// The secrets of a file.
pub(super) struct Secrets<'t>(Redacted<'t>);

impl<'t> Secrets<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self(redact(text))
    }

    /// A message about the file without them.
    pub(super) fn scrub(&self, text: &str) -> String {
        plain(&self.0.scrub(text))
    }

    /// A fix without them.
    pub(super) fn clean(&self, fix: &ReportedFix) -> ReportedFix {
        let all = |texts: &[String]| texts.iter().map(|text| self.scrub(text)).collect();
        ReportedFix {
            title: self.scrub(&fix.title),
            claims: all(&fix.claims),
            assumes: all(&fix.assumes),
            notes: all(&fix.notes),
            ..fix.clone()
        }
    }

    /// A refusal without them.
    pub(super) fn declined(&self, declined: &ReportedRefusal) -> DeclinedEntry {
        DeclinedEntry {
            transform: declined.transform.to_owned(),
            line: declined.line,
            reason: self.scrub(&declined.reason),
        }
    }
}

/// A text without the characters that stand for bytes that are not UTF-8.
fn plain(text: &str) -> String {
    String::from_utf8_lossy(&Text::encode(text)).into_owned()
}

/// A fix, of which secrets are hidden already.
pub(super) fn entry(fix: ReportedFix) -> FixEntry {
    FixEntry {
        transform: fix.transform.to_owned(),
        title: fix.title,
        applicability: if fix.applicability == Applicability::Safe { "safe" } else { "unsafe" }.to_owned(),
        fingerprint: fix.fingerprint,
        start_line: fix.start_line,
        end_line: fix.end_line,
        claims: fix.claims,
        assumes: fix.assumes,
        notes: fix.notes,
        saves: fix.saves,
        hunks: Vec::new(),
        only: None,
    }
}

/// What changes, for people to see; `path` is the file that need not be named.
pub(super) fn shown(changes: &[Change], path: &str) -> Vec<Hunk> {
    changes.iter().flat_map(|change| hunks_of(change, path)).collect()
}

fn hunks_of(change: &Change, path: &str) -> Vec<Hunk> {
    let before = change.before.as_deref().unwrap_or_default();
    let (old, new) = (redact(before), redact(&change.after));
    let (old, new) = (lines(&old.text), lines(&new.text));
    let path = (change.path != path).then(|| change.path.clone());
    let hunk = |operations: Vec<DiffOp>| {
        let (first_old, first_new) =
            operations.first().map_or((0, 0), |first| (first.old_range().start, first.new_range().start));
        let mut shown = Vec::new();
        for operation in operations {
            let (removed, added) = (&old[operation.old_range()], &new[operation.new_range()]);
            if let DiffOp::Equal { .. } = operation {
                shown.extend(removed.iter().map(|line| format!(" {}", line_of(line))));
            } else {
                shown.extend(removed.iter().map(|line| format!("-{}", line_of(line))));
                shown.extend(added.iter().map(|line| format!("+{}", line_of(line))));
            }
        }
        Hunk { path: path.clone(), old: first_old + 1, new: first_new + 1, lines: shown }
    };
    hunks(before, &change.after).into_iter().map(hunk).collect()
}

fn line_of(line: &str) -> String {
    plain(line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)))
}
