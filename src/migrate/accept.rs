//! Which fixes are accepted: by a review, or by what stands in for one.

use super::arguments::Accept;
use super::decisions::{Decisions, Verdict};
use super::names::mark;
use super::plan::{Entry, FixEntry, Only};
use super::stack::{Accepted, Terms};

/// The accepted fixes of a repository. What was rejected stays rejected; `accept` decides what no review
/// did.
pub(super) fn accepted(entry: &Entry, decisions: &Decisions, accept: Option<Accept>) -> Accepted {
    accepted_if(entry, |path, fix| match decisions.of(&entry.source, path, &fix.fingerprint) {
        Some(verdict) => verdict == Verdict::Accept,
        None => match accept {
            Some(Accept::All) => true,
            Some(Accept::Safe) => fix.is_safe() && !waits(entry, decisions, path, fix),
            None => false,
        },
    })
}

/// How many safe fixes of a repository are not made when what no review decided is accepted if it is safe.
pub(super) fn waiting(entry: &Entry, decisions: &Decisions) -> usize {
    let is_undecided =
        |path: &str, fix: &FixEntry| decisions.of(&entry.source, path, &fix.fingerprint).is_none();
    let waiting = |&(path, fix): &(&str, &FixEntry)| {
        fix.is_safe() && is_undecided(path, fix) && waits(entry, decisions, path, fix)
    };
    entry.fixes().filter(waiting).count()
}

/// Whether a fix builds on unsafe ones, of which no review accepted any in its file.
fn waits(entry: &Entry, decisions: &Decisions, path: &str, fix: &FixEntry) -> bool {
    let is_base = |(at, other): (&str, &FixEntry)| {
        let verdict = || decisions.of(&entry.source, path, &other.fingerprint);
        at == path && !other.is_safe() && verdict() == Some(Verdict::Accept)
    };
    fix.only == Some(Only::WithUnsafe) && !entry.fixes().any(is_base)
}

/// The fixes of a repository that are `wanted`, on the terms of the plan.
pub(super) fn accepted_if(entry: &Entry, wanted: impl Fn(&str, &FixEntry) -> bool) -> Accepted {
    let mut accepted = Accepted::new();
    for (path, fix) in entry.fixes().filter(|(path, fix)| wanted(path, fix)) {
        let makes_way = fix.only == Some(Only::WithoutUnsafe);
        let terms = Terms { claims: fix.claims.clone(), assumes: fix.assumes.clone(), makes_way };
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
