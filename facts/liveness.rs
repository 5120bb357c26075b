//! Whether what a package manager keeps is used after a point of a stage.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use dockeropt_syntax::LogicalSpan;
use dockeropt_syntax::shell;

use crate::apk_index::{Index, is_plain_update, is_shown_install};
use crate::claim::Assumption;
use crate::deletions::{Deletion, deletions, forces_removal};
use crate::facts::{Body, Facts, Step};
use crate::observers::{observers_of, observers_with};
use crate::shell_state::visit_pipeline;
use crate::stage::Base;
use crate::tables::{Kept, Manager, kept};
use crate::trace::{Atom, Code, Event, events, events_of_step};
use crate::usage::{Usage, Use, usages, usages_of_entries, usages_of_pipeline, usages_of_words};

/// A file's events by stage.
pub(crate) struct Traces<'f> {
    pub(crate) facts: &'f Facts<'f>,
    pub(crate) stages: Vec<Vec<Event<'f>>>,
    assumed: &'f [Assumption],
    /// For each folder, by stage and event, whether what lies in it is used from there on.
    used: RefCell<BTreeMap<(Manager, &'static str), Answers>>,
    /// By stage and event, whether an apk index is used from there on by other than installs.
    asked: OnceCell<Answers>,
    /// By stage, what its parents left of an apk index.
    apk_index: OnceCell<Vec<Index>>,
    /// By stage, who sees an apk index at its end from outside.
    seen_outside: OnceCell<Vec<Option<usize>>>,
    /// Whether the file names apk at all.
    names_apk: bool,
}

/// An answer for each event of each stage, and one for the end of the stage.
type Answers = Rc<Vec<Vec<bool>>>;

/// What an atom does with the index of a manager.
pub(crate) fn usages_of_atom(atom: &Atom<'_>, manager: Manager) -> Vec<Usage> {
    let unknown = |what: &str| {
        vec![Usage { kind: Use::Unknown(what.to_owned()), span: LogicalSpan::empty(0), conditional: false }]
    };
    match &atom.code {
        Code::Pipeline(pipeline) => usages_of_pipeline(pipeline, atom.text, manager),
        Code::Script(entries) => usages_of_entries(entries, atom.text, manager),
        Code::Exec(words) => usages_of_words(words, manager, LogicalSpan::empty(0)),
        Code::Raw(_, Some((list, text))) => usages(list, text, manager),
        Code::Raw(raw, None) => unknown(raw.split_whitespace().next().unwrap_or("a script")),
    }
}

impl<'f> Traces<'f> {
    pub(crate) fn new(facts: &'f Facts<'f>, assumed: &'f [Assumption]) -> Self {
        Self {
            facts,
            stages: (0..facts.stages.len()).map(|stage| events(facts, stage)).collect(),
            assumed,
            used: RefCell::default(),
            asked: OnceCell::new(),
            apk_index: OnceCell::new(),
            seen_outside: OnceCell::new(),
            names_apk: facts.file.text.contains("apk"),
        }
    }

    /// Answers for every event, from the last stage to the first. `decide` says what an event decides
    /// itself, `observed` whether something outside sees what is there at the end of a stage; children
    /// go on with the events of their own.
    fn answers(
        &self,
        decide: impl Fn(&Event<'_>) -> Option<bool>,
        observed: impl Fn(usize) -> bool,
    ) -> Answers {
        let mut answers: Vec<Vec<bool>> = vec![Vec::new(); self.stages.len()];
        for stage in (0..self.stages.len()).rev() {
            let events = &self.stages[stage];
            let children = &self.facts.stages[stage].children;
            let mut used =
                children.iter().any(|&child| answers[child].first() == Some(&true)) || observed(stage);
            let mut from = vec![used; events.len() + 1];
            for (at, event) in events.iter().enumerate().rev() {
                used = decide(event).unwrap_or(used);
                from[at] = used;
            }
            answers[stage] = from;
        }
        Rc::new(answers)
    }

    /// Whether what lies in a folder is used after the event `at` of a stage, before it is fetched
    /// anew.
    pub(crate) fn is_used_after(&self, stage: usize, at: usize, deletion: Deletion) -> bool {
        if (deletion.0, deletion.1) == (Manager::Apk, Kept::Index) {
            // What its installs find is compared on its own.
            return !self.only_serves_installs(stage, at);
        }
        self.uses(deletion)[stage][at + 1]
    }

    /// The same for an event of a stage that builds, of which a split takes nothing but files: only its own
    /// events and those of the last stage, which has its place, see what is deleted.
    pub(crate) fn is_used_after_split(&self, (stage, at): (usize, usize), last: usize, of: Deletion) -> bool {
        let later = &self.stages[stage][at + 1..];
        later.iter().find_map(|event| self.decides(event, of)).unwrap_or_else(|| self.uses(of)[last][0])
    }

    /// For each event whether what lies in a folder is used by it or after it.
    fn uses(&self, deletion: Deletion) -> Answers {
        let (manager, _, folder) = deletion;
        let known = self.used.borrow().get(&(manager, folder)).cloned();
        known.unwrap_or_else(|| {
            let observers = observers_of(self.facts, deletion, self.assumed);
            let answers =
                self.answers(|event| self.decides(event, deletion), |stage| observers[stage].is_some());
            self.used.borrow_mut().insert((manager, folder), Rc::clone(&answers));
            answers
        })
    }

    /// Whether an event uses what lies in a folder, or fetches it anew; `None` if it does neither.
    fn decides(&self, event: &Event<'_>, (manager, kind, folder): Deletion) -> Option<bool> {
        match kind {
            Kept::Index => self.index_use(event, manager),
            Kept::Cache => uses_cache(event, manager, folder).then_some(true),
        }
    }

    /// Whether an index of apk that is there after `at` only serves `apk add`s, which can fetch it
    /// themselves.
    pub(crate) fn only_serves_installs(&self, stage: usize, at: usize) -> bool {
        let answers = self.asked.get_or_init(|| {
            let asks = |event: &Event<'_>| match event {
                Event::Atom(atom) => usages_of_atom(atom, Manager::Apk).iter().find_map(|usage| {
                    let fetched = matches!(usage.kind, Use::Update | Use::Delete) && !usage.conditional;
                    if fetched { Some(false) } else { self.asks_apk(atom, usage).then_some(true) }
                }),
                _ => None,
            };
            self.answers(asks, |stage| self.apk_index_is_seen_outside(stage))
        });
        !answers[stage][at + 1]
    }

    /// Whether something but the events of a stage may see the index of apk at its end.
    fn apk_index_is_seen_outside(&self, stage: usize) -> bool {
        let seen = self.seen_outside.get_or_init(|| observers_with(self.facts, Manager::Apk, self.assumed));
        seen[stage].is_some()
    }

    /// Whether a use may need the index of apk, other than as an install that can fetch it itself.
    fn asks_apk(&self, atom: &Atom<'_>, usage: &Usage) -> bool {
        match &usage.kind {
            Use::Need => !is_shown_install(atom, usage),
            Use::Unknown(command) => !is_assumed(self.assumed, Manager::Apk, command),
            Use::Update | Use::Delete | Use::Touch => false,
        }
    }

    /// Follows the index of apk through an event; what those find who need it.
    pub(crate) fn follow_apk_index(&self, index: &mut Index, event: &Event<'_>) -> Vec<Index> {
        let mut seen = Vec::new();
        if !self.names_apk {
            return seen;
        }
        match event {
            Event::Atom(atom) => {
                let usages = usages_of_atom(atom, Manager::Apk);
                index.follow(atom, &usages, &|usage| self.asks_apk(atom, usage), &mut seen);
            }
            Event::Copy(event) => index.after_copy(event.copy.destination.text()),
            Event::Mkdir { .. } => {}
        }
        seen
    }

    /// What the stages that a stage starts from leave of an index of apk.
    pub(crate) fn apk_index_before(&self, stage: usize) -> Index {
        self.apk_index.get_or_init(|| {
            let mut starts: Vec<Index> = Vec::with_capacity(self.stages.len());
            let mut ends: Vec<Index> = Vec::with_capacity(self.stages.len());
            for (stage, events) in self.stages.iter().enumerate() {
                let start = match self.facts.stages[stage].base {
                    Base::Stage(parent) => ends[parent],
                    _ => Index::default(),
                };
                let mut index = start;
                for event in events {
                    self.follow_apk_index(&mut index, event);
                }
                starts.push(start);
                ends.push(index);
            }
            starts
        })[stage]
    }

    /// What a stage leaves of an index of apk, if something outside sees it.
    pub(crate) fn apk_index_after(&self, stage: usize) -> Option<Index> {
        self.apk_index_is_seen_outside(stage).then(|| {
            let mut index = self.apk_index_before(stage);
            for event in &self.stages[stage] {
                self.follow_apk_index(&mut index, event);
            }
            index
        })
    }

    /// Whether the event needs the index: `Some(false)` if it is fetched or deleted before.
    fn index_use(&self, event: &Event<'_>, manager: Manager) -> Option<bool> {
        match event {
            Event::Atom(atom) => first_use(&usages_of_atom(atom, manager), manager, self.assumed),
            Event::Copy(_) | Event::Mkdir { .. } => None,
        }
    }
}

/// Whether an atom is just an `apk update`.
pub(crate) fn is_apk_update(atom: &Atom<'_>) -> bool {
    let Code::Pipeline(pipeline) = &atom.code else { return false };
    pipeline.simple().is_some_and(is_plain_update)
}

fn visit_code<'s>(code: &'s Code<'_>, look: &mut dyn FnMut(&'s shell::Simple<'s>)) {
    match code {
        Code::Pipeline(pipeline) => visit_pipeline(pipeline, &mut |simple| look(simple)),
        Code::Script(entries) => {
            entries.iter().for_each(|entry| visit_pipeline(&entry.pipeline, &mut |simple| look(simple)));
        }
        Code::Raw(_, Some((list, _))) => crate::shell_state::visit(list, &mut |simple| look(simple)),
        Code::Exec(_) | Code::Raw(_, None) => {}
    }
}

fn is_assumed(assumed: &[Assumption], manager: Manager, command: &str) -> bool {
    assumed.iter().any(|it| matches!(it, Assumption::LeavesIndex { manager: of, command: known } if *of == manager && known == command))
}

/// The first use that decides: whether the index is needed before it is fetched or deleted.
pub(crate) fn first_use(usages: &[Usage], manager: Manager, assumed: &[Assumption]) -> Option<bool> {
    usages.iter().find_map(|usage| match &usage.kind {
        Use::Update | Use::Delete => (!usage.conditional).then_some(false),
        Use::Need => Some(true),
        Use::Unknown(command) => (!is_assumed(assumed, manager, command)).then_some(true),
        Use::Touch => None,
    })
}

/// For each step whether an install of apk in it finds an index that fetching it anew may change: the
/// repositories may have changed since it was fetched.
pub fn installs_from_stale_index(facts: &Facts<'_>) -> Vec<bool> {
    let traces = Traces::new(facts, &[]);
    let mut stale = vec![false; facts.steps.len()];
    for stage in 0..facts.stages.len() {
        let mut index = traces.apk_index_before(stage);
        for at in facts.stages[stage].steps.clone() {
            for event in events_of_step(facts, &facts.steps[at]) {
                let Event::Atom(atom) = &event else {
                    traces.follow_apk_index(&mut index, &event);
                    continue;
                };
                let usages = usages_of_atom(atom, Manager::Apk);
                let mut seen = Vec::new();
                index.follow(atom, &usages, &|_| false, &mut seen);
                stale[at] |= !seen.into_iter().all(Index::may_be_fetched);
            }
        }
    }
    stale
}

/// What commands say that use a cache of a manager, beside its folder.
pub fn words_of_use(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Npm => &["npm cache ", "offline"],
        Manager::Yarn | Manager::Composer | Manager::Conda => &["offline"],
        Manager::Yum | Manager::Dnf | Manager::Microdnf => &["yum -C", "dnf -C", "--cacheonly"],
        Manager::Apt => &["--no-download"],
        Manager::Apk => &["--no-network"],
        _ => &[],
    }
}

/// Whether an event reads a cache: it names its folder other than to delete it, or installs from what
/// was fetched before.
fn uses_cache(event: &Event<'_>, manager: Manager, folder: &str) -> bool {
    let Event::Atom(atom) = event else { return false };
    if deletions(atom).is_some() {
        return false;
    }
    let words = words_of_use(manager);
    let names = |text: &str| names_folder(text, folder) || words.iter().any(|word| text.contains(word));
    if words.contains(&"offline")
        && atom.env.iter().any(|(name, _)| name.to_ascii_lowercase().contains("offline"))
    {
        return true;
    }
    if !names(&atom_text(atom)) {
        return false;
    }
    // What is left when the removals are: the words of control structures, too, in case of doubt.
    let mut removals = false;
    let mut others = false;
    visit_code(&atom.code, &mut |simple| {
        let is_removal = forces_removal(simple);
        removals |= is_removal;
        others |= !is_removal && names(&atom.text[simple.span.range()]);
    });
    others || !removals
}

/// Whether a command of a step reads a cache of a manager: it names its folder other than to delete it,
/// or installs from what was fetched before.
pub fn reads_cache(facts: &Facts<'_>, step: &Step<'_>, manager: Manager) -> bool {
    reads_cache_after(facts, step, manager, 0)
}

/// Like [`reads_cache`], for the commands that go on behind a place in the logical line.
pub fn reads_cache_after(facts: &Facts<'_>, step: &Step<'_>, manager: Manager, place: usize) -> bool {
    let mut caches =
        kept(manager).filter(|(kind, _)| *kind == Kept::Cache).map(|(_, folder)| folder).peekable();
    if caches.peek().is_none() || !may_use_cache(step, manager) {
        return false;
    }
    let mut events = events_of_step(facts, step);
    events.retain(|event| match event {
        Event::Atom(atom) => match &atom.code {
            Code::Pipeline(pipeline) => pipeline.span.end > place,
            Code::Script(entries) => entries.last().is_some_and(|entry| entry.pipeline.span.end > place),
            Code::Exec(_) | Code::Raw(..) => true,
        },
        _ => false,
    });
    caches.any(|folder| events.iter().any(|event| uses_cache(event, manager, folder)))
}

/// Whether the text of a step may hold what [`uses_cache`] looks for: few do.
fn may_use_cache(step: &Step<'_>, manager: Manager) -> bool {
    let Some(Body::Script(_)) = step.run().map(|run| &run.body) else { return true };
    let text = &step.instruction.logical.text;
    let words = words_of_use(manager);
    let has_variables = !step.state.env.is_empty() || !step.state.args.is_empty();
    (words.contains(&"offline") && has_variables)
        || kept(manager).any(|(_, folder)| text.contains(folder.trim_start_matches("~/")))
        || words.iter().any(|word| text.contains(word))
}

/// Whether a text names a folder, and not just one of which the name goes on: `~/.npm` but not
/// `~/.npmrc`.
fn names_folder(text: &str, folder: &str) -> bool {
    let name = folder.trim_start_matches("~/");
    let goes_on =
        |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    text.match_indices(name).any(|(at, _)| !goes_on(&text[at + name.len()..]))
}

fn atom_text<'a>(atom: &'a Atom<'_>) -> std::borrow::Cow<'a, str> {
    match &atom.code {
        Code::Pipeline(pipeline) => atom.text[pipeline.span.range()].into(),
        Code::Script(entries) => match entries {
            [first, .., last] => atom.text[first.pipeline.span.to(last.pipeline.span).range()].into(),
            [one] => atom.text[one.pipeline.span.range()].into(),
            [] => "".into(),
        },
        Code::Exec(words) => words.join(" ").into(),
        Code::Raw(raw, _) => raw.as_str().into(),
    }
}
