//! `fix --verify`: keeps the fixes that survive a build.

use std::collections::BTreeSet;

use dockeropt_transforms::Surroundings;

use super::{Lab, LabError, Recipe, Tests, Verification, allowance, verify};
use crate::pipeline::{Options, Outcome, ReportedFix, optimize_in};

/// The fixes that survived, and the others with the evidence against them.
#[derive(Debug)]
pub struct Proof {
    /// What is left.
    pub outcome: Outcome,
    /// The comparison of the original with what is left.
    pub verification: Verification,
    /// The fixes that were dropped, in the order in which they were found, each with what was seen.
    pub dropped: Vec<(ReportedFix, String)>,
}

/// Applies all fixes that may be applied, builds, and as long as something unexpected differs finds
/// the first fix with which it does and drops it.
pub fn prove(
    lab: &mut Lab,
    text: &str,
    surroundings: &Surroundings<'_>,
    options: &Options,
    tests: &Tests,
) -> Result<Proof, LabError> {
    let mut options = options.clone();
    let mut dropped = Vec::new();
    loop {
        let outcome = optimize_in(text, &options, surroundings);
        let verification = try_out(lab, text, &outcome, tests)?;
        if verification.passed() || outcome.fixes.is_empty() {
            return Ok(Proof { outcome, verification, dropped });
        }
        let (guilty, evidence) = guilty(lab, (text, surroundings), &options, &outcome, tests)?;
        options.banned.insert(guilty.fingerprint.clone());
        dropped.push((guilty, evidence));
    }
}

fn try_out(lab: &mut Lab, text: &str, outcome: &Outcome, tests: &Tests) -> Result<Verification, LabError> {
    let (before, after) = (Recipe::of(text), Recipe::after(outcome));
    verify(lab, before, after, &outcome.fixes, &allowance(text, outcome), tests)
}

/// The first fix with which the image is wrong, found by halving, and what was seen.
fn guilty(
    lab: &mut Lab,
    (text, surroundings): (&str, &Surroundings<'_>),
    options: &Options,
    outcome: &Outcome,
    tests: &Tests,
) -> Result<(ReportedFix, String), LabError> {
    let fixes = &outcome.fixes;
    let mut seen = None;
    let (mut right, mut wrong) = (0, fixes.len());
    while wrong - right > 1 {
        let middle = usize::midpoint(right, wrong);
        let banned: BTreeSet<String> = fixes[middle..].iter().map(|fix| fix.fingerprint.clone()).collect();
        let options = Options { banned: options.banned.union(&banned).cloned().collect(), ..options.clone() };
        let verification = try_out(lab, text, &optimize_in(text, &options, surroundings), tests)?;
        if verification.passed() {
            right = middle;
        } else {
            (wrong, seen) = (middle, Some(verification));
        }
    }
    let seen = match seen {
        Some(seen) => seen,
        None => try_out(lab, text, outcome, tests)?,
    };
    Ok((fixes[wrong - 1].clone(), evidence(&seen)))
}

/// What speaks against a rewrite, in a line.
fn evidence(verification: &Verification) -> String {
    if let Some(said) = &verification.broken {
        return format!("the rewrite doesn't build: {}", super::last_line(said));
    }
    let trials = verification.trials.iter();
    if let Some((trial, differs)) = trials.filter_map(|it| Some((it, it.differs.as_ref()?))).next() {
        return format!("`{}`: {differs}", trial.command);
    }
    let places: Vec<String> = verification
        .unexpected()
        .map(|difference| format!("{} {}", difference.place, difference.what))
        .collect();
    match &places[..] {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one}, and {} more", rest.len()),
    }
}
