//! What each fix of a file changes, after those before it.

use std::collections::BTreeSet;

use super::plan::FixEntry;
use super::present::{Secrets, entry, shown};
use super::stack::{Original, before, changes, rank, rewrite};
use crate::pipeline::{Outcome, ReportedFix};

/// Beyond so many fixes in a file, those of a transform are shown together: to show each takes as many
/// rewrites of the file as it has fixes.
const MOST: usize = 60;

/// The fixes of a file with what each changes, by transform. Where a fix comes about only together with a
/// later one, what the later one changes has both.
pub(super) fn chain(original: &Original<'_>, outcome: &Outcome) -> Result<Vec<FixEntry>, String> {
    let secrets = Secrets::of(&original.text);
    let mut fixes: Vec<ReportedFix> = outcome.fixes.iter().map(|fix| secrets.clean(fix)).collect();
    fixes.sort_by_key(|fix| rank(fix.transform));
    let one_by_one = fixes.len() <= MOST;
    let mut taken = BTreeSet::new();
    let mut state = before(original, outcome);
    let mut entries = Vec::new();
    let mut at = 0;
    while at < fixes.len() {
        let transform = fixes[at].transform;
        let alike = fixes[at..].iter().take_while(|fix| fix.transform == transform).count();
        let count = if one_by_one { 1 } else { alike };
        let together = &fixes[at..at + count];
        taken.extend(together.iter().map(|fix| fix.fingerprint.clone()));
        let (_, after) = rewrite(original, &taken)?;
        let hunks = shown(&changes(&state, &after), &original.path);
        entries.extend(together.iter().map(|fix| FixEntry { hunks: hunks.clone(), ..entry(fix.clone()) }));
        state.extend(after);
        at += count;
    }
    Ok(entries)
}
