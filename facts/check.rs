//! Whether two files do the same: their traces are compared.
//!
//! The check knows nothing of the transforms. It takes what a fix claims and assumes, leaves that out
//! of both traces, and compares the rest; so an edit that loses a command, changes how `||` binds or
//! moves a COPY over what reads it is found.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dockeropt_syntax::parse;

use crate::apk_index::Index;
use crate::claim::{Assumption, Claim};
use crate::configuration::configuration;
use crate::deletions::deletions;
use crate::effects::{Effects, Reach, within, written_by_copy, written_by_workdir};
use crate::facts::Facts;
use crate::liveness::{Traces, is_apk_update};
use crate::manifest_first::{ManifestFirst, Place, Placed};
use crate::order::{effects_of_atom, effects_of_copy, may_look_at};
use crate::reshape::{Counterpart, Split, allowed, counterparts, same_base};
use crate::tables::Manager;
use crate::text::check_text;
use crate::tokens::{Erasure, Token, Tokens, words_of_command};
use crate::trace::{Atom, Code, CopyEvent, Event, Inherited};
use crate::unsplit::{added_last, without_last_stage};
use crate::value::Value;

/// What the accepted fixes claim and assume.
#[derive(Clone, Debug, Default)]
pub struct Licence {
    /// What may differ.
    pub claims: Vec<Claim>,
    /// What is taken for granted.
    pub assumptions: Vec<Assumption>,
}

/// How two files differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Difference {
    /// What differs, as one sentence without a full stop.
    pub message: String,
}

pub(crate) fn difference(message: impl Into<String>) -> Result<(), Difference> {
    Err(Difference { message: message.into() })
}

/// Checks that `result` does what `original` does, but for what the licence allows.
pub fn check(original: &Facts<'_>, result: &Facts<'_>, licence: &Licence) -> Result<(), Difference> {
    check_text(original.file, result.file)?;
    check_without(&added_last(&licence.claims), original, result, licence)
}

/// Checks a result of which last stages are claimed to be new, by taking them off one by one.
fn check_without(
    added: &[&Claim],
    original: &Facts<'_>,
    result: &Facts<'_>,
    licence: &Licence,
) -> Result<(), Difference> {
    let Some((claim, others)) = added.split_first() else {
        return check_stages(original, result, licence);
    };
    let text = without_last_stage(original, result, claim)?;
    let file = parse(&text);
    check_without(others, original, &Facts::new(&file), licence)
}

fn check_stages(original: &Facts<'_>, result: &Facts<'_>, licence: &Licence) -> Result<(), Difference> {
    let Some(pairs) = counterparts(original, result, &licence.claims) else {
        return difference("the number of stages differs");
    };
    check_start(original, result)?;
    let (before, after) =
        (Traces::new(original, &licence.assumptions), Traces::new(result, &licence.assumptions));
    for (stage, pair) in pairs.iter().enumerate() {
        check_base(original, result, stage, &pairs, licence)?;
        let left = keys(&before, stage, licence, None);
        let mut right = pair.builder.map_or_else(Vec::new, |at| keys(&after, at, licence, Some(pair)));
        right.extend(keys(&after, pair.main, licence, Some(pair)));
        let put_first = pair.split.and_then(|split| split.path.as_deref());
        let (mut left, mut right) = (split(left, licence), split(right, licence));
        put_manifests_first(&mut left, &mut right, licence);
        compare(&left, &right, put_first.is_some())?;
        if let Some((before, after)) = before.apk_index_after(stage).zip(after.apk_index_after(pair.main))
            && !before.may_become(after)
        {
            return difference(format!("the index of apk that others find in stage {stage} differs"));
        }
        let path = original.stages[stage].end.expand("$PATH");
        let configurations = (configuration(original, stage), configuration(result, pair.main));
        if !same_configuration(configurations, path.raw(), pair.split) {
            return difference(format!("the configuration of stage {stage} differs"));
        }
    }
    Ok(())
}

/// Instructions before the first FROM must stay as they are.
fn check_start(original: &Facts<'_>, result: &Facts<'_>) -> Result<(), Difference> {
    let start = |facts: &Facts<'_>| {
        let steps = facts.steps.iter().take_while(|step| step.stage.is_none());
        steps.map(|step| step.instruction.arguments().to_owned()).collect::<Vec<_>>()
    };
    if start(original) == start(result) {
        Ok(())
    } else {
        difference("the arguments before the first FROM differ")
    }
}

fn check_base(
    original: &Facts<'_>,
    result: &Facts<'_>,
    stage: usize,
    pairs: &[Counterpart<'_>],
    licence: &Licence,
) -> Result<(), Difference> {
    let pair = &pairs[stage];
    let before = &original.stages[stage];
    for after in [pair.builder, Some(pair.main)].into_iter().flatten() {
        let is_main = after == pair.main;
        let instead = pair.split.filter(|_| is_main).and_then(|split| split.base.as_deref());
        let bases = (&before.base, &result.stages[after].base);
        let same = same_base(bases, pairs, &licence.claims, instead);
        if !same || (is_main && before.name != result.stages[after].name) {
            return difference(format!("stage {stage} has another name or base"));
        }
        let from = |facts: &Facts<'_>, stage: usize| {
            let step = facts.steps_of(stage).first();
            step.map_or((Vec::new(), None), |step| {
                let operation = &step.instruction.operation;
                let flags: Vec<String> = operation.flags.iter().map(|flag| flag.text.clone()).collect();
                let words = operation.words(&step.instruction.logical, step.state.escape);
                // A build argument may name another stage.
                (flags, words.first().map(|word| word.text.clone()).filter(|word| word.contains('$')))
            })
        };
        if from(original, stage) != from(result, after) {
            return difference(format!("stage {stage} starts from another platform or argument"));
        }
    }
    Ok(())
}

/// Whether an image is configured as it was. A split may put a folder before PATH, and leaves behind what
/// only the builder declares.
fn same_configuration(
    (mut before, mut after): (BTreeMap<String, String>, BTreeMap<String, String>),
    path: &str,
    split: Option<&Split>,
) -> bool {
    const PATH: &str = "ENV PATH";
    if let Some(split) = split {
        before.retain(|name, _| !name.starts_with("ARG ") && !split.dropped.contains(name));
        after.retain(|name, _| !name.starts_with("ARG "));
        // What the base has set is spelled out.
        if let Some(folder) = &split.workdir
            && after.get("WORKDIR") == Some(folder)
            && before.get("WORKDIR") == Some(&Value::symbol("WORKDIR").raw().to_owned())
        {
            before.remove("WORKDIR");
            after.remove("WORKDIR");
        }
        if let Some(folder) = &split.path {
            before.remove(PATH);
            let new = after.remove(PATH).unwrap_or_default();
            let rest = new.strip_prefix(folder.as_str()).and_then(|rest| rest.strip_prefix(':'));
            if rest != Some(path) {
                return false;
            }
        }
    }
    before == after
}

/// An event with all that must be equal for it to be the same.
struct Key<'t, 'f> {
    event: &'t Event<'f>,
    /// The file that it is of, and the stage.
    facts: &'f Facts<'f>,
    stage: usize,
    /// The words.
    tokens: Rc<Tokens>,
    /// What earlier commands leave behind that matters to it.
    inherits: Vec<Rc<Tokens>>,
    /// What those of its commands find that need an index of apk.
    apk_index: Vec<Index>,
    /// Whether a claim allows it to be there without having been there.
    may_be_new: bool,
    /// What a claim allows it to change places with.
    may_pass: Vec<Passed>,
    /// What earlier commands leave behind that a claim says doesn't matter to it.
    forgets: Vec<String>,
    /// Whether a claim put it into the original.
    is_put_in: bool,
    effects: OnceCell<Effects>,
}

/// What a claim allows a COPY to change places with.
#[derive(Clone, PartialEq)]
enum Passed {
    /// A command in a folder.
    Command(Vec<String>, String),
    /// A WORKDIR that makes no folder: the COPY above has made it.
    Folder,
}

/// The events of a stage without what does not matter.
fn keys<'t, 'f>(
    traces: &'t Traces<'f>,
    stage: usize,
    licence: &Licence,
    result: Option<&Counterpart<'_>>,
) -> Vec<Key<'t, 'f>> {
    let mut named: Option<Vec<String>> = None;
    for claim in &licence.claims {
        if let Claim::WithoutRecommends { named: names, .. } = claim {
            named.get_or_insert_default().extend_from_slice(names);
        }
    }
    let named = named.filter(|_| result.is_some());
    let allowed = result.map_or_else(Vec::new, |pair| {
        let builder = pair.builder.filter(|_| stage == pair.main).map(|at| &traces.stages[at][..]);
        allowed(&traces.stages[stage], &licence.claims, pair.split, builder)
    });
    let mut keys = Vec::new();
    // The words of each event, `None` of those that do not matter.
    let mut words: Vec<Option<Rc<Tokens>>> = Vec::with_capacity(traces.stages[stage].len());
    let mut index = traces.apk_index_before(stage);
    let bottom = traces.facts.bottom_of(stage);
    for (at, event) in traces.stages[stage].iter().enumerate() {
        let mut tokens = Tokens::default();
        let mut inherits = Vec::new();
        let apk_index = traces.follow_apk_index(&mut index, event);
        let mut may_go = false;
        if let Event::Atom(atom) = event {
            let builder = result.filter(|pair| pair.builder == Some(stage));
            let is_dead = is_dead(traces, stage, at, atom);
            if is_dead && builder.is_none() {
                words.push(None);
                continue;
            }
            may_go = is_dead || builder.is_some_and(|pair| is_dead_in_builder(traces, at, atom, pair));
            inherits.extend(atom.inherits.iter().filter_map(|inherited| match inherited {
                Inherited::Of(at) => words[*at].clone(),
                Inherited::Other(text) => Some(Rc::new(Tokens::of_text(text))),
            }));
            tokens = crate::tokens::tokens(atom, &Erasure { without_recommends: named.as_deref(), bottom });
        }
        let tokens = Rc::new(tokens);
        words.push(Some(Rc::clone(&tokens)).filter(|_| !may_go));
        keys.push(Key {
            event,
            facts: traces.facts,
            stage,
            tokens,
            inherits,
            apk_index,
            // In a builder it may still stand for one of the original that matters there.
            may_be_new: may_go || allowed.get(at).copied().unwrap_or_default(),
            may_pass: Vec::new(),
            is_put_in: false,
            forgets: Vec::new(),
            effects: OnceCell::new(),
        });
    }
    keys
}

/// Whether an atom may come or go: it only deletes caches that nobody reads, or fetches an index that
/// those who need it can fetch.
fn is_dead(traces: &Traces<'_>, stage: usize, at: usize, atom: &Atom<'_>) -> bool {
    let mounted = |folder: &str| atom.mounts.iter().any(|mount| mount.may_hold(folder));
    if let Some(deletions) = deletions(atom) {
        return deletions
            .iter()
            .all(|&deletion| !mounted(deletion.2) && !traces.is_used_after(stage, at, deletion));
    }
    is_apk_update(atom) && !mounted("/var/cache/apk") && traces.only_serves_installs(stage, at)
}

/// The same for what the builder of a split deletes: that the last stage copies the folder is what the claim
/// says.
fn is_dead_in_builder(traces: &Traces<'_>, at: usize, atom: &Atom<'_>, pair: &Counterpart<'_>) -> bool {
    let Some(stage) = pair.builder else { return false };
    let mounted = |folder: &str| atom.mounts.iter().any(|mount| mount.may_hold(folder));
    deletions(atom).is_some_and(|deletions| {
        deletions.iter().all(|&deletion| {
            deletion.0 != Manager::Apk
                && !mounted(deletion.2)
                && !traces.is_used_after_split((stage, at), pair.main, deletion)
        })
    })
}

/// Takes an install apart into one of each package, where a claim allows other calls to install them.
fn split<'t, 'f>(keys: Vec<Key<'t, 'f>>, licence: &Licence) -> Vec<Key<'t, 'f>> {
    let allowed = |manager: Manager| licence.claims.contains(&Claim::OneInstall(manager));
    let mut out: Vec<Key<'t, 'f>> = Vec::with_capacity(keys.len());
    for key in keys {
        if !key.tokens.install.is_some_and(allowed) || !key.tokens.words.iter().any(|token| token.package) {
            out.push(key);
            continue;
        }
        let words = key.tokens.words.iter().cloned();
        let (packages, others): (Vec<_>, Vec<_>) = words.partition(|token| token.package);
        for package in packages {
            let may_be_new = key.may_be_new || package.may_be_new;
            let mut words = others.clone();
            words.push(Token { may_be_new: false, ..package });
            out.push(Key {
                tokens: Rc::new(Tokens { words, install: key.tokens.install }),
                inherits: key.inherits.clone(),
                apk_index: key.apk_index.clone(),
                effects: OnceCell::new(),
                may_be_new,
                may_pass: Vec::new(),
                forgets: Vec::new(),
                ..key
            });
        }
    }
    out
}

/// Puts the COPYs that claims allow into the original, above the COPY that brings the same files, and
/// notes what these may change places with.
fn put_manifests_first<'t, 'f>(left: &mut Vec<Key<'t, 'f>>, right: &mut [Key<'t, 'f>], licence: &Licence) {
    let events = |keys: &[Key<'t, 'f>]| keys.iter().map(|key| key.event).collect::<Vec<_>>();
    // In the order of the result, so that COPYs above the same one are put in as they stand there.
    let mut claims: Vec<(usize, &ManifestFirst)> = Vec::new();
    for claim in &licence.claims {
        if let Claim::ManifestFirst(claim) = claim
            && let Some(place) = Place::find(claim, &events(left), &events(right))
        {
            claims.push((place.copies.iter().min().copied().unwrap_or_default(), claim));
        }
    }
    claims.sort_unstable();
    for (_, claim) in claims {
        let Some(place) = Place::find(claim, &events(left), &events(right)) else { continue };
        let Some(&last) = place.copies.iter().max() else { continue };
        let bottom = right[last].facts.bottom_of(right[last].stage);
        let commands = |placed: &[Placed]| {
            let of = |it: &Placed| {
                Some(Passed::Command(words_of_command(&it.command, bottom)?, it.folder.clone()))
            };
            placed.iter().filter_map(of).collect::<Vec<_>>()
        };
        // COPYs of other claims may stand above the same one. These and the commands that need those may
        // change places, too, as they have no file in common.
        let above = left[..place.project].iter().rposition(|key| !key.is_put_in).map_or(0, |at| at + 1);
        let apart = !left[above..place.project].iter().any(|key| claim.shares_files_with(key.event));
        let (installs, others) = (commands(&claim.installs), commands(&claim.others));
        let added = commands(&claim.added);
        // Another stage may copy the same manifests for another command.
        if let Some(first) = added.first().or(installs.first())
            && !right.iter().any(|key| is_passed(first, key))
        {
            continue;
        }
        let mut may_pass = vec![Passed::Folder];
        may_pass.extend(others.iter().cloned());
        if apart {
            may_pass.extend(left[place.project].may_pass.iter().cloned());
            for key in &mut left[above..place.project] {
                key.may_pass.extend(installs.iter().chain(&others).cloned());
            }
        }
        for key in &mut left[place.project..] {
            key.forgets.extend(claim.forgets.iter().map(|program| format!("where {program} was")));
        }
        left[place.project].may_pass.extend(installs.into_iter().chain(others));
        left[place.project].may_pass.push(Passed::Folder);
        // What is new must stand between them and the COPY of the project.
        let project = (last..right.len()).find(|&at| same(&left[place.project], &right[at], false));
        for key in &mut right[last..project.unwrap_or(last)] {
            key.may_be_new |= added.iter().any(|added| is_passed(added, key));
        }
        let new = place.copies.iter().map(|&at| Key {
            tokens: Rc::default(),
            inherits: Vec::new(),
            apk_index: Vec::new(),
            may_pass: may_pass.clone(),
            is_put_in: true,
            forgets: Vec::new(),
            effects: OnceCell::new(),
            ..right[at]
        });
        let new: Vec<_> = new.collect();
        left.splice(place.project..place.project, new);
    }
}

fn is_passed(passed: &Passed, key: &Key<'_, '_>) -> bool {
    match (passed, key.event) {
        (Passed::Command(words, folder), Event::Atom(atom)) => {
            let in_folder = atom.folder.as_ref().and_then(|folder| folder.text()) == Some(folder);
            in_folder && key.tokens.words.iter().map(|token| &token.text).eq(words)
        }
        (Passed::Folder, Event::Mkdir { .. }) => true,
        _ => false,
    }
}

/// Finds for each event on the left the same event on the right, past events that it may change
/// places with.
fn compare(left: &[Key<'_, '_>], right: &[Key<'_, '_>], other_path: bool) -> Result<(), Difference> {
    let mut matched = vec![false; right.len()];
    let mut first = 0;
    for key in left {
        while first < right.len() && matched[first] {
            first += 1;
        }
        let stay = |at: &usize| !matched[*at] && !right[*at].may_be_new;
        let passed = |found: usize| {
            let stays = |at: &usize| {
                !key.may_pass.iter().any(|it| is_passed(it, &right[*at])) && !independent(key, &right[*at])
            };
            (first..found).filter(stay).find(stays)
        };
        let places = |new: bool| {
            let open = (first..right.len()).filter(|&at| !matched[at]);
            open.filter(move |&at| right[at].may_be_new == new && same(key, &right[at], other_path))
        };
        // What a claim allows to be new may stand for it, but what was there before rather does.
        let Some(found) = places(false).chain(places(true)).find(|&at| passed(at).is_none()) else {
            let nearest = places(false).chain(places(true)).next();
            let passed = nearest.and_then(passed);
            return difference(match passed {
                Some(passed) => {
                    format!("{} came before {}", describe(key.event), describe(right[passed].event))
                }
                None => format!("{} is lost or changed", describe(key.event)),
            });
        };
        matched[found] = true;
    }
    match matched.iter().zip(right).position(|(matched, key)| !matched && !key.may_be_new) {
        Some(at) => difference(format!("{} is new", describe(right[at].event))),
        None => Ok(()),
    }
}

fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Atom(atom) => {
            let what = match &atom.code {
                Code::Pipeline(pipeline) => &atom.text[pipeline.span.range()],
                Code::Script(entries) => {
                    entries.first().map_or("", |entry| &atom.text[entry.pipeline.span.range()])
                }
                Code::Exec(words) => words.first().copied().unwrap_or_default(),
                Code::Raw(raw, _) => raw,
            };
            let words: Vec<&str> = what.split_whitespace().take(3).collect();
            format!("`{}` (line {})", words.join(" "), atom.line)
        }
        Event::Copy(CopyEvent { copy, line, .. }) => {
            format!("the {} to {} (line {line})", if copy.add { "ADD" } else { "COPY" }, copy.written.raw())
        }
        Event::Mkdir { path, .. } => format!("the WORKDIR {}", path.raw()),
    }
}

/// Whether an event of the original is the same as one of the result.
fn same(original: &Key<'_, '_>, result: &Key<'_, '_>, other_path: bool) -> bool {
    match (original.event, result.event) {
        (Event::Atom(_), Event::Atom(_)) => {
            same_setting(original.event, result.event, other_path)
                && same_inheritance(original, result)
                && same_words(&original.tokens, &result.tokens)
                && finds_index(&original.apk_index, &result.apk_index)
        }
        (Event::Copy(a), Event::Copy(b)) => {
            let fields = |event: &CopyEvent| (event.copy.written.raw().ends_with('/'), event.bodies.clone());
            a.state.volumes == b.state.volumes
                && a.copy.add == b.copy.add
                && a.copy.from == b.copy.from
                && a.copy.sources == b.copy.sources
                && a.copy.destination == b.copy.destination
                && a.copy.flags == b.copy.flags
                && fields(a) == fields(b)
        }
        (Event::Mkdir { path, user, .. }, Event::Mkdir { path: other, user: by, .. }) => {
            path == other && user == by
        }
        _ => false,
    }
}

/// The result may have words that a claim allows.
fn same_words(original: &Tokens, result: &Tokens) -> bool {
    let mut words = result.words.iter();
    let kept = original.words.iter().all(|word| {
        words
            .find(|other| other.text == word.text || !other.may_be_new)
            .is_some_and(|it| it.text == word.text)
    });
    kept && words.all(|word| word.may_be_new)
}

/// Whether those that need an index of apk find one in the result, if they did in the original. In a file
/// that does not name apk there is none.
fn finds_index(original: &[Index], result: &[Index]) -> bool {
    let none = Index::default();
    match (original, result) {
        ([], result) => result.iter().all(|index| none.may_become(*index)),
        (original, []) => original.iter().all(|index| index.may_become(none)),
        _ => original.len() == result.len() && original.iter().zip(result).all(|(a, b)| a.may_become(*b)),
    }
}

fn same_setting(a: &Event<'_>, b: &Event<'_>, other_path: bool) -> bool {
    let (Event::Atom(a), Event::Atom(b)) = (a, b) else { return false };
    a.state.user == b.state.user
        && a.state.workdir == b.state.workdir
        && a.state.shell == b.state.shell
        && a.state.shell_words == b.state.shell_words
        && a.state.volumes == b.state.volumes
        && (a.env == b.env || (other_path && a.env.equals_but(&b.env, "PATH")))
        && a.flags.len() == b.flags.len()
        && a.flags.iter().zip(&b.flags).all(|(one, other)| a.state.expand(one) == b.state.expand(other))
}

/// Whether what earlier commands in the same shells leave behind is the same.
fn same_inheritance(original: &Key<'_, '_>, result: &Key<'_, '_>) -> bool {
    let matters = |tokens: &&Rc<Tokens>| {
        let forgotten = |name: &String| tokens.words.len() == 1 && tokens.words[0].text == *name;
        !original.forgets.iter().any(forgotten)
    };
    let (before, after) = (original.inherits.iter().filter(matters), result.inherits.iter().filter(matters));
    before.clone().count() == after.clone().count() && before.zip(after).all(|(a, b)| same_words(a, b))
}

/// Whether two events may change places.
fn independent(a: &Key<'_, '_>, b: &Key<'_, '_>) -> bool {
    match (a.event, b.event) {
        (Event::Copy(copy), Event::Mkdir { path, root, .. })
        | (Event::Mkdir { path, root, .. }, Event::Copy(copy)) => {
            let apart = !written_by_copy(&copy.copy).overlaps(&written_by_workdir(path, *root));
            let destination = copy.copy.destination.text();
            // Both make the folder for root, whoever comes first.
            let below = destination
                .zip(path.text())
                .is_some_and(|(destination, path)| destination != path && within(destination, path));
            let known = destination.is_some() && path.text().is_some();
            known && (apart || (*root && below && copy.copy.flags.is_empty()))
        }
        (Event::Copy(copy), Event::Atom(atom)) | (Event::Atom(atom), Event::Copy(copy)) => {
            let destination = copy.copy.destination.text();
            let named = destination.is_none_or(|path| {
                may_look_at(atom, path) || [a, b].iter().any(|key| is_named_before(key, path))
            });
            !named && effects(a).independent(effects(b))
        }
        _ => effects(a).independent(effects(b)),
    }
}

/// Whether a step up to an atom names a path, so that the atom may look there.
fn is_named_before(key: &Key<'_, '_>, path: &str) -> bool {
    let Event::Atom(atom) = key.event else { return false };
    key.facts.first_naming(key.stage, path).is_some_and(|line| line <= atom.line)
}

fn effects<'k>(key: &'k Key<'_, '_>) -> &'k Effects {
    key.effects.get_or_init(|| match key.event {
        Event::Atom(atom) => effects_of_atom(atom),
        Event::Copy(event) => effects_of_copy(&event.copy),
        Event::Mkdir { path, root, .. } => {
            let path = written_by_workdir(path, *root);
            // The owner's name is looked up.
            let reads = if *root { Reach::default() } else { Reach::path("/etc") };
            Effects { reads, writes: path }
        }
    })
}
