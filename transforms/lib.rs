//! How a Dockerfile could be better: one file per rewrite.
//!
//! A transform looks at the facts and proposes fixes, or says why it held back. It never applies
//! anything, and whether a fix is safe is computed from what it claims and assumes.

mod bundler;
mod clean_package_cache;
mod copy_after_install;
mod copy_manifest_first;
mod development_stage;
mod flatten;
mod ignore_junk;
mod later_use;
mod layout;
mod memo;
mod merge_run;
mod needs;
mod no_recommends;
mod refusal;
mod size;
mod slim_base;
mod sources;
mod split_stages;
#[cfg(test)]
mod testing;

use dockeropt_facts::builds::Builds;
use dockeropt_facts::claim::{Assumption, Claim};
use std::cell::OnceCell;
use std::fmt;

use dockeropt_facts::{Facts, Knowledge, Project, Step};
use dockeropt_syntax::{Edits, Span};

pub use memo::Memo;

/// Every transform, in the order in which they run: what lies in the context first, as the others look
/// at it; then what joins RUNs, as the others look at one RUN at a time; what moves instructions and adds
/// stages last.
pub const ALL: [&dyn Transform; 10] = [
    &ignore_junk::IgnoreJunk,
    &slim_base::SlimBase,
    &merge_run::MergeRun,
    &no_recommends::NoRecommends,
    &clean_package_cache::CleanPackageCache,
    &copy_after_install::CopyAfterInstall,
    &copy_manifest_first::CopyManifestFirst,
    &development_stage::DevelopmentStage,
    &split_stages::SplitStages,
    &flatten::Flatten,
];

/// One kind of rewrite.
pub trait Transform: Sync {
    /// What it is called and what it does.
    fn meta(&self) -> &'static Meta;

    /// Whether none of its fixes is ever safe, so that it needs to be asked only once where these aren't applied.
    fn is_never_safe(&self) -> bool {
        false
    }

    /// Whether it has one thing to say of a file: then a reason for holding back is all there is to say.
    fn is_of_whole_file(&self) -> bool {
        false
    }

    /// Looks at a file and adds fixes, or reasons for holding back. Fixes of one call don't overlap.
    fn propose(&self, context: &Context<'_>, out: &mut Proposals);

    /// Says for who asks why there is nothing to propose in places that `propose` says nothing about, as the
    /// transform is not about such places.
    fn pass(&self, _context: &Context<'_>, _out: &mut Proposals) {}
}

/// What a transform is called and what it does.
#[derive(Debug)]
pub struct Meta {
    /// Its name in options and reports.
    pub id: &'static str,
    /// What it does, as an imperative sentence without a full stop.
    pub summary: &'static str,
    /// Whether it runs without being asked for.
    pub on_by_default: bool,
    /// The version of dockeropt that brought it.
    pub since: &'static str,
    /// The source of its file, of which the documentation is taken.
    pub(crate) source: &'static str,
}

impl Meta {
    /// The documentation, in Markdown: the doc comment of the transform's file.
    pub fn doc(&self) -> String {
        let lines = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        lines.flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"]).collect()
    }
}

/// What a transform may look at.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The file.
    pub facts: &'c Facts<'c>,
    /// What was derived from them.
    pub memo: &'c Memo<'c>,
    /// What the user chose.
    pub settings: &'c Settings,
    /// What is known of packages and images.
    pub knowledge: &'c Knowledge,
    /// What lies around the file.
    pub surroundings: &'c Surroundings<'c>,
}

impl<'c> Context<'c> {
    /// The build context, if the file has one that can be read. Ask late: it may have to be read.
    pub fn project(&self) -> Option<&'c Project> {
        self.surroundings.project(self.facts)
    }
}

type Read<'s> = dyn Fn(&Facts<'_>) -> Option<Project> + 's;

/// What lies around a Dockerfile; read when a transform asks for the first time.
pub struct Surroundings<'s> {
    read: Box<Read<'s>>,
    project: OnceCell<Option<Project>>,
}

impl<'s> Surroundings<'s> {
    /// What `read` gives for the facts of the file when it is asked for.
    pub fn new(read: impl Fn(&Facts<'_>) -> Option<Project> + 's) -> Self {
        Self { read: Box::new(read), project: OnceCell::new() }
    }

    /// Nothing is known: standard input, or a lone file.
    pub fn unknown() -> Self {
        Self::new(|_| None)
    }

    /// A build context.
    pub fn of(project: Project) -> Self {
        Self { read: Box::new(|_| None), project: OnceCell::from(Some(project)) }
    }

    /// The build context of a file of which the facts are given.
    pub fn project(&self, facts: &Facts<'_>) -> Option<&Project> {
        self.project.get_or_init(|| (self.read)(facts)).as_ref()
    }

    /// The build context, if somebody has asked for it.
    pub fn known(&self) -> Option<&Project> {
        self.project.get()?.as_ref()
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Surroundings").field("project", &self.project).finish_non_exhaustive()
    }
}

/// What a user can choose about the transforms.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `merge-run` joins neighbours that gain nothing but a layer less, too.
    pub merge_always: bool,
    /// What the builds use: nothing that they don't read may be written.
    pub builds: Builds,
}

/// Edits that are applied all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Fix {
    /// The transform's id.
    pub transform: &'static str,
    /// What it does here, as an imperative sentence without a full stop.
    pub title: String,
    /// The changes.
    pub edits: Edits,
    /// The source lines that it concerns.
    pub span: Span,
    /// What it lets differ in the image.
    pub claims: Vec<Claim>,
    /// What it takes for granted.
    pub assumptions: Vec<Assumption>,
    /// Why it is an improvement, and what else the reader should know.
    pub notes: Vec<String>,
    /// Lines to add to the ignore file of the context. What they leave out is claimed by
    /// [`Claim::Ignored`].
    pub ignore: Vec<String>,
    /// How many bytes the image is expected to lose, where there is a basis for it; negative if it grows.
    pub saves: Option<i64>,
}

impl Fix {
    /// Whether the image is the same for certain: nothing is claimed that counts, nothing assumed.
    pub fn is_safe(&self) -> bool {
        self.assumptions.is_empty() && !self.claims.iter().any(Claim::counts)
    }
}

/// A place where a transform looked and held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// The transform's id.
    pub transform: &'static str,
    /// The source lines.
    pub span: Span,
    /// Why nothing was done, as a clause without a full stop. Names aside, there is one wording for
    /// each cause. `{line}` stands for the line of `other`.
    pub reason: String,
    /// Where another instruction that is to blame starts.
    pub other: Option<usize>,
}

impl Declined {
    /// The reason, given the line of an offset.
    pub fn describe(&self, line: impl Fn(usize) -> usize) -> String {
        match self.other {
            Some(other) => self.reason.replace("{line}", &line(other).to_string()),
            None => self.reason.clone(),
        }
    }
}

/// What the transforms propose.
#[derive(Debug, Default)]
pub struct Proposals {
    /// The fixes.
    pub fixes: Vec<Fix>,
    /// Where they held back.
    pub declined: Vec<Declined>,
}

impl Proposals {
    pub(crate) fn decline(&mut self, meta: &Meta, span: Span, reason: impl Into<String>) {
        self.add(Declined { transform: meta.id, span, reason: reason.into(), other: None });
    }

    /// Holds back because of another step, for whose line `{line}` stands in the reason.
    pub(crate) fn decline_for(
        &mut self,
        meta: &Meta,
        span: Span,
        other: &Step<'_>,
        reason: impl Into<String>,
    ) {
        let other = Some(other.instruction.span.start);
        self.add(Declined { transform: meta.id, span, reason: reason.into(), other });
    }

    /// Lets a transform tell of the places that it said nothing about.
    pub fn pass(&mut self, transform: &dyn Transform, context: &Context<'_>) {
        if transform.is_of_whole_file() && !self.declined.is_empty() {
            return;
        }
        let mut passed = Self::default();
        transform.pass(context, &mut passed);
        let is_new = |declined: &Declined| {
            let holds = |fix: &Fix| fix.span.contains(declined.span);
            !self.fixes.iter().any(holds) && !self.declined.iter().any(|it| it.span == declined.span)
        };
        passed.declined.retain(is_new);
        self.declined.append(&mut passed.declined);
    }

    fn add(&mut self, declined: Declined) {
        // Refusals are made in the order of the file, so that equal ones stand together.
        let mut here = self.declined.iter().rev().take_while(|it| it.span.start >= declined.span.start);
        if !here.any(|other| *other == declined) {
            self.declined.push(declined);
        }
    }
}
