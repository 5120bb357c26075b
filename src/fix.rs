//! `fix`: from paths to a report and, if wanted, to rewritten files.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use dockeropt_syntax::Text;

use crate::cli::Format;
use crate::diff::{Location, Names};
use crate::discover::{Candidate, Found, LeftOut};
use crate::git::WorkTrees;
use crate::ignores::{self, IgnoreFiles};
use crate::interrupt::Temporaries;
use crate::names;
use crate::ordered;
use crate::palette::Palette;
use crate::pipeline::{Bug, IgnoreChange, Outcome, ReportedDiagnostic, ReportedFix};
use crate::problem::{Problem, describe};
use crate::progress::Progress;
use crate::read::{ReadError, read};
use crate::redact::redact;
use crate::report::{self, FileReport, Located, Printer, Report};
use crate::summary::Summary;
use crate::write;

/// What rewrites texts.
pub trait Rewrite: Sync {
    /// Rewrites the text of the file at a path, or says why it can't.
    fn rewrite(&self, path: &Path, text: &str) -> Result<Outcome, String>;

    /// What the text becomes with unsafe fixes, too; `None` if that can't be told at once.
    fn with_unsafe(&self, _: &Path, _: &str) -> Option<Outcome> {
        None
    }

    /// What the text becomes by one fix of its outcome and as few others as it needs; see
    /// [`pipeline::alone`](crate::pipeline::alone).
    fn alone(&self, _: &Path, _: &str, _: &Outcome, _: &ReportedFix) -> Option<Outcome> {
        None
    }
}

impl<F: Fn(&Path, &str) -> Result<Outcome, String> + Sync> Rewrite for F {
    fn rewrite(&self, path: &Path, text: &str) -> Result<Outcome, String> {
        self(path, text)
    }
}

/// How a run is to be done.
pub struct Settings<'a> {
    /// What rewrites texts.
    pub rewriter: &'a dyn Rewrite,
    /// How to print the result.
    pub format: Format,
    /// How to print the report that goes to a file, if one does.
    pub output: Option<Format>,
    /// Whether to print where transforms held back.
    pub why_not: bool,
    /// Whether to rewrite the files.
    pub write: bool,
    /// Whether the caller only asks if something would change.
    pub check: bool,
    /// Whether to rewrite files with uncommitted changes.
    pub allow_dirty: bool,
    /// Whether to leave out summary and progress.
    pub quiet: bool,
    /// How many files to work on at the same time.
    pub jobs: usize,
    /// The colours of the report.
    pub palette: Palette,
    /// The colours of errors.
    pub error_palette: Palette,
    /// How files are named in diffs.
    pub names: Names,
    /// Where temporary files are noted.
    pub temporaries: Arc<Temporaries>,
    /// Whether the report goes to a terminal, where it is shown as it comes.
    pub interactive: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What happened, in numbers.
    pub summary: Summary,
    /// Whether the reader of the report went away before its end.
    pub reader_left: bool,
}

/// Where a run writes.
pub struct Streams<'w> {
    /// The report.
    pub out: &'w mut dyn Write,
    /// The report that goes to a file.
    pub output: &'w mut dyn Write,
    /// Errors, remarks and the summary.
    pub err: &'w mut dyn Write,
}

/// The reports of a run: the one that is shown, and the one that goes to a file.
struct Reports {
    shown: Box<dyn Report>,
    output: Option<Box<dyn Report>>,
}

impl Reports {
    fn new(settings: &Settings<'_>) -> Self {
        let output = settings.output.map(|format| report::of(format, Palette::default()));
        Self { shown: report::of(settings.format, settings.palette), output }
    }
}

/// What became of one file, ready to be printed.
#[derive(Default)]
struct Done {
    report: Vec<u8>,
    output: Vec<u8>,
    remarks: Vec<u8>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    summary: Summary,
    /// What is to become of the ignore file of its context.
    ignore: Option<IgnoreChange>,
}

/// What a run has come to.
struct Tally<'r, 'w> {
    shown: Printer<'r, 'w>,
    output: Option<Printer<'r, 'w>>,
    err: &'w mut dyn Write,
    error_palette: Palette,
    summary: Summary,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    failure: Option<io::Error>,
    /// Whether the new text is printed in place of a report.
    is_formatter: bool,
}

impl<'r, 'w> Tally<'r, 'w> {
    fn new(settings: &Settings<'_>, reports: &'r Reports, streams: Streams<'w>) -> Self {
        let Streams { out, output, err } = streams;
        let output = reports.output.as_ref().map(|report| Printer::new(&**report, output, false));
        Self {
            shown: Printer::new(&*reports.shown, out, settings.interactive),
            output,
            err,
            error_palette: settings.error_palette,
            summary: Summary { written: settings.write, ..Summary::default() },
            problems: Vec::new(),
            warnings: Vec::new(),
            failure: None,
            is_formatter: false,
        }
    }

    /// Prints what became of a file.
    fn add(&mut self, mut done: Done) {
        self.summary.add(&done.summary);
        self.summary.errors += done.problems.len();
        // Nobody is left to tell if standard error fails.
        for (word, style, problems) in [
            ("error", self.error_palette.removed, &done.problems),
            ("warning", self.error_palette.hunk, &done.warnings),
        ] {
            for problem in problems {
                let _ = writeln!(self.err, "{style}{word}:{style:#} {problem}");
            }
        }
        let _ = self.err.write_all(&done.remarks);
        let result = self.shown.print(&done.report);
        let also = self.output.as_mut().map_or(Ok(()), |output| output.print(&done.output));
        self.failure = self.failure.take().or(result.err()).or(also.err());
        self.problems.append(&mut done.problems);
        self.warnings.append(&mut done.warnings);
    }

    /// Ends the reports.
    fn finish(mut self, settings: &Settings<'_>) -> io::Result<Ending> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let (problems, warnings) = (settings.located(&self.problems), settings.located(&self.warnings));
        for printer in [Some(&mut self.shown), self.output.as_mut()].into_iter().flatten() {
            printer.finish(&self.summary, &problems, &warnings)?;
        }
        let reader_left = self.shown.reader_left();
        // A formatter says nothing.
        let is_wanted = (!reader_left || settings.goes_on_unread()) && !self.is_formatter;
        if !settings.quiet && is_wanted {
            let _ = writeln!(self.err, "{}", self.summary);
        }
        Ok(Ending { summary: self.summary, reader_left })
    }
}

impl<'a> Settings<'a> {
    /// A run on one thread that prints and writes nothing, in the folder `current`.
    pub fn silent(rewriter: &'a dyn Rewrite, current: &Path) -> Self {
        Self {
            rewriter,
            format: Format::Diff,
            output: None,
            why_not: false,
            write: false,
            check: false,
            allow_dirty: false,
            quiet: true,
            jobs: 1,
            palette: Palette::default(),
            error_palette: Palette::default(),
            names: Names::new(current),
            temporaries: Arc::new(Temporaries::default()),
            interactive: false,
        }
    }

    /// Problems with the places of their files.
    fn located<'p>(&self, problems: &'p [Problem]) -> Vec<Located<'p>> {
        let location = |problem: &Problem| match problem.path.as_str() {
            "-" => Location::named("Dockerfile"),
            path => self.names.locate(Path::new(path)),
        };
        problems.iter().map(|problem| Located { problem, location: location(problem) }).collect()
    }

    /// Whether the run has a use when nobody reads the report.
    fn goes_on_unread(&self) -> bool {
        self.write || self.check || self.output.is_some()
    }
}

/// Works on all files that were found. The report has the order of the files.
///
/// # Errors
/// If a report can't be written for another reason than that its reader went away.
pub fn run(found: &Found, settings: &Settings<'_>, streams: Streams<'_>) -> io::Result<Ending> {
    let work_trees = WorkTrees::default();
    let reports = Reports::new(settings);
    let mut tally = Tally::new(settings, &reports, streams);
    tally.summary.left_out.clone_from(&found.left_out);
    let mut ignores = IgnoreFiles::default();
    let mut progress = Progress::new(found.candidates.len(), "files", !settings.quiet);
    let see = |tally: &mut Tally<'_, '_>, done: Done, progress: &Progress| {
        progress.aside(|| tally.add(done));
        let is_over = tally.failure.is_some() && !settings.write
            || tally.shown.reader_left() && !settings.goes_on_unread();
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let _ = see(&mut tally, Done { problems: found.problems.clone(), ..Done::default() }, &progress);
    ordered::for_each(
        &found.candidates,
        settings.jobs,
        |candidate| work(candidate, settings, &reports, &work_trees),
        |mut done| {
            progress.advance();
            ignores.extend(done.ignore.take());
            see(&mut tally, done, &progress)
        },
    );
    progress.finish();
    let mut last = Done::default();
    for change in ignores.changes() {
        let location = settings.names.locate(Path::new(&change.path));
        reports.shown.print_ignore(change, &location, &mut last.report);
        if let Some(output) = &reports.output {
            output.print_ignore(change, &location, &mut last.output);
        }
        if settings.write {
            last.problems.extend(ignores::save(change, &settings.temporaries).err());
        }
    }
    tally.add(last);
    tally.finish(settings)
}

/// Reads, rewrites and reports one file.
fn work(candidate: &Candidate, settings: &Settings<'_>, reports: &Reports, work_trees: &WorkTrees) -> Done {
    let path = &candidate.path;
    let before = match read(path) {
        Ok(bytes) => Text::decode(bytes),
        Err(ReadError::Binary(_)) if candidate.ambiguous && !candidate.named => {
            return left_out(LeftOut::OtherLanguage);
        }
        Err(error) => return failed(Problem::new(path, error)),
    };
    let before = before.as_str();
    if !candidate.named {
        if names::is_marked_generated(before) {
            return left_out(LeftOut::Generated);
        }
        if names::has_placeholders(before) {
            return left_out(LeftOut::Template);
        }
    }
    let outcome = match optimize(settings, path, before) {
        Ok(outcome) => outcome,
        Err(message) => return failed(Problem::new(path, message)),
    };
    if !outcome.diagnostics.is_empty() {
        let other = candidate.ambiguous || (names::has_suffix(path) && !names::has_stage(before));
        if other && !candidate.named {
            return left_out(LeftOut::OtherLanguage);
        }
        return Done { problems: diagnostics(path, &outcome), ..Done::default() };
    }
    if let Some(change) = outcome.ignore.as_ref().filter(|_| settings.write)
        && let Err(problem) = ignores::check(change, settings.allow_dirty, work_trees)
    {
        return failed(problem);
    }
    if settings.write
        && before != outcome.after
        && let Err(problem) = save(candidate, before, &outcome.after, settings, work_trees)
    {
        return failed(problem);
    }
    let done = report(path, &settings.names.locate(path), before, &outcome, settings, reports);
    Done { ignore: outcome.ignore, ..done }
}

/// Prints what became of one text.
fn report(
    path: &Path,
    location: &Location,
    before: &str,
    outcome: &Outcome,
    settings: &Settings<'_>,
    reports: &Reports,
) -> Done {
    let mut done = Done::default();
    let shown_path = path.to_string_lossy();
    let ignore = outcome.ignore.as_ref().map(|change| settings.names.locate(Path::new(&change.path)));
    let alone = |fix: &ReportedFix| settings.rewriter.alone(path, before, outcome, fix);
    let file = FileReport {
        path: &shown_path,
        location,
        ignore_location: ignore.as_ref(),
        before,
        outcome,
        why_not: settings.why_not,
        alone: &alone,
    };
    reports.shown.print(&file, &mut done.report);
    if let Some(output) = &reports.output {
        output.print(&file, &mut done.output);
    }
    if settings.why_not && !reports.shown.shows_refusals() {
        report::diff::print_declined(&file, &mut done.remarks);
    }
    done.warnings = problems(path, &outcome.warnings);
    for bug in &outcome.bugs {
        done.problems.push(Problem::new(path, describe_bug(bug)));
    }
    let fixes = outcome.fixes.len();
    let mut held_back = outcome.held_back.len();
    // To count takes a rewrite: what is held back may come in place of another fix, or lead to more.
    let is_wanted = held_back > 0 && !settings.quiet;
    let with_unsafe = || caught(|| settings.rewriter.with_unsafe(path, before)).ok().flatten();
    let all = is_wanted.then(with_unsafe).flatten().map(|all| all.fixes);
    let gain = all.as_ref().map(|all| all.len().cast_signed() - fixes.cast_signed());
    let uncounted = if gain.is_none() { held_back } else { 0 };
    if all.is_some_and(|all| all == outcome.fixes) {
        // By --fix other fixes were asked for than those that are held back.
        held_back = 0;
    }
    done.summary = Summary {
        files: 1,
        changed: usize::from(file.is_changed()),
        fixes,
        held_back,
        uncounted,
        gain: gain.unwrap_or_default(),
        saves: outcome.fixes.iter().filter_map(|fix| fix.saves).sum(),
        ..Summary::default()
    };
    done
}

/// Rewrites one text. A panic is a bug, and costs this file only.
fn optimize(settings: &Settings<'_>, path: &Path, text: &str) -> Result<Outcome, String> {
    caught(|| settings.rewriter.rewrite(path, text)).unwrap_or_else(Err)
}

/// What comes of a rewrite, or of its panic.
pub(crate) fn caught<R>(rewrite: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(rewrite)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        let message = message.lines().next().unwrap_or_default();
        format!("left alone because of a bug in dockeropt; please report it: {}", redact(message).text)
    })
}

/// Rewrites a file.
fn save(
    candidate: &Candidate,
    before: &str,
    after: &str,
    settings: &Settings<'_>,
    work_trees: &WorkTrees,
) -> Result<(), Problem> {
    let path = &candidate.path;
    let real = std::fs::canonicalize(path).map_err(|error| Problem::new(path, describe(&error)))?;
    if !settings.allow_dirty {
        work_trees.check(&real).map_err(|error| Problem::new(path, error))?;
    }
    let (before, after) = (Text::encode(before), Text::encode(after));
    write::replace(&real, &before, &after, &candidate.other_names, &settings.temporaries)
        .map_err(|error| Problem::new(path, error))
}

/// Why BuildKit would refuse the file.
pub fn diagnostics(path: &Path, outcome: &Outcome) -> Vec<Problem> {
    problems(path, &outcome.diagnostics)
}

fn problems(path: &Path, diagnostics: &[ReportedDiagnostic]) -> Vec<Problem> {
    let problem = |diagnostic: &ReportedDiagnostic| Problem {
        place: Some((diagnostic.line, diagnostic.column)),
        ..Problem::new(path, redact(&diagnostic.message).text)
    };
    diagnostics.iter().map(problem).collect()
}

pub(crate) fn describe_bug(bug: &Bug) -> String {
    let transform = bug.transform.unwrap_or("an unknown transform");
    let reproducer = redact(&bug.reproducer);
    let message = reproducer.scrub(&bug.message);
    let lines: String = reproducer.text.lines().map(|line| format!("\n    {line}")).collect();
    format!(
        "a fix of {transform} was dropped because its result is not what it claims: {message}; this is a \
         bug of dockeropt, please report it with this text:{lines}"
    )
}

fn failed(problem: Problem) -> Done {
    Done { problems: vec![problem], ..Done::default() }
}

fn left_out(reason: LeftOut) -> Done {
    let summary = Summary { left_out: [(reason, 1)].into(), ..Summary::default() };
    Done { summary, ..Done::default() }
}

/// Rewrites one text that comes from standard input, as [`run`] does with files. It may be that of the file
/// `name`. With `write` the new text is printed in place of a report.
///
/// # Errors
/// As [`run`].
pub fn run_on_text(
    text: &Text,
    name: Option<&Path>,
    settings: &Settings<'_>,
    streams: Streams<'_>,
) -> io::Result<Ending> {
    let path = name.unwrap_or(Path::new("-"));
    let location = name.map_or_else(|| Location::named("Dockerfile"), |name| settings.names.locate(name));
    let before = text.as_str();
    let mut reports = Reports::new(settings);
    if settings.write {
        reports.shown = Box::new(Rewritten);
    }
    let done = match optimize(settings, path, before) {
        Err(message) => failed(Problem::new(path, message)),
        Ok(outcome) if !outcome.diagnostics.is_empty() => {
            Done { problems: diagnostics(path, &outcome), ..Done::default() }
        }
        Ok(outcome) => report(path, &location, before, &outcome, settings, &reports),
    };
    let mut tally = Tally::new(settings, &reports, streams);
    tally.is_formatter = settings.write;
    tally.add(done);
    tally.finish(settings)
}

/// The new text and nothing else.
struct Rewritten;

impl Report for Rewritten {
    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&Text::encode(&file.outcome.after));
    }

    fn shows_refusals(&self) -> bool {
        false
    }
}
