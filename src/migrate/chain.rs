//! What each fix of a file changes, after those before it.

use std::collections::BTreeSet;

use super::plan::{FixEntry, Only};
use super::present::{Secrets, entry, shown};
use super::stack::{Original, before, changes, rank, rewrite};
use crate::pipeline::{Applicability, Options, Outcome, ReportedFix, optimize_in};

/// Beyond so many fixes in a file, those of a transform are shown together: to show each takes as many
/// rewrites of the file as it has fixes.
const MOST: usize = 60;

/// The fixes of a file, of which all together have the `outcome`, and behind them the safe ones that are only
/// made where unsafe ones are not.
pub(super) fn planned(original: &Original<'_>, outcome: &Outcome) -> Result<Vec<FixEntry>, String> {
    let mut entries = chain(original, outcome)?;
    if outcome.fixes.iter().all(|fix| fix.applicability == Applicability::Safe) {
        return Ok(entries);
    }
    let options = Options { allow_unsafe: false, ..original.options.clone() };
    let safe = optimize_in(&original.text, &options, &original.surroundings);
    let known: BTreeSet<String> = entries.iter().map(|fix| fix.fingerprint.clone()).collect();
    let made: BTreeSet<&str> = safe.fixes.iter().map(|fix| fix.fingerprint.as_str()).collect();
    for fix in entries.iter_mut().filter(|fix| fix.is_safe() && !made.contains(fix.fingerprint.as_str())) {
        fix.only = Some(Only::WithUnsafe);
    }
    if !made.iter().all(|made| known.contains(*made)) {
        let others = chain(original, &safe)?.into_iter().filter(|fix| !known.contains(&fix.fingerprint));
        entries.extend(others.map(|fix| FixEntry { only: Some(Only::WithoutUnsafe), ..fix }));
    }
    Ok(entries)
}

/// The fixes of a file with what each changes, by transform. Where a fix comes about only together with a
/// later one, what the later one changes has both.
fn chain(original: &Original<'_>, outcome: &Outcome) -> Result<Vec<FixEntry>, String> {
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
