//! From a text to its outcome: transforms in their order, checked, until nothing changes.

mod place;
mod pragma;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dockeropt_facts::builds::Builds;
use dockeropt_facts::check::{Licence, check};
use dockeropt_facts::claim::{Assumption, Claim};
use dockeropt_facts::context_check::check_context;
use dockeropt_facts::project::{IgnoreFile, Project};
use dockeropt_facts::{Facts, Knowledge};
use dockeropt_syntax::{Dockerfile, Edits, LineIndex, Span, parse};
use dockeropt_transforms::{ALL, Context, Fix, Memo, Proposals, Settings, Surroundings, Transform};

use place::{History, Places};
use pragma::Pragmas;

/// What may be done to a file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only these transforms run, by id; empty means all that are on by default or enabled.
    pub only: BTreeSet<String>,
    /// These transforms don't run.
    pub skip: BTreeSet<String>,
    /// These transforms run, too, though they are off by default.
    pub enable: BTreeSet<String>,
    /// These transforms are of a later edition than the one that is wanted: they only run if they are named.
    pub newer: BTreeSet<&'static str>,
    /// Whether fixes with claims or assumptions are applied.
    pub allow_unsafe: bool,
    /// If not empty, only the fixes with these fingerprints are applied, or whose fingerprints begin so.
    pub fingerprints: BTreeSet<String>,
    /// The fixes with these fingerprints are not applied.
    pub banned: BTreeSet<String>,
    /// Whether `merge-run` also joins RUNs that gain nothing but a layer less.
    pub merge_always: bool,
    /// What the builds use: nothing that they don't read is written.
    pub builds: Builds,
    /// What is known of packages and images; `None` for what the program comes with.
    pub knowledge: Option<Arc<Knowledge>>,
    /// Whether transforms also tell of places that they are not about.
    pub why_not: bool,
}

/// Whether a fix can be applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// Nothing is claimed and nothing assumed: the image is the same.
    Safe,
    /// It rests on a claim or an assumption.
    Unsafe,
    /// It is shown and never applied.
    Display,
}

/// A fix in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedFix {
    /// The transform's id.
    pub transform: &'static str,
    /// What it does here, as an imperative sentence without a full stop.
    pub title: String,
    /// Whether it needs `--unsafe`.
    pub applicability: Applicability,
    /// Names the fix as long as its place and kind stay the same: 16 hexadecimal digits.
    pub fingerprint: String,
    /// The first line that it concerns in the original file, from 1.
    pub start_line: usize,
    /// The last line that it concerns in the original file.
    pub end_line: usize,
    /// What it lets differ in the image.
    pub claims: Vec<String>,
    /// What it takes for granted.
    pub assumes: Vec<String>,
    /// Why it is an improvement, and what else the reader should know.
    pub notes: Vec<String>,
    /// How many bytes the image is expected to lose, where there is a basis for it; negative if it grows.
    pub saves: Option<i64>,
    /// What it does, by itself; unknown in texts that are too long to keep.
    pub step: Option<Step>,
}

/// The ignore file of a build context, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreChange {
    /// Its path, as the user knows it.
    pub path: String,
    /// What it said, if it was there.
    pub before: Option<String>,
    /// What it says now.
    pub after: String,
    /// The lines that were added.
    pub added: Vec<String>,
}

/// What a fix does to the text that it is made in, which other fixes may have changed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// That text.
    pub before: Arc<str>,
    /// The changes to it.
    pub edits: Edits,
}

/// A place where a transform looked and held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedRefusal {
    /// The transform's id.
    pub transform: &'static str,
    /// The line in the original file, from 1.
    pub line: usize,
    /// Why nothing was done.
    pub reason: String,
}

/// Something that is said of a place: why BuildKit would refuse the file, or a comment to dockeropt that
/// it doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedDiagnostic {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// A result that failed the check against the original: a bug of dockeropt. The fix was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The transform whose fix is to blame, if it could be found.
    pub transform: Option<&'static str>,
    /// What differs.
    pub message: String,
    /// The text that the transform was given.
    pub reproducer: String,
}

/// What became of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The result; equal to the input if nothing was done.
    pub after: String,
    /// What became of the ignore file of the context, if it changes.
    pub ignore: Option<IgnoreChange>,
    /// What was applied, in the order of application.
    pub fixes: Vec<ReportedFix>,
    /// What the applied fixes claim, also where it doesn't count.
    pub claims: Vec<Claim>,
    /// What would be applied with `--unsafe`.
    pub held_back: Vec<ReportedFix>,
    /// Where transforms held back.
    pub declined: Vec<ReportedRefusal>,
    /// Why the file is refused; if there is any, nothing was done.
    pub diagnostics: Vec<ReportedDiagnostic>,
    /// Comments to dockeropt that mean nothing to it.
    pub warnings: Vec<ReportedDiagnostic>,
    /// Bugs found by the check.
    pub bugs: Vec<Bug>,
}

/// Rewrites one file.
///
/// The transforms run in the order of [`ALL`]; what each proposes is applied at once and the file is
/// read anew, until none proposes anything more. Then the result is compared with the original. If it
/// does something else, the fix to blame is found by halving, dropped, and reported as a bug.
pub fn optimize(text: &str, options: &Options) -> Outcome {
    optimize_in(text, options, &Surroundings::unknown())
}

/// Rewrites one file as [`optimize`] does, given what lies around it.
pub fn optimize_in(text: &str, options: &Options, surroundings: &Surroundings<'_>) -> Outcome {
    let original = parse(text);
    if !original.diagnostics.is_empty() {
        return refused(&original);
    }
    let outcome = if pragma::skips_file(&original) {
        Outcome { after: text.to_owned(), ..Outcome::default() }
    } else {
        rewrite(&original, options, surroundings)
    };
    let index = LineIndex::new(text);
    let warnings = pragma::mistakes(&original)
        .into_iter()
        .map(|(offset, message)| reported(&original, &index, offset, message))
        .collect();
    Outcome { warnings, ..outcome }
}

/// What a text becomes by one fix of its `outcome` and as few others as that needs: by itself, or else with
/// some of those before it, first of those that concern the same lines. `None` if it can't be had even with
/// all of them.
pub fn alone(
    text: &str,
    options: &Options,
    surroundings: &Surroundings<'_>,
    outcome: &Outcome,
    fix: &ReportedFix,
) -> Option<Outcome> {
    let end = outcome.fixes.iter().position(|applied| applied.fingerprint == fix.fingerprint);
    let before = &outcome.fixes[..end.unwrap_or(outcome.fixes.len())];
    let meets = |other: &&ReportedFix| other.start_line <= fix.end_line && fix.start_line <= other.end_line;
    let made_with = |others: &[&ReportedFix]| {
        let named = others.iter().copied().chain([fix]).map(|fix| fix.fingerprint.clone());
        let options = Options { fingerprints: named.collect(), ..options.clone() };
        let result = optimize_in(text, &options, surroundings);
        result.fixes.iter().any(|made| made.fingerprint == fix.fingerprint).then_some(result)
    };
    let tries: [Vec<&ReportedFix>; 3] =
        [Vec::new(), before.iter().filter(meets).collect(), before.iter().collect()];
    let (mut result, mut others) =
        tries.into_iter().find_map(|others| made_with(&others).map(|result| (result, others)))?;
    let is_made = |result: &Outcome, other: &ReportedFix| {
        result.fixes.iter().any(|made| made.fingerprint == other.fingerprint)
    };
    others.retain(|other| is_made(&result, other));
    if others.len() <= MOST_OTHERS {
        for at in (0..others.len()).rev() {
            let mut fewer = others.clone();
            fewer.remove(at);
            if let Some(same) = made_with(&fewer) {
                (result, others) = (same, fewer);
            }
        }
    }
    Some(result)
}

/// Of more fixes that another one may need, it is not tried which of them it does: each takes a rewrite.
const MOST_OTHERS: usize = 8;

fn rewrite(original: &Dockerfile<'_>, options: &Options, surroundings: &Surroundings<'_>) -> Outcome {
    let text = original.text;
    let before = Facts::new(original);
    let mut run = Run {
        before: &before,
        options,
        surroundings,
        places: Places::new(original),
        banned: options.banned.clone(),
    };
    let mut bugs = Vec::new();
    loop {
        let attempt = run.attempt(None);
        let Err(message) = &attempt.verdict else { return attempt.into_outcome(&run.places, bugs) };
        let message = message.clone();
        let guilty = run.guilty(&attempt);
        let known = guilty.map(|at| &attempt.applied[at]);
        bugs.push(Bug { transform: known.map(|fix| fix.transform), message, reproducer: text.to_owned() });
        match known {
            Some(fix) if bugs.len() < MOST_BUGS => drop(run.banned.insert(fix.fingerprint.clone())),
            // Nothing is left but to leave the file as it was.
            _ => return Outcome { after: text.to_owned(), bugs, ..Outcome::default() },
        }
    }
}

/// After so many bugs a file is left as it was.
const MOST_BUGS: usize = 8;

/// No fix makes a line longer than this. The builder reads 65,535 bytes; other fixes of the same turn
/// may write to the same line.
const LONGEST_LINE: usize = 20_000;

/// Of a text with more bytes, the steps that led to the result are not kept.
const LONGEST_STEP: usize = 1 << 20;

/// After so many applications the transforms are taken to undo each other.
const MOST_APPLICATIONS: usize = 200;

fn refused(file: &Dockerfile<'_>) -> Outcome {
    let index = LineIndex::new(file.text);
    let diagnostics = file
        .diagnostics
        .iter()
        .map(|diagnostic| reported(file, &index, diagnostic.span.start, diagnostic.message.clone()));
    Outcome { after: file.text.to_owned(), diagnostics: diagnostics.collect(), ..Outcome::default() }
}

fn reported(file: &Dockerfile<'_>, index: &LineIndex, offset: usize, message: String) -> ReportedDiagnostic {
    let position = index.position(file.text, offset);
    ReportedDiagnostic { line: position.line, column: position.column, message }
}

struct Run<'r> {
    before: &'r Facts<'r>,
    options: &'r Options,
    surroundings: &'r Surroundings<'r>,
    places: Places<'r>,
    /// The fingerprints of fixes that are not to be applied, or that turned out to be wrong.
    banned: BTreeSet<String>,
}

/// A fix that was applied.
struct Applied {
    transform: &'static str,
    fingerprint: String,
    report: ReportedFix,
    claims: Vec<Claim>,
    assumptions: Vec<Assumption>,
}

/// A context with another ignore file.
struct ChangedContext {
    surroundings: Surroundings<'static>,
    /// The ignore file as it was.
    before: IgnoreFile,
    /// The lines that were added.
    added: Vec<String>,
}

/// What the transforms made of the file.
struct Attempt {
    text: String,
    /// The context, if its ignore file changed.
    changed: Option<ChangedContext>,
    applied: Vec<Applied>,
    held_back: Vec<ReportedFix>,
    declined: Vec<ReportedRefusal>,
    undoing: bool,
    /// Whether the text does what the original does, or how it differs.
    verdict: Result<(), String>,
}

impl ChangedContext {
    fn into_change(self) -> Option<IgnoreChange> {
        let IgnoreFile { path, text } = self.surroundings.known()?.ignore_file.clone();
        Some(IgnoreChange { path, before: self.before.text, after: text?, added: self.added })
    }
}

impl Attempt {
    fn into_outcome(self, places: &Places<'_>, bugs: Vec<Bug>) -> Outcome {
        let mut bugs = bugs;
        if self.undoing {
            let message = "the transforms undo each other's work".to_owned();
            bugs.push(Bug { transform: None, message, reproducer: places.text().to_owned() });
            return Outcome { after: places.text().to_owned(), bugs, ..Outcome::default() };
        }
        // A fix that was made in two steps is one to the reader.
        let mut fixes: Vec<ReportedFix> = Vec::new();
        let mut claims = Vec::new();
        let mut reported: BTreeSet<String> = BTreeSet::new();
        for fix in self.applied {
            add_new(&mut claims, &fix.claims);
            if reported.insert(fix.fingerprint) {
                fixes.push(fix.report);
            }
        }
        Outcome {
            after: self.text,
            ignore: self.changed.and_then(ChangedContext::into_change),
            fixes,
            claims,
            held_back: self.held_back,
            declined: self.declined,
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            bugs,
        }
    }
}

impl Run<'_> {
    fn selected(&self) -> Vec<&'static dyn Transform> {
        let wanted = |transform: &&'static dyn Transform| {
            let meta = transform.meta();
            let Options { only, enable, newer, .. } = self.options;
            let named = match only.is_empty() {
                false => only.contains(meta.id),
                true => enable.contains(meta.id) || meta.on_by_default && !newer.contains(meta.id),
            };
            named && !self.options.skip.contains(meta.id)
        };
        ALL.into_iter().filter(wanted).collect()
    }

    /// Lets the transforms work until none has anything to propose. `allowed` restricts the fixes.
    fn attempt(&self, allowed: Option<&BTreeSet<&str>>) -> Attempt {
        let Options { merge_always, builds, .. } = *self.options;
        let settings = Settings { merge_always, builds };
        let selected = self.selected();
        let mut attempt = Attempt {
            text: self.places.text().to_owned(),
            changed: None,
            applied: Vec::new(),
            held_back: Vec::new(),
            declined: Vec::new(),
            undoing: false,
            verdict: Ok(()),
        };
        let mut history = History::default();
        // What each transform had to say when it was last asked.
        let mut said: Vec<(Vec<ReportedFix>, Vec<ReportedRefusal>)> =
            vec![Default::default(); selected.len()];
        let (mut at, mut unchanged, mut applications) = (0, 0, 0);
        while unchanged < selected.len() {
            let (file, derived);
            let facts = if applications == 0 {
                self.before
            } else {
                file = parse(&attempt.text);
                derived = Facts::new(&file);
                &derived
            };
            let memo = Memo::new(facts);
            let surroundings = attempt.changed.as_ref().map_or(self.surroundings, |it| &it.surroundings);
            let knowledge = self.options.knowledge.as_deref().unwrap_or_else(|| Knowledge::builtin());
            let context = Context { facts, memo: &memo, settings: &settings, knowledge, surroundings };
            let mut edits = Edits::new();
            let mut ignored: Vec<String> = Vec::new();
            while unchanged < selected.len() && edits.is_empty() && ignored.is_empty() {
                if self.only_shows(selected[at]) {
                    unchanged += 1;
                    at = (at + 1) % selected.len();
                    continue;
                }
                let is_done = attempt.applied.iter().any(|fix| fix.transform == selected[at].meta().id);
                let proposals = self.ask(selected[at], &context, is_done);
                let chosen = self.choose(facts.file, proposals, &history, allowed, &mut said[at]);
                for (fix, report) in chosen {
                    if edits.merge(&fix.edits).is_ok() {
                        ignored.extend(fix.ignore);
                        attempt.applied.push(Applied {
                            transform: fix.transform,
                            fingerprint: report.fingerprint.clone(),
                            report,
                            claims: fix.claims,
                            assumptions: fix.assumptions,
                        });
                    }
                }
                unchanged = if edits.is_empty() && ignored.is_empty() { unchanged + 1 } else { 0 };
                at = (at + 1) % selected.len();
            }
            if edits.is_empty() && ignored.is_empty() {
                for (&transform, said) in selected.iter().zip(&mut said) {
                    if self.only_shows(transform) {
                        let proposals = self.ask(transform, &context, false);
                        let chosen = self.choose(facts.file, proposals, &history, allowed, said);
                        debug_assert!(chosen.is_empty(), "{} is never safe", transform.meta().id);
                    }
                }
                let project = surroundings.known().filter(|_| attempt.changed.is_some());
                attempt.verdict = self.verify(&attempt.applied, facts, project);
                break;
            }
            applications += 1;
            if let Some(project) = surroundings.known().filter(|_| !ignored.is_empty()) {
                let surroundings = Surroundings::of(project.with_ignored(&ignored));
                let (before, mut added) = match &attempt.changed {
                    Some(changed) => (changed.before.clone(), changed.added.clone()),
                    None => (project.ignore_file.clone(), Vec::new()),
                };
                added.append(&mut ignored);
                attempt.changed = Some(ChangedContext { surroundings, before, added });
            }
            let text = edits.apply(&attempt.text);
            let is_new = edits.is_empty() || history.add(&edits, &text);
            if applications > MOST_APPLICATIONS || !is_new {
                attempt.undoing = true;
                break;
            }
            attempt.text = text;
        }
        for (held_back, declined) in said {
            attempt.held_back.extend(held_back);
            attempt.declined.extend(declined);
        }
        attempt
    }

    /// What a transform has to say, and, where that is asked for, why it has nothing to say. What is done already
    /// is no reason.
    fn ask(&self, transform: &dyn Transform, context: &Context<'_>, is_done: bool) -> Proposals {
        let mut proposals = Proposals::default();
        transform.propose(context, &mut proposals);
        if self.options.why_not && !is_done {
            proposals.pass(transform, context);
        }
        proposals
    }

    /// Whether nothing of what a transform proposes would be applied: then what it says of the last text counts.
    fn only_shows(&self, transform: &dyn Transform) -> bool {
        transform.is_never_safe() && !self.options.allow_unsafe && self.options.fingerprints.is_empty()
    }

    /// The fixes to apply; the others go into `said`.
    fn choose(
        &self,
        file: &Dockerfile<'_>,
        proposals: Proposals,
        history: &History,
        allowed: Option<&BTreeSet<&str>>,
        said: &mut (Vec<ReportedFix>, Vec<ReportedRefusal>),
    ) -> Vec<(Fix, ReportedFix)> {
        let mut chosen = Vec::new();
        said.0.clear();
        said.1 = proposals
            .declined
            .into_iter()
            // Of a stage that a fix made there is nothing to say.
            .filter(|declined| !(starts_stage(file, declined.span) && history.is_new(declined.span.start)))
            .map(|declined| ReportedRefusal {
                transform: declined.transform,
                line: self.places.line(history.origin(declined.span.start)),
                reason: declined.describe(|offset| self.places.line(history.origin(offset))),
            })
            .collect();
        let mut taken = BTreeMap::new();
        let pragmas = Pragmas::new(file);
        let text = (!proposals.fixes.is_empty() && file.text.len() <= LONGEST_STEP).then(|| file.text.into());
        for fix in proposals.fixes {
            let mut report = self.report(&fix, history, &mut taken);
            report.step = text.clone().map(|before| Step { before, edits: fix.edits.clone() });
            if let Some(reason) = pragmas.skips(&fix) {
                said.1.push(ReportedRefusal { transform: fix.transform, line: report.start_line, reason });
                continue;
            }
            if fix.edits.longest_line(file.text) > LONGEST_LINE {
                let reason = "a line would get too long".to_owned();
                said.1.push(ReportedRefusal { transform: fix.transform, line: report.start_line, reason });
                continue;
            }
            let named = self.options.fingerprints.iter().any(|start| report.fingerprint.starts_with(start));
            let wanted = self.options.fingerprints.is_empty() || named;
            let may = fix.is_safe() || self.options.allow_unsafe || named;
            let banned = self.banned.contains(&report.fingerprint)
                || allowed.is_some_and(|allowed| !allowed.contains(report.fingerprint.as_str()));
            if wanted && may && !banned {
                chosen.push((fix, report));
            } else if !banned && !may {
                said.0.push(report);
            }
        }
        chosen
    }

    fn report(&self, fix: &Fix, history: &History, taken: &mut BTreeMap<String, usize>) -> ReportedFix {
        let start = history.origin(fix.span.start);
        let end = history.origin(fix.span.end.saturating_sub(1).max(fix.span.start));
        let mut fingerprint = self.places.fingerprint(fix, start, 0);
        let again = taken.entry(fingerprint.clone()).or_default();
        if *again > 0 {
            fingerprint = self.places.fingerprint(fix, start, *again);
        }
        *again += 1;
        let start_line = self.places.line(start);
        ReportedFix {
            transform: fix.transform,
            title: fix.title.clone(),
            applicability: if fix.is_safe() { Applicability::Safe } else { Applicability::Unsafe },
            fingerprint,
            start_line,
            end_line: self.places.line(end).max(start_line),
            claims: fix.claims.iter().filter(|claim| claim.counts()).map(Claim::describe).collect(),
            assumes: fix.assumptions.iter().map(Assumption::describe).collect(),
            notes: fix.notes.clone(),
            saves: fix.saves,
            step: None,
        }
    }

    /// Compares a result with the original, and the context with what it was if its ignore file changed.
    fn verify(
        &self,
        applied: &[Applied],
        after: &Facts<'_>,
        project: Option<&Project>,
    ) -> Result<(), String> {
        if applied.is_empty() {
            return Ok(());
        }
        let mut licence = Licence::default();
        for fix in applied {
            add_new(&mut licence.claims, &fix.claims);
            add_new(&mut licence.assumptions, &fix.assumptions);
        }
        if let Some(feature) = self.options.builds.too_new(self.before.file, after.file) {
            return Err(format!("the result has `{feature}`, which the builds may not read"));
        }
        check(self.before, after, &licence)
            .and_then(|()| match (self.surroundings.known(), project) {
                (Some(before), Some(project)) => check_context(after, before, project, &licence),
                _ => Ok(()),
            })
            .map_err(|difference| difference.message)
    }

    /// The first fix with which the result is wrong, found by halving.
    fn guilty(&self, attempt: &Attempt) -> Option<usize> {
        let fails = |count: usize| {
            let allowed: BTreeSet<&str> =
                attempt.applied[..count].iter().map(|fix| fix.fingerprint.as_str()).collect();
            self.attempt(Some(&allowed)).verdict.is_err()
        };
        let (mut right, mut wrong) = (0, attempt.applied.len());
        if wrong == 0 || !fails(wrong) {
            return None;
        }
        while wrong - right > 1 {
            let middle = usize::midpoint(right, wrong);
            if fails(middle) { wrong = middle } else { right = middle }
        }
        Some(wrong - 1)
    }
}

fn add_new<T: Clone + PartialEq>(known: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !known.contains(one) {
            known.push(one.clone());
        }
    }
}

/// Whether the instruction at a place is a FROM.
fn starts_stage(file: &Dockerfile<'_>, span: Span) -> bool {
    file.text.get(span.start..span.start + 4).is_some_and(|text| text.eq_ignore_ascii_case("from"))
}
