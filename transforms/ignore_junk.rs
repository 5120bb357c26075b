//! Writes or extends the ignore file (`.dockerignore`) with what lies in the build context and no image needs.
//!
//! ## Why
//! `COPY . /app` copies all that lies in the folder: the history of the project, temporary files, what
//! was built or installed on this machine, and secrets. The image gets larger, and each change of such a
//! file makes the COPY and all below it be built anew. What the ignore file names is not even sent to
//! the builder.
//!
//! ## Example
//! In this context, with `--unsafe`,
//!
//! ```context
//! .git/HEAD 23
//! app.py 506
//! requirements.txt 19
//! tmp/random 52428800
//! ```
//!
//! the Dockerfile
//!
//! ```dockerfile
//! FROM python:3.12-slim
//! WORKDIR /app
//! COPY . /app
//! CMD ["python", "app.py"]
//! ```
//!
//! stays as it is, and the ignore file, which is part of the diff and written by `--write`, becomes
//!
//! ```dockerignore
//! .git
//! tmp
//! ```
//!
//! There is one fix for each kind of files, so that one can be had without the other. `NAME.dockerignore`
//! beside a Dockerfile takes the place of the `.dockerignore` of the context, as it does for the builder.
//!
//! ## Safety
//! Safe: the data of version control if the build runs no code of the project, and settings of editors and
//! files of desktop systems, in all cases only if nothing names them. Unsafe, with its assumption: virtual
//! environments, dependencies and output that the build makes itself, caches, temporary folders of more
//! than a megabyte, logs, and secrets. The list is `facts/data/junk.tsv`; what is not on it is kept.
//!
//! ## Leaves alone
//! What a COPY or ADD names, of this Dockerfile or of another in the same context; what a RUN, an ENV, a
//! CMD, a script or a manifest names; what a line with `!` in the ignore file brings back; dependencies
//! and output that the file doesn't make; `.git` where a version comes from it (setuptools-scm, `git
//! describe`, `go build`, `dotnet publish` ...); secrets that a program of the build may read; folders with
//! a `.keep`. Without a build context there is nothing to do.

mod evidence;
mod lines;
#[cfg(test)]
mod tests;

use dockeropt_facts::claim::{Assumption, Claim, some_of};
use dockeropt_facts::context_check::context_path;
use dockeropt_facts::effects::within;
use dockeropt_facts::ignore::Ignore;
use dockeropt_facts::junk::{Kind, kinds};
use dockeropt_facts::{Action, Facts, Project, Step};
use dockeropt_syntax::parse;

use crate::size::bytes;
use crate::{Context, Fix, Meta, Proposals, Transform};
use evidence::Evidence;
use lines::lines;

/// See the documentation of this file.
pub(crate) struct IgnoreJunk;

static META: Meta = Meta {
    id: "ignore-junk",
    summary: "Leave out of the build context what no image needs",
    on_by_default: true,
    since: "0.1.0",
    source: include_str!("ignore_junk.rs"),
};

impl Transform for IgnoreJunk {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn propose(&self, context: &Context<'_>, out: &mut Proposals) {
        let copies = copies(context.facts);
        if copies.is_empty() {
            return;
        }
        let Some(project) = context.project() else { return };
        let siblings: Vec<_> = project.siblings.iter().map(|text| parse(text)).collect();
        let (readable, others): (Vec<_>, Vec<_>) =
            siblings.iter().partition(|file| file.diagnostics.is_empty());
        let siblings: Vec<Facts<'_>> = readable.into_iter().map(Facts::new).collect();
        let files: Vec<(&Facts<'_>, Vec<ContextCopy<'_>>)> = std::iter::once((context.facts, copies))
            .chain(siblings.iter().map(|facts| (facts, self::copies(facts))))
            .collect();
        let others = others.into_iter().map(|file| file.text).collect();
        let evidence = Evidence::new(project, &files, others);
        for kind in kinds() {
            propose_kind(kind, project, &files, &evidence, out);
        }
    }
}

/// So many files of one name are looked at, one by one.
const MOST_OCCURRENCES: usize = 5_000;

/// A COPY or ADD from the build context.
pub(super) struct ContextCopy<'f> {
    /// The step.
    step: &'f Step<'f>,
    /// Where it puts things, if that is known.
    destination: Option<&'f str>,
    /// The paths in the context that it names, empty for all of it; those that are decided when the image
    /// is built are missing.
    sources: Vec<String>,
    /// Whether there are such.
    is_partly_unknown: bool,
    /// What it leaves out itself.
    excluded: Ignore,
}

impl ContextCopy<'_> {
    /// The source in which what lies at a path lies, so that it comes along.
    fn source_of(&self, path: &str) -> Option<&str> {
        let mut around = self.sources.iter().filter(|source| path != source.as_str() && is_in(path, source));
        around.find(|source| !self.excluded.excludes(below(path, source))).map(String::as_str)
    }

    /// Whether it names what lies at a path, or something in it.
    fn names(&self, path: &str) -> bool {
        self.sources.iter().any(|source| {
            let mut parts = source.split('/').zip(path.split('/'));
            let same = |(pattern, part): (&str, &str)| Ignore::parse(pattern).excludes(part);
            !source.is_empty() && source.split('/').count() >= path.split('/').count() && parts.all(same)
        })
    }
}

/// Whether a path of the context lies in a folder of it, all of which is the empty path.
fn is_in(path: &str, folder: &str) -> bool {
    folder.is_empty() || within(path, folder)
}

/// A path as seen from a folder that it lies in.
fn below<'p>(path: &'p str, folder: &str) -> &'p str {
    path[folder.len()..].trim_start_matches('/')
}

/// What a file copies of its context.
fn copies<'f>(facts: &'f Facts<'f>) -> Vec<ContextCopy<'f>> {
    let mut copies = Vec::new();
    for step in &facts.steps {
        let Action::Copy(copy) = &step.action else { continue };
        if copy.from.is_some() {
            continue;
        }
        let known = copy.sources.iter().filter_map(|source| source.text());
        let flags = copy.flags.iter().filter_map(|flag| flag.raw().strip_prefix("--exclude="));
        let excluded: String = flags.flat_map(|pattern| [pattern, "\n"]).collect();
        copies.push(ContextCopy {
            step,
            destination: copy.destination.text(),
            sources: known.filter(|it| !it.starts_with("<<")).filter_map(context_path).collect(),
            is_partly_unknown: copy.sources.iter().any(|source| source.text().is_none()),
            excluded: Ignore::parse(&excluded),
        });
    }
    copies
}

/// Proposes to ignore what of one kind lies in the context and is copied.
fn propose_kind(
    kind: &'static Kind,
    project: &Project,
    files: &[(&Facts<'_>, Vec<ContextCopy<'_>>)],
    evidence: &Evidence<'_, '_>,
    out: &mut Proposals,
) {
    let own = &files[0].1;
    let mut first = None;
    let (mut added, mut paths, mut copied) = (Vec::new(), Vec::new(), Vec::new());
    for row in &kind.rows {
        let mut agreed = Vec::new();
        let occurrences = row.occurrences(project);
        if occurrences.len() > MOST_OCCURRENCES {
            continue;
        }
        for path in occurrences {
            let copy = own.iter().find(|copy| copy.source_of(path).is_some());
            match (evidence.against(kind, row, path), copy) {
                (None, _) => agreed.push(path),
                (Some(reason), Some(copy)) => {
                    out.decline(&META, copy.step.instruction.span, format!("{path} stays: {reason}"));
                }
                (Some(_), None) => {}
            }
        }
        let mut come_along = agreed
            .iter()
            .filter_map(|&path| Some((path, own.iter().find(|copy| copy.source_of(path).is_some())?)));
        let Some((_, copy)) = come_along.next() else { continue };
        match lines(project, row, &agreed) {
            Some((more, hit)) => {
                first = first.or(Some(copy.step));
                copied.extend(
                    hit.iter().copied().filter(|path| own.iter().any(|copy| copy.source_of(path).is_some())),
                );
                added.extend(more);
                paths.extend(hit.into_iter().map(str::to_owned));
            }
            None => {
                let reason = format!("no short pattern names just the {} that may go", row.name);
                out.decline(&META, copy.step.instruction.span, reason);
            }
        }
    }
    let Some(step) = first else { return };
    let assumptions = evidence.assumption(kind, &paths).map(Assumption::Other).into_iter().collect();
    let shown = |path: &&str| match project.sent_bytes(path) {
        0 => (*path).to_owned(),
        sent => format!("{path} ({})", bytes(sent)),
    };
    let shown: Vec<String> = copied.iter().map(shown).collect();
    let saves = saved(project, files[0].0, own, &added);
    out.fixes.push(Fix {
        transform: META.id,
        title: kind.title.to_owned(),
        span: step.instruction.span,
        claims: vec![Claim::Ignored { paths, inert: kind.is_safe }],
        assumptions,
        notes: vec![format!("copied so far: {}", some_of(&shown)), kind.why.to_owned()],
        ignore: added,
        saves: (saves > 0).then_some(saves),
        ..Fix::default()
    });
}

/// The bytes that the COPYs of the image no longer copy if these lines are added to the ignore file.
fn saved(project: &Project, facts: &Facts<'_>, copies: &[ContextCopy<'_>], lines: &[String]) -> i64 {
    let after = project.ignore_with(lines);
    let in_image =
        |copy: &&ContextCopy<'_>| copy.step.stage.is_some_and(|stage| facts.stages[stage].in_image);
    let sources =
        copies.iter().filter(in_image).flat_map(|copy| copy.sources.iter().map(move |it| (copy, it)));
    let saved = |(copy, source): (&ContextCopy<'_>, &String)| {
        let brought = project.below(source).filter(|(path, _)| {
            project.is_sent(path) && after.excludes(path) && !copy.excluded.excludes(below(path, source))
        });
        brought.map(|(_, entry)| entry.size).sum::<u64>()
    };
    i64::try_from(sources.map(saved).sum::<u64>()).unwrap_or(i64::MAX)
}
