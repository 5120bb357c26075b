//! Claims that change what a stage starts from, or split it: which stages of the result stand for which
//! stage of the original, and what of them a claim allows to be new.

use crate::claim::Claim;
use crate::command::bare_words;
use crate::facts::Facts;
use crate::stage::Base;
use crate::trace::{Atom, Code, CopyEvent, Event};
use crate::value::Value;

/// The stages of a result that stand for one stage of the original.
#[derive(Clone, Debug)]
pub(crate) struct Counterpart<'l> {
    /// The stage that only builds, if a claim splits the stage.
    pub(crate) builder: Option<usize>,
    /// The stage that has its configuration.
    pub(crate) main: usize,
    /// The claim that splits it.
    pub(crate) split: Option<&'l Split>,
}

/// What only builds is in a stage of its own, and the last stage takes from it what was built.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Split {
    /// The name of the stage that builds.
    pub builder: String,
    /// What the last stage starts from, if that is another image than what the builder starts from.
    pub base: Option<String>,
    /// What is copied from the builder to the same place.
    pub carried: Vec<String>,
    /// The packages of a distribution that the last stage installs.
    pub packages: Vec<String>,
    /// The commands that the builder runs beside those that were there.
    pub commands: Vec<String>,
    /// The commands of the builder that the last stage runs once more.
    pub repeated: Vec<String>,
    /// The folder that now stands first in PATH, in both stages.
    pub path: Option<String>,
    /// The variables that only the builder needs.
    pub dropped: Vec<String>,
    /// The folder that the builder's base sets and the last stage now enters itself.
    pub workdir: Option<String>,
}

/// Pairs the stages of an original with those of a result; `None` if that can't be done.
pub(crate) fn counterparts<'l>(
    original: &Facts<'_>,
    result: &Facts<'_>,
    claims: &'l [Claim],
) -> Option<Vec<Counterpart<'l>>> {
    let splits =
        || claims.iter().filter_map(|claim| if let Claim::Split(split) = claim { Some(split) } else { None });
    let mut pairs = Vec::with_capacity(original.stages.len());
    let mut at = 0;
    for _ in &original.stages {
        let name = result.stages.get(at)?.name.as_deref();
        // What the original takes from an image of this name must not come from the stage.
        let is_known = |split: &&Split| {
            original.stages.iter().any(|it| it.name.as_deref() == Some(&split.builder))
                || original.steps.iter().any(|step| step.takes_from(&split.builder))
        };
        let split = splits().find(|split| name == Some(split.builder.as_str()) && !is_known(split));
        let builder = split.map(|_| at);
        let main = at + usize::from(split.is_some());
        result.stages.get(main)?;
        pairs.push(Counterpart { builder, main, split });
        at = main + 1;
    }
    (at == result.stages.len()).then_some(pairs)
}

/// Whether a stage of the original and one of the result start from the same, given which stage stands for
/// which and what is claimed. `instead` is the image that a split claims for its last stage.
pub(crate) fn same_base(
    (before, after): (&Base, &Base),
    pairs: &[Counterpart<'_>],
    claims: &[Claim],
    instead: Option<&str>,
) -> bool {
    match (before, after) {
        (Base::Scratch, Base::Scratch) => true,
        (Base::Stage(parent), Base::Stage(other)) => {
            pairs.get(*parent).is_some_and(|pair| pair.main == *other)
        }
        (Base::Image { .. }, Base::Image { .. }) => {
            let is = |base: &Base, name: &str| reference(base) == Some(name);
            if let Some(instead) = instead {
                return is(after, instead);
            }
            let rebased = |claim: &Claim| matches!(claim, Claim::Rebase { from, to, .. } if is(before, from) && is(after, to));
            before == after || claims.iter().any(rebased)
        }
        _ => false,
    }
}

/// The image that a base names, if no build argument decides it.
fn reference(base: &Base) -> Option<&str> {
    match base {
        Base::Image { reference, platform: None, .. } => reference.text(),
        _ => None,
    }
}

/// Which of the events of a stage of the result a claim allows to be new. `builder` has the events of the
/// stage that builds, if this is the last one of a split.
pub(crate) fn allowed(
    events: &[Event<'_>],
    claims: &[Claim],
    split: Option<&Split>,
    builder: Option<&[Event<'_>]>,
) -> Vec<bool> {
    if split.is_none() && !claims.iter().any(|claim| matches!(claim, Claim::Rebase { .. })) {
        return Vec::new();
    }
    let is_last = builder.is_some();
    let named: Vec<&[String]> = claims
        .iter()
        .filter_map(|claim| match claim {
            Claim::Rebase { packages, .. } => Some(&packages[..]),
            _ => None,
        })
        .chain(split.filter(|_| is_last).map(|split| &split.packages[..]))
        .collect();
    let mut allowed = vec![false; events.len()];
    for (at, event) in events.iter().enumerate() {
        allowed[at] = match event {
            // What the builder gets from the context or from another image may go into the image once more.
            Event::Copy(event) if !split.is_some_and(|split| is_from(event, &split.builder)) => {
                builder.is_some_and(|events| events.iter().any(|it| brings_the_same(it, event)))
            }
            Event::Copy(event) => split.filter(|_| is_last).is_some_and(|split| {
                event.copy.flags.is_empty()
                    && !event.copy.add
                    && event.copy.sources.len() == 1
                    && event.copy.sources[0] == event.copy.written
                    && event.copy.written.text().is_some_and(|path| split.carried.iter().any(|it| it == path))
            }),
            Event::Atom(atom) => {
                let words = plain_words(atom);
                let is_command = || {
                    let words = words.as_deref().map(|words| words.join(" "));
                    split.is_some_and(|split| split.commands.iter().any(|it| Some(it) == words.as_ref()))
                };
                let installs = |words: &[&str]| {
                    let rest = words.strip_prefix(&INSTALL).or(words.strip_prefix(&ADD));
                    rest.is_some_and(|rest| {
                        !rest.is_empty() && named.iter().any(|names| rest.iter().all(|it| has(names, it)))
                    })
                };
                let is_repeated = || {
                    let joined = words.as_deref().map(|words| words.join(" "));
                    split.is_some_and(|split| split.repeated.iter().any(|it| Some(it) == joined.as_ref()))
                        && builder
                            .is_some_and(|events| events.iter().any(|it| runs_the_same(it, words.as_deref())))
                };
                words.as_deref().is_some_and(installs) || (!is_last && is_command()) || is_repeated()
            }
            Event::Mkdir { path, user, .. } => {
                let of_base = split.and_then(|split| split.workdir.as_deref());
                builder.is_some_and(|events| {
                    makes(events, path, user) || path.text().is_some() && path.text() == of_base
                })
            }
        };
    }
    // An update belongs to the install behind it.
    for at in 1..events.len() {
        if let Event::Atom(atom) = &events[at - 1]
            && allowed[at]
            && matches!(&events[at], Event::Atom(_))
            && plain_words(atom).is_some_and(|words| words == UPDATE)
        {
            allowed[at - 1] = true;
        }
    }
    // So does the removal of what it fetched, where nothing stands above that may have fetched others.
    for at in 1..events.len() {
        if let Event::Atom(atom) = &events[at]
            && allowed[at - 1]
            && atom.flags.is_empty()
            && matches!(&atom.code, Code::Pipeline(pipeline) if &atom.text[pipeline.span.range()] == REMOVAL)
        {
            allowed[at] = events
                .iter()
                .zip(&allowed[..at])
                .all(|(event, is_new)| *is_new || !matches!(event, Event::Atom(_)));
        }
    }
    allowed
}

/// How packages are installed by rewrites.
const INSTALL: [&str; 4] = ["apt-get", "install", "-y", "--no-install-recommends"];
const ADD: [&str; 3] = ["apk", "add", "--no-cache"];
const UPDATE: [&str; 2] = ["apt-get", "update"];
const REMOVAL: &str = "rm -rf /var/lib/apt/lists/*";

fn has(names: &[String], word: &str) -> bool {
    names.iter().any(|name| name == word)
}

fn makes(events: &[Event<'_>], path: &Value, user: &Value) -> bool {
    events.iter().any(
        |event| matches!(event, Event::Mkdir { path: other, user: by, .. } if other == path && by == user),
    )
}

/// Whether a COPY takes files from a stage, of which the builder compares names without regard to case.
fn is_from(event: &CopyEvent, stage: &str) -> bool {
    event.copy.from.as_deref().is_some_and(|from| from.eq_ignore_ascii_case(stage))
}

fn brings_the_same(event: &Event<'_>, other: &CopyEvent) -> bool {
    matches!(event, Event::Copy(event) if event.copy == other.copy && event.bodies == other.bodies)
}

/// Whether an event is a command of these words.
fn runs_the_same(event: &Event<'_>, words: Option<&[&str]>) -> bool {
    matches!(event, Event::Atom(atom) if plain_words(atom).as_deref() == words)
}

/// The words of an atom that is one simple command of literal words without mounts or redirections.
fn plain_words<'a>(atom: &'a Atom<'_>) -> Option<Vec<&'a str>> {
    let Code::Pipeline(pipeline) = &atom.code else { return None };
    bare_words(pipeline.simple()?).filter(|_| atom.flags.is_empty())
}
