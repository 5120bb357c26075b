//! `fix`: from paths to a report and, if wanted, to rewritten files.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use dockeropt_syntax::Text;

use crate::cli::Format;
use crate::diff::Names;
use crate::discover::{Candidate, Found, LeftOut};
use crate::git::WorkTrees;
use crate::interrupt::Temporaries;
use crate::names;
use crate::ordered;
use crate::palette::Palette;
use crate::pipeline::{Bug, Outcome, ReportedDiagnostic};
use crate::problem::{Problem, describe};
use crate::progress::Progress;
use crate::read::{ReadError, read};
use crate::redact::redact;
use crate::report::{self, FileReport};
use crate::summary::Summary;
use crate::write;

/// What rewrites one text, which is that of a file at a path, or says why it can't.
pub type Optimize<'a> = dyn Fn(&Path, &str) -> Result<Outcome, String> + Sync + 'a;

/// How a run is to be done.
pub struct Settings<'a> {
    /// What rewrites one text.
    pub optimize: &'a Optimize<'a>,
    /// How to print the result.
    pub format: Format,
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

/// What became of one file, ready to be printed.
#[derive(Default)]
struct Done {
    report: Vec<u8>,
    remarks: Vec<u8>,
    problems: Vec<Problem>,
    summary: Summary,
}

/// Works on all files that were found. The report goes to `out`, in the order of the files, and
/// errors, remarks and the summary to `err`.
///
/// # Errors
/// If the report can't be written for another reason than that its reader went away.
pub fn run(
    found: Found,
    settings: &Settings<'_>,
    out: impl Write,
    mut err: impl Write,
) -> io::Result<Ending> {
    let work_trees = WorkTrees::default();
    let mut summary = Summary { written: settings.write, left_out: found.left_out, ..Summary::default() };
    let mut printer = Printer::new(settings, out);
    let mut problems = Vec::new();
    let mut failure = None;
    let mut progress = Progress::new(found.candidates.len(), "files", !settings.quiet);
    let mut see = |mut done: Done, progress: &Progress| {
        summary.add(&done.summary);
        summary.errors += done.problems.len();
        let style = settings.error_palette.removed;
        progress.aside(|| {
            // Nobody is left to tell if standard error fails.
            for problem in &done.problems {
                let _ = writeln!(err, "{style}error:{style:#} {problem}");
            }
            let _ = err.write_all(&done.remarks);
            failure = failure.take().or(printer.print(&done.report).err());
        });
        if settings.format == Format::Json {
            problems.append(&mut done.problems);
        }
        // Writing and checking go on when nobody reads the report.
        let is_needed = settings.write || settings.check;
        if failure.is_some() && !settings.write || printer.reader_left && !is_needed {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let _ = see(Done { problems: found.problems, ..Done::default() }, &progress);
    ordered::for_each(
        &found.candidates,
        settings.jobs,
        |candidate| work(candidate, settings, &work_trees),
        |done| {
            progress.advance();
            see(done, &progress)
        },
    );
    progress.finish();
    let reader_left = match failure {
        Some(error) => return Err(error),
        None => printer.finish(&problems)?,
    };
    let is_wanted = !reader_left || settings.write || settings.check;
    if is_wanted && !settings.quiet {
        let _ = writeln!(err, "{summary}");
    }
    Ok(Ending { summary, reader_left })
}

/// Reads, rewrites and reports one file.
fn work(candidate: &Candidate, settings: &Settings<'_>, work_trees: &WorkTrees) -> Done {
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
    if settings.write
        && before != outcome.after
        && let Err(problem) = save(candidate, before, &outcome.after, settings, work_trees)
    {
        return failed(problem);
    }
    report(path, &settings.names.name(path), before, &outcome, settings)
}

/// Prints what became of one text; `name` is its name in diffs.
fn report(path: &Path, name: &[u8], before: &str, outcome: &Outcome, settings: &Settings<'_>) -> Done {
    let mut done = Done::default();
    let shown_path = path.to_string_lossy();
    let file = FileReport { path: &shown_path, name, before, outcome, why_not: settings.why_not };
    match settings.format {
        Format::Diff => {
            report::diff::print(&file, &settings.palette, &mut done.report);
            if settings.why_not {
                report::diff::print_declined(&file, &mut done.remarks);
            }
        }
        Format::Text => report::text::print(&file, &settings.palette, &mut done.report),
        Format::Json => report::json::print(&file, &mut done.report),
    }
    for warning in problems(path, &outcome.warnings) {
        let style = settings.error_palette.hunk;
        // Writing to memory does not fail.
        let _ = writeln!(done.remarks, "{style}warning:{style:#} {warning}");
    }
    for bug in &outcome.bugs {
        done.problems.push(Problem::new(path, describe_bug(bug)));
    }
    done.summary = Summary {
        files: 1,
        changed: usize::from(file.is_changed()),
        fixes: outcome.fixes.len(),
        held_back: outcome.held_back.len(),
        ..Summary::default()
    };
    done
}

/// Rewrites one text. A panic is a bug, and costs this file only.
fn optimize(settings: &Settings<'_>, path: &Path, text: &str) -> Result<Outcome, String> {
    caught(|| (settings.optimize)(path, text)).unwrap_or_else(Err)
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

/// Writes the reports of the files, with what stands around them.
struct Printer<W> {
    out: W,
    is_json: bool,
    interactive: bool,
    printed: usize,
    reader_left: bool,
}

impl<W: Write> Printer<W> {
    fn new(settings: &Settings<'_>, out: W) -> Self {
        let is_json = settings.format == Format::Json;
        Self { out, is_json, interactive: settings.interactive, printed: 0, reader_left: false }
    }

    fn print(&mut self, report: &[u8]) -> io::Result<()> {
        if report.is_empty() || self.reader_left {
            return Ok(());
        }
        let before = match (self.is_json, self.printed) {
            (false, _) => &b""[..],
            (true, 0) => report::json::HEAD,
            (true, _) => report::json::SEPARATOR,
        };
        self.printed += 1;
        let result = self.out.write_all(before).and_then(|()| self.out.write_all(report));
        let result = if self.interactive { result.and_then(|()| self.out.flush()) } else { result };
        self.forgive(result)
    }

    /// Ends the report; whether its reader left before the end.
    fn finish(mut self, problems: &[Problem]) -> io::Result<bool> {
        if !self.reader_left {
            let mut end = || {
                if self.is_json {
                    if self.printed == 0 {
                        self.out.write_all(report::json::HEAD)?;
                    }
                    report::json::finish(problems, &mut self.out)?;
                }
                self.out.flush()
            };
            let result = end();
            self.forgive(result)?;
        }
        Ok(self.reader_left)
    }

    /// A reader that has read enough is no error.
    fn forgive(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_left = true;
                Ok(())
            }
            other => other,
        }
    }
}

/// Rewrites one text that comes from no file, as [`run`] does with files.
///
/// # Errors
/// If the report can't be written for another reason than that its reader went away.
pub fn run_on_text(
    text: &Text,
    settings: &Settings<'_>,
    out: impl Write,
    mut err: impl Write,
) -> io::Result<Ending> {
    let path = Path::new("-");
    let before = text.as_str();
    let mut printer = Printer::new(settings, out);
    let mut done = match optimize(settings, path, before) {
        Err(message) => failed(Problem::new(path, message)),
        Ok(outcome) if !outcome.diagnostics.is_empty() => {
            Done { problems: diagnostics(path, &outcome), ..Done::default() }
        }
        Ok(outcome) => {
            let mut done = report(path, b"Dockerfile", before, &outcome, settings);
            if settings.write {
                done.report = Text::encode(&outcome.after).into_owned();
                printer.is_json = false;
            }
            done
        }
    };
    let style = settings.error_palette.removed;
    for problem in &done.problems {
        let _ = writeln!(err, "{style}error:{style:#} {problem}");
    }
    let _ = err.write_all(&done.remarks);
    done.summary.errors = done.problems.len();
    done.summary.written = settings.write;
    printer.is_json &= !settings.write;
    printer.print(&done.report)?;
    let reader_left = printer.finish(&done.problems)?;
    if !settings.quiet && !settings.write {
        let _ = writeln!(err, "{}", done.summary);
    }
    Ok(Ending { summary: done.summary, reader_left })
}
