//! Which fixes are accepted: by a review, or by what stands in for one.

use super::arguments::Accept;
use super::decisions::{Decisions, Verdict};
use super::names::mark;
use super::plan::{Entry, FixEntry};
use super::stack::{Accepted, Terms};

/// The accepted fixes of a repository. What was rejected stays rejected; `accept` decides what no review
/// did.
pub(super) fn accepted(entry: &Entry, decisions: &Decisions, accept: Option<Accept>) -> Accepted {
    accepted_if(entry, |path, fix| match decisions.of(&entry.source, path, &fix.fingerprint) {
        Some(verdict) => verdict == Verdict::Accept,
        None => match accept {
            Some(Accept::All) => true,
            Some(Accept::Safe) => fix.is_safe(),
            None => false,
        },
    })
}

/// The fixes of a repository that are `wanted`, on the terms of the plan.
pub(super) fn accepted_if(entry: &Entry, wanted: impl Fn(&str, &FixEntry) -> bool) -> Accepted {
    let mut accepted = Accepted::new();
    for (path, fix) in entry.fixes().filter(|(path, fix)| wanted(path, fix)) {
        let terms = Terms { claims: fix.claims.clone(), assumes: fix.assumes.clone() };
        accepted.entry(path.to_owned()).or_default().insert(fix.fingerprint.clone(), terms);
    }
    accepted
}

/// A mark that stands for what is accepted.
pub(super) fn marked(accepted: &Accepted) -> String {
    let texts = accepted
        .iter()
        .flat_map(|(path, fixes)| std::iter::once(path.as_str()).chain(fixes.keys().map(String::as_str)));
    mark(&texts.collect::<Vec<_>>())
}
