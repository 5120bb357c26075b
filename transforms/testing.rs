//! Tests of one transform: Dockerfiles before and after, and Dockerfiles that it leaves alone.
//!
//! A Dockerfile that starts with a line break is indented like the code around it; the indent is
//! taken off. Every rewrite is tried in several layouts, see [`layouts`].

use dockeropt_facts::check::{Licence, check};
use dockeropt_facts::context_check::check_context;
use dockeropt_facts::{Facts, Knowledge, Project};
use dockeropt_syntax::{Edits, LineIndex, parse};
use similar::TextDiff;
use unindent::unindent;

use crate::{Context, Declined, Fix, Memo, Proposals, Settings, Surroundings, Transform};

/// What a transform is tried with.
#[derive(Clone, Default)]
pub(crate) struct Around {
    settings: Settings,
    project: Option<Project>,
}

impl Around {
    /// A build context of files with their content.
    pub(crate) fn files(files: &[(&str, &str)]) -> Self {
        let texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self { project: Some(Project::from_texts(texts.collect())), ..Self::default() }
    }

    /// A build context.
    pub(crate) fn project(project: Project) -> Self {
        Self { project: Some(project), ..Self::default() }
    }

    /// The build context.
    pub(crate) fn into_project(self) -> Project {
        self.project.unwrap_or_default()
    }

    /// The same, with settings.
    pub(crate) fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Settings, and no build context.
    pub(crate) fn settings(settings: &Settings) -> Self {
        Self { settings: settings.clone(), project: None }
    }
}

/// The transform leaves the Dockerfile as it is and adds these lines to the ignore file: by safe fixes,
/// and by all.
#[track_caller]
pub(crate) fn adds_lines(
    transform: &dyn Transform,
    around: &Around,
    dockerfile: &str,
    safe: &[&str],
    all: &[&str],
) {
    let dockerfile = dedent(dockerfile);
    for (take, expected) in [(Take::Safe, safe), (Take::All, all)] {
        let run = Run::new(transform, around, &dockerfile, take);
        run.gives(&dockerfile, &dockerfile, "a context");
        let mut added: Vec<&str> = run.ignored.iter().map(String::as_str).collect();
        added.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(added, expected, "{:?}", run.declined);
    }
}

/// Which fixes are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Safe,
    All,
}

/// The transform turns one Dockerfile into another, by safe fixes.
#[track_caller]
pub(crate) fn rewrites(transform: &dyn Transform, before: &str, after: &str) {
    rewrites_in(transform, &Around::default(), before, after);
}

/// Like [`rewrites`], given what lies around the file.
#[track_caller]
pub(crate) fn rewrites_in(transform: &dyn Transform, around: &Around, before: &str, after: &str) {
    for (layout, before, after) in layouts(before, after) {
        let run = Run::new(transform, around, &before, Take::Safe);
        run.gives(&before, &after, layout);
    }
}

/// Like [`rewrites_in`], in the layout that is given: for files that begin with a directive.
#[track_caller]
pub(crate) fn rewrites_as_written(transform: &dyn Transform, around: &Around, before: &str, after: &str) {
    Run::new(transform, around, before, Take::Safe).gives(before, after, "as written");
}

/// The transform turns one Dockerfile into another if all fixes are taken, of which some may be safe.
#[track_caller]
pub(crate) fn takes_all(transform: &dyn Transform, around: &Around, before: &str, after: &str) {
    for (layout, before, after) in layouts(before, after) {
        Run::new(transform, around, &before, Take::All).gives(&before, &after, layout);
    }
}

/// The transform leaves each of the Dockerfiles as it is, whatever may be taken, and says why in words
/// that contain the reason beside it.
#[track_caller]
pub(crate) fn declines(transform: &dyn Transform, table: &[(&str, &str)]) {
    let around = Around::default();
    let wrong = table.iter().filter_map(|(file, reason)| declined(transform, &around, file, reason).err());
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The transform leaves the Dockerfile as it is, given what lies around it, and says why.
#[track_caller]
pub(crate) fn declines_in(transform: &dyn Transform, around: &Around, dockerfile: &str, reason: &str) {
    if let Err(message) = declined(transform, around, dockerfile, reason) {
        panic!("{message}");
    }
}

fn declined(
    transform: &dyn Transform,
    around: &Around,
    dockerfile: &str,
    reason: &str,
) -> Result<(), String> {
    let dockerfile = dedent(dockerfile);
    let run = Run::new(transform, around, &dockerfile, Take::All);
    if !run.ignored.is_empty() {
        return Err(format!("ignored, not declined ({reason}): {:?}", run.ignored));
    }
    if run.after != dockerfile {
        return Err(format!("changed, not declined ({reason}):\n{}", difference(&dockerfile, &run.after)));
    }
    let lines = LineIndex::new(&dockerfile);
    let reasons: Vec<String> =
        run.declined.iter().map(|declined| declined.describe(|offset| lines.line(offset))).collect();
    if !reasons.iter().any(|given| given.contains(reason)) {
        return Err(format!("not declined because of `{reason}` but {reasons:?}:\n{dockerfile}"));
    }
    Ok(())
}

/// The transform has nothing to do with the Dockerfiles: no fix and no reason.
#[track_caller]
pub(crate) fn ignores(transform: &dyn Transform, table: &[&str]) {
    let mut wrong = String::new();
    for dockerfile in table {
        let dockerfile = dedent(dockerfile);
        let run = Run::new(transform, &Around::default(), &dockerfile, Take::All);
        if run.after != dockerfile || !run.declined.is_empty() {
            wrong += &format!("{:?}\n{}\n", run.declined, difference(&dockerfile, &run.after));
        }
    }
    assert!(wrong.is_empty(), "not left alone:\n{wrong}");
}

/// The transform has nothing to do with the Dockerfiles, and tells who asks why.
#[track_caller]
pub(crate) fn passes(transform: &dyn Transform, table: &[(&str, &str)]) {
    for (dockerfile, reason) in table {
        ignores(transform, &[dockerfile]);
        let file = parse(dockerfile);
        let facts = Facts::new(&file);
        let context = Context {
            facts: &facts,
            memo: &Memo::new(&facts),
            settings: &Settings::default(),
            knowledge: Knowledge::builtin(),
            surroundings: &Surroundings::unknown(),
        };
        let mut proposals = Proposals::default();
        proposals.pass(transform, &context);
        let reasons: Vec<&str> = proposals.declined.iter().map(|it| it.reason.as_str()).collect();
        assert!(reasons.iter().any(|given| given.contains(reason)), "{dockerfile}: {reasons:?}");
    }
}

/// The transform turns one Dockerfile into another if unsafe fixes are taken, and changes nothing if
/// not. A claim or an assumption contains `assumption`.
#[track_caller]
pub(crate) fn needs_unsafe(transform: &dyn Transform, before: &str, after: &str, assumption: &str) {
    needs_unsafe_in(transform, &Around::default(), before, after, assumption);
}

/// Like [`needs_unsafe`], with settings.
#[track_caller]
pub(crate) fn needs_unsafe_with(
    transform: &dyn Transform,
    settings: &Settings,
    before: &str,
    after: &str,
    assumption: &str,
) {
    needs_unsafe_in(transform, &Around::settings(settings), before, after, assumption);
}

/// Like [`needs_unsafe`], given what lies around the file.
#[track_caller]
pub(crate) fn needs_unsafe_in(
    transform: &dyn Transform,
    around: &Around,
    before: &str,
    after: &str,
    assumption: &str,
) {
    for (layout, before, after) in layouts(before, after) {
        Run::new(transform, around, &before, Take::Safe).gives(&before, &before, layout);
        let run = Run::new(transform, around, &before, Take::All);
        run.gives(&before, &after, layout);
        let claims = run.fixes.iter().flat_map(|fix| fix.claims.iter().map(|claim| claim.describe()));
        let assumed = run.fixes.iter().flat_map(|fix| fix.assumptions.iter().map(|it| it.describe()));
        let stated: Vec<String> = claims.chain(assumed).collect();
        assert!(
            stated.iter().any(|given| given.contains(assumption)),
            "`{assumption}` is not among what is assumed: {stated:?}"
        );
    }
}

/// A pair of Dockerfiles as it is written, with CRLF, without a newline at the end, and with the
/// backtick as escape character.
fn layouts(before: &str, after: &str) -> Vec<(&'static str, String, String)> {
    type Layout = fn(&str) -> String;
    let layouts: [(&str, Layout); 4] = [
        ("as written", str::to_owned),
        ("with CRLF", |text| text.replace('\n', "\r\n")),
        ("without a newline at the end", |text| text.trim_end_matches('\n').to_owned()),
        ("with backticks", with_backticks),
    ];
    let (before, after) = (dedent(before), dedent(after));
    let fits = |layout: &str| match layout {
        "with CRLF" => !before.contains('\r'),
        "with backticks" => !before.contains(['`', '\r']),
        _ => true,
    };
    let fitting = layouts.into_iter().filter(|(name, _)| fits(name));
    fitting.map(|(name, layout)| (name, layout(&before), layout(&after))).collect()
}

/// Such files are taken to be for Windows unless they say which shell they mean.
fn with_backticks(text: &str) -> String {
    let lines = text.split_inclusive('\n').flat_map(|line| {
        let shell = if line.starts_with("FROM ") { "SHELL [\"/bin/sh\", \"-c\"]\n" } else { "" };
        [line, shell]
    });
    format!("# escape=`\n{}", lines.collect::<String>().replace("\\\n", "`\n"))
}

fn dedent(text: &str) -> String {
    if text.starts_with('\n') { unindent(text) } else { text.to_owned() }
}

/// What a transform makes of a Dockerfile when it is asked until it has nothing more to propose.
struct Run {
    after: String,
    fixes: Vec<Fix>,
    declined: Vec<Declined>,
    /// The lines that were added to the ignore file.
    ignored: Vec<String>,
    /// What the check says of the result.
    verdict: Result<(), String>,
    /// What the transform makes of its own result.
    again: String,
}

impl Run {
    #[track_caller]
    fn new(transform: &dyn Transform, around: &Around, text: &str, take: Take) -> Self {
        let (after, fixes, declined) = until_stable(transform, around, text, take);
        let ignored: Vec<String> = fixes.iter().flat_map(|fix| fix.ignore.clone()).collect();
        let changed = around.project.as_ref().map(|project| project.with_ignored(&ignored));
        let later = Around { project: changed.clone(), ..around.clone() };
        let (again, more, _) = until_stable(transform, &later, &after, take);
        assert!(more.iter().all(|fix| fix.ignore.is_empty()), "a second time: {more:?}");
        let licence = Licence {
            claims: fixes.iter().flat_map(|fix| fix.claims.clone()).collect(),
            assumptions: fixes.iter().flat_map(|fix| fix.assumptions.clone()).collect(),
        };
        let (original, result) = (parse(text), parse(&after));
        let (original, result) = (Facts::new(&original), Facts::new(&result));
        let mut verdict = check(&original, &result, &licence);
        if let (Ok(()), Some(before), Some(after)) = (&verdict, &around.project, &changed) {
            verdict = check_context(&result, before, after, &licence);
        }
        Self { after, fixes, declined, ignored, verdict: verdict.map_err(|it| it.message), again }
    }

    #[track_caller]
    fn gives(&self, before: &str, after: &str, layout: &str) {
        same(after, &self.after, layout);
        same(&self.after, &self.again, "a second time");
        if let Err(message) = &self.verdict {
            panic!("the check rejects the result: {message}\n{}", difference(before, &self.after));
        }
    }
}

fn until_stable(
    transform: &dyn Transform,
    around: &Around,
    text: &str,
    take: Take,
) -> (String, Vec<Fix>, Vec<Declined>) {
    const MOST_ROUNDS: usize = 50;
    let mut text = text.to_owned();
    let mut applied = Vec::new();
    let mut project = around.project.clone();
    for _ in 0..MOST_ROUNDS {
        let file = parse(&text);
        assert_eq!(file.diagnostics, [], "in\n{text}");
        let printed: String = file.items.iter().map(|item| &text[item.span().range()]).collect();
        same(&text, &printed, "read and printed");
        let facts = Facts::new(&file);
        let memo = Memo::new(&facts);
        let mut proposals = Proposals::default();
        let surroundings = project.clone().map_or_else(Surroundings::unknown, Surroundings::of);
        let settings = &around.settings;
        let context = Context {
            facts: &facts,
            memo: &memo,
            settings,
            knowledge: Knowledge::builtin(),
            surroundings: &surroundings,
        };
        transform.propose(&context, &mut proposals);
        let mut edits = Edits::new();
        let mut ignored = Vec::new();
        for fix in proposals.fixes {
            if (take == Take::All || fix.is_safe()) && edits.merge(&fix.edits).is_ok() {
                ignored.extend(fix.ignore.clone());
                applied.push(fix);
            }
        }
        if !ignored.is_empty() {
            project = project.map(|project| project.with_ignored(&ignored));
        }
        if edits.is_empty() && ignored.is_empty() {
            return (text, applied, proposals.declined);
        }
        text = edits.apply(&text);
    }
    panic!("not stable after {MOST_ROUNDS} rounds:\n{text}");
}

#[track_caller]
fn same(expected: &str, found: &str, layout: &str) {
    assert!(expected == found, "{layout} (- expected, + found):\n{}", difference(expected, found));
}

fn difference(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(20).to_string()
}
