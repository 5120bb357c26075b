//! From accepted fixes to a stack of changes, one for each transform.

use std::collections::{BTreeMap, BTreeSet};

use dockeropt_transforms::{ALL, Surroundings};
use serde::{Deserialize, Serialize};

use super::graph::RELIES;
use super::plan::FixEntry;
use super::present::{Secrets, entry};
use crate::fix::{caught, describe_bug};
use crate::pipeline::{IgnoreChange, Options, Outcome, ReportedFix, optimize_in};

/// A file that may be rewritten.
#[derive(Debug)]
pub(super) struct Original<'s> {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) options: Options,
    /// What lies around it.
    pub(super) surroundings: Surroundings<'s>,
}

/// On what terms a fix was accepted: what it lets differ, and what it takes for granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) claims: Vec<String>,
    pub(super) assumes: Vec<String>,
    /// Whether it makes way for an unsafe fix that is accepted, too.
    pub(super) makes_way: bool,
}

/// The accepted fixes: by path, by fingerprint.
pub(super) type Accepted = BTreeMap<String, BTreeMap<String, Terms>>;

/// Texts of files by path, as [`dockeropt_syntax::Text`] holds them; `None` for a file that isn't there.
pub(super) type Texts = BTreeMap<String, Option<String>>;

/// A file that changes, or is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) path: String,
    pub(super) before: Option<String>,
    pub(super) after: String,
}

/// What one transform does in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) transform: String,
    /// The fixes, with the paths of their files; secret values are hidden, and what changes is not in them.
    pub(super) fixes: Vec<(String, FixEntry)>,
    pub(super) changes: Vec<Change>,
}

/// What accepted fixes do in a repository, to be done from the first to the last.
#[derive(Debug, Default)]
pub(super) struct Stack {
    pub(super) parts: Vec<Part>,
    /// Accepted fixes that can't be made, with the paths of their files, and why.
    pub(super) left_out: Vec<(String, String, &'static str)>,
    /// What went wrong with a file, with its path.
    pub(super) problems: Vec<(String, String)>,
}

/// What the fixes of a repository do, by what is accepted of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stacks {
    /// The safe ones.
    pub(super) safe: Vec<Part>,
    /// The safe ones of which those who start from the image can't tell.
    pub(super) neutral: Vec<Part>,
    /// All.
    pub(super) all: Vec<Part>,
}

/// Why an accepted fix is not made.
const NOT_THERE: &str = "it is not proposed any more, or builds on a fix that was not accepted";
const OTHER_TERMS: &str = "it claims or assumes more than what was accepted";

/// The place of a transform in the order in which they run.
pub(super) fn rank(transform: &str) -> usize {
    ALL.iter().position(|known| known.meta().id == transform).unwrap_or(ALL.len())
}

/// What a rewrite with some fixes, by fingerprint, gives. Without any, nothing changes.
pub(super) fn rewrite(original: &Original<'_>, fixes: &BTreeSet<String>) -> Result<(Outcome, Texts), String> {
    let text = |text: &str| (original.path.clone(), Some(text.to_owned()));
    if fixes.is_empty() {
        return Ok((Outcome::default(), Texts::from([text(&original.text)])));
    }
    let options = Options { fingerprints: fixes.clone(), ..original.options.clone() };
    let outcome = caught(|| optimize_in(&original.text, &options, &original.surroundings))?;
    let mut texts = Texts::from([text(&outcome.after)]);
    if let Some(IgnoreChange { path, after, .. }) = &outcome.ignore {
        texts.insert(path.clone(), Some(after.clone()));
    }
    Ok((outcome, texts))
}

/// The files that a rewrite is about, as they were before.
pub(super) fn before(original: &Original<'_>, outcome: &Outcome) -> Texts {
    let mut texts = Texts::from([(original.path.clone(), Some(original.text.clone()))]);
    if let Some(IgnoreChange { path, before, .. }) = &outcome.ignore {
        texts.insert(path.clone(), before.clone());
    }
    texts
}

/// The stack of a repository.
pub(super) fn stack(originals: &[Original<'_>], accepted: &Accepted) -> Stack {
    let mut stack = Stack::default();
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for original in originals {
        let Some(wanted) = accepted.get(&original.path).filter(|wanted| !wanted.is_empty()) else { continue };
        if let Err(message) = add(original, wanted, &mut parts, &mut stack) {
            stack.problems.push((original.path.clone(), message));
        }
    }
    stack.parts = parts.into_values().filter(|part| !part.changes.is_empty()).collect();
    stack
}

/// Adds what is done to one file. Each part is what the fixes up to its transform give beyond those before:
/// every state between two parts is one that the pipeline has checked.
fn add(
    original: &Original<'_>,
    wanted: &BTreeMap<String, Terms>,
    parts: &mut BTreeMap<usize, Part>,
    stack: &mut Stack,
) -> Result<(), String> {
    let secrets = Secrets::of(&original.text);
    let mut taken: BTreeSet<String> = wanted.keys().cloned().collect();
    let mut refused = BTreeSet::new();
    let (outcome, fixes) = loop {
        let (outcome, _) = rewrite(original, &taken)?;
        stack.problems.extend(outcome.bugs.iter().map(|bug| (original.path.clone(), describe_bug(bug))));
        let fixes: Vec<ReportedFix> = outcome.fixes.iter().map(|fix| secrets.clean(fix)).collect();
        let is_more = |fix: &&ReportedFix| {
            let terms = &wanted[&fix.fingerprint];
            fix.claims.iter().any(|claim| !terms.claims.contains(claim))
                || fix.assumes.iter().any(|assumed| !terms.assumes.contains(assumed))
        };
        let more: Vec<String> = fixes.iter().filter(is_more).map(|fix| fix.fingerprint.clone()).collect();
        if more.is_empty() {
            let fixes: Vec<_> = fixes.into_iter().map(|fix| with_users(fix, wanted)).collect();
            break (outcome, fixes);
        }
        taken.retain(|fingerprint| !more.contains(fingerprint));
        refused.extend(more);
    };
    let made: BTreeSet<&str> = fixes.iter().map(|fix| fix.fingerprint.as_str()).collect();
    let is_missed = |(fingerprint, terms): &(&String, &Terms)| {
        !made.contains(fingerprint.as_str()) && (!terms.makes_way || made.is_empty())
    };
    for (fingerprint, _) in wanted.iter().filter(is_missed) {
        let reason = if refused.contains(fingerprint) { OTHER_TERMS } else { NOT_THERE };
        stack.left_out.push((original.path.clone(), fingerprint.clone(), reason));
    }
    let mut by_rank: BTreeMap<usize, Vec<ReportedFix>> = BTreeMap::new();
    for fix in fixes {
        by_rank.entry(rank(fix.transform)).or_default().push(fix);
    }
    let mut so_far = BTreeSet::new();
    let mut before = before(original, &outcome);
    for (rank, fixes) in by_rank {
        so_far.extend(fixes.iter().map(|fix| fix.fingerprint.clone()));
        let (_, after) = rewrite(original, &so_far)?;
        let transform = ALL[rank].meta().id.to_owned();
        let part = parts.entry(rank).or_insert(Part { transform, fixes: Vec::new(), changes: Vec::new() });
        part.fixes.extend(fixes.into_iter().map(|fix| (original.path.clone(), entry(fix))));
        changes(&before, &after).into_iter().for_each(|change| add_change(change, &mut part.changes));
        before.extend(after);
    }
    Ok(())
}

/// Adds a change. Two Dockerfiles of one context may add lines to the same ignore file.
fn add_change(change: Change, changes: &mut Vec<Change>) {
    let Some(known) = changes.iter_mut().find(|known| known.path == change.path) else {
        changes.push(change);
        return;
    };
    for line in change.after.lines() {
        if !known.after.lines().any(|known| known == line) {
            if !known.after.is_empty() && !known.after.ends_with('\n') {
                known.after.push('\n');
            }
            known.after.push_str(line);
            known.after.push('\n');
        }
    }
}

/// A fix with what it takes for granted of those who start from the image, as the plan says.
fn with_users(fix: ReportedFix, wanted: &BTreeMap<String, Terms>) -> ReportedFix {
    let terms = &wanted[&fix.fingerprint];
    let mut assumes = fix.assumes;
    assumes.extend(terms.assumes.iter().filter(|assumed| *assumed == RELIES).cloned());
    ReportedFix { assumes, ..fix }
}

/// What differs between two states of some files. A file that only the first one has did not change yet in
/// the second.
pub(super) fn changes(before: &Texts, after: &Texts) -> Vec<Change> {
    let change = |(path, text): (&String, &Option<String>)| {
        let before = before.get(path).cloned().flatten();
        let after = text.clone().filter(|text| Some(text) != before.as_ref())?;
        Some(Change { path: path.clone(), before, after })
    };
    after.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::optimize;

    const TEXT: &str = "FROM ubuntu:22.04\nRUN apt-get update\nRUN apt-get install -y build-essential\n";

    fn original() -> Original<'static> {
        let options = Options { allow_unsafe: true, ..Options::default() };
        let (path, text) = ("Dockerfile".to_owned(), TEXT.to_owned());
        Original { path, text, options, surroundings: Surroundings::unknown() }
    }

    fn terms(keep: impl Fn(&ReportedFix) -> bool) -> Accepted {
        let original = original();
        let outcome = optimize(TEXT, &original.options);
        let terms = |fix: &ReportedFix| Terms {
            claims: fix.claims.clone(),
            assumes: fix.assumes.clone(),
            makes_way: false,
        };
        let kept = outcome.fixes.iter().filter(|fix| keep(fix));
        let wanted = kept.map(|fix| (fix.fingerprint.clone(), terms(fix))).collect();
        [("Dockerfile".to_owned(), wanted)].into()
    }

    #[test]
    fn there_is_one_part_for_each_transform() {
        let stack = stack(&[original()], &terms(|_| true));
        let transforms: Vec<_> = stack.parts.iter().map(|part| part.transform.as_str()).collect();
        assert_eq!(transforms, ["merge-run", "no-recommends", "clean-package-cache"]);
        let last = &stack.parts[2].changes[0];
        assert_eq!(last.before.as_ref(), Some(&stack.parts[1].changes[0].after));
        assert_eq!(last.after, optimize(TEXT, &original().options).after);
        assert!(stack.left_out.is_empty() && stack.problems.is_empty());
    }

    #[test]
    fn a_fix_that_builds_on_a_rejected_one_is_left_out() {
        let stack = stack(&[original()], &terms(|fix| fix.transform == "clean-package-cache"));
        assert!(stack.parts.is_empty());
        assert_eq!(stack.left_out[0].2, NOT_THERE);
    }

    #[test]
    fn a_fix_on_other_terms_is_left_out() {
        let mut accepted = terms(|_| true);
        for terms in accepted.values_mut().flat_map(BTreeMap::values_mut) {
            *terms = Terms::default();
        }
        let stack = stack(&[original()], &accepted);
        assert!(stack.parts.iter().all(|part| part.transform != "no-recommends"));
        assert!(stack.left_out.iter().any(|(_, _, reason)| *reason == OTHER_TERMS));
    }

    #[test]
    fn lines_for_one_ignore_file_are_joined() {
        let change = |after: &str| Change {
            path: ".dockerignore".to_owned(),
            before: Some("a".to_owned()),
            after: after.to_owned(),
        };
        let mut changes = Vec::new();
        add_change(change("a\nb\n"), &mut changes);
        add_change(change("a\nc\nb\n"), &mut changes);
        assert_eq!(changes, [change("a\nb\nc\n")]);
    }
}
