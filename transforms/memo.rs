//! What is derived from the facts again and again, derived once.

use memchr::memmem;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use dockeropt_facts::command::{Call, call};
use dockeropt_facts::liveness::installs_from_stale_index;
use dockeropt_facts::observers::observers;
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::Manager;
use dockeropt_facts::usage::{Usage, Use};
use dockeropt_facts::{Base, Facts, Step};

use crate::later_use::{names_cache, usages_of_step};

/// Derived facts of one file, filled as they are asked for.
pub struct Memo<'c> {
    facts: &'c Facts<'c>,
    apt: Vec<OnceCell<Vec<Usage>>>,
    calls: Vec<OnceCell<Vec<Call<'c, 'c>>>>,
    called: Vec<OnceCell<Called>>,
    words: OnceCell<Words<'c>>,
    unread_script: OnceCell<Option<String>>,
    apk: Vec<OnceCell<Vec<Usage>>>,
    apk_index: OnceCell<Vec<Option<usize>>>,
    naming: [OnceCell<Vec<usize>>; Manager::ALL.len()],
    observers: [OnceCell<Vec<Option<usize>>>; Manager::ALL.len()],
    stale_index: OnceCell<Vec<bool>>,
}

/// The package managers that a script calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Called {
    bits: u16,
    /// Whether it calls `bundle`, which uses gem's folders.
    pub(crate) bundler: bool,
}

impl Called {
    pub(crate) fn has(self, manager: Manager) -> bool {
        self.bits & (1 << manager as u16) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.bits == 0 && !self.bundler
    }
}

impl<'c> Memo<'c> {
    /// Nothing is derived yet.
    pub fn new(facts: &'c Facts<'c>) -> Self {
        let steps = facts.steps.len();
        Self {
            facts,
            apt: vec![OnceCell::new(); steps],
            calls: vec![OnceCell::new(); steps],
            called: vec![OnceCell::new(); steps],
            words: OnceCell::new(),
            unread_script: OnceCell::new(),
            apk: vec![OnceCell::new(); steps],
            apk_index: OnceCell::new(),
            naming: Default::default(),
            observers: Default::default(),
            stale_index: OnceCell::new(),
        }
    }

    /// What the step `at` does with the index of a manager.
    pub(crate) fn usages(&self, manager: Manager, at: usize) -> Cow<'_, [Usage]> {
        let of_manager = match manager {
            Manager::Apt => &self.apt,
            Manager::Apk => &self.apk,
            _ => return usages_of_step(&self.facts.steps[at], manager).into(),
        };
        of_manager[at].get_or_init(|| usages_of_step(&self.facts.steps[at], manager)).as_slice().into()
    }

    /// What the script of the step `at` calls, at any depth, in order.
    pub(crate) fn calls(&self, at: usize) -> &[Call<'c, 'c>] {
        self.calls[at].get_or_init(|| calls(&self.facts.steps[at]))
    }

    /// The package managers that the script of the step `at` calls.
    pub(crate) fn called(&self, at: usize) -> Called {
        *self.called[at].get_or_init(|| called(self.calls(at)))
    }

    /// Whether the file mentions a word; see [`dockeropt_facts::recommends::mentions`].
    pub(crate) fn mentions(&self, word: &'static str) -> bool {
        self.words().mentions(word)
    }

    /// Whether the file's text contains some text that does not start with `~`.
    pub(crate) fn contains(&self, part: &'static str) -> bool {
        self.words().search(part)
    }

    fn words(&self) -> &Words<'c> {
        self.words.get_or_init(|| Words::new(self.facts.file.text))
    }

    /// A script that the file runs and that can't be read here.
    pub(crate) fn unread_script(&self) -> Option<&str> {
        let find = || {
            (0..self.facts.steps.len()).find_map(|at| {
                self.usages(Manager::Apt, at).iter().find_map(|usage| match &usage.kind {
                    Use::Unknown(command) => Some(command.clone()),
                    _ => None,
                })
            })
        };
        self.unread_script.get_or_init(find).as_deref()
    }

    /// The last step before `at`, in its stage or one that it starts from, that surely left an index of
    /// apk which was not deleted since.
    pub(crate) fn apk_index_before(&self, at: usize) -> Option<usize> {
        self.apk_index.get_or_init(|| self.follow_apk_index())[at]
    }

    fn follow_apk_index(&self) -> Vec<Option<usize>> {
        let mut before: Vec<Option<usize>> = Vec::with_capacity(self.facts.steps.len());
        let mut ends: Vec<Option<usize>> = vec![None; self.facts.stages.len()];
        for (at, step) in self.facts.steps.iter().enumerate() {
            let Some(stage) = step.stage else {
                before.push(None);
                continue;
            };
            if self.facts.stages[stage].steps.start == at
                && let Base::Stage(parent) = self.facts.stages[stage].base
            {
                ends[stage] = ends[parent];
            }
            before.push(ends[stage]);
            for usage in self.usages(Manager::Apk, at).iter().filter(|usage| !usage.conditional) {
                match usage.kind {
                    Use::Update => ends[stage] = Some(at),
                    Use::Delete => ends[stage] = None,
                    Use::Need | Use::Touch | Use::Unknown(_) => {}
                }
            }
        }
        before
    }

    /// The steps that name what a manager keeps; see [`names_cache`].
    pub(crate) fn naming(&self, manager: Manager) -> &[usize] {
        self.naming[manager as usize].get_or_init(|| {
            let steps = self.facts.steps.iter().enumerate();
            steps.filter(|(_, step)| names_cache(self.facts, step, manager)).map(|(at, _)| at).collect()
        })
    }

    /// For each stage the first step that sees from outside what a manager keeps at its end; see
    /// [`observers`].
    pub(crate) fn observers(&self, manager: Manager) -> &[Option<usize>] {
        self.observers[manager as usize].get_or_init(|| observers(self.facts, manager))
    }

    /// Whether an install of apk in the step `at` finds an index that may differ from a new one; see
    /// [`installs_from_stale_index`].
    pub(crate) fn installs_from_stale_index(&self, at: usize) -> bool {
        self.stale_index.get_or_init(|| installs_from_stale_index(self.facts))[at]
    }
}

fn calls<'c>(step: &'c Step<'c>) -> Vec<Call<'c, 'c>> {
    let mut found = Vec::new();
    if let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) {
        visit(list, &mut |simple| found.extend(call(simple)));
    }
    found
}

fn called(calls: &[Call<'_, '_>]) -> Called {
    let mut found = Called::default();
    for call in calls {
        match &call.managed {
            Some(managed) => found.bits |= 1 << managed.manager as u16,
            None => found.bundler |= call.program == "bundle",
        }
    }
    found
}

/// The words of a text, to look up what it mentions.
struct Words<'c> {
    text: &'c str,
    words: HashSet<&'c str>,
    lower: String,
    /// What was found by going through the text.
    searched: RefCell<HashMap<&'static str, bool>>,
}

impl<'c> Words<'c> {
    fn new(text: &'c str) -> Self {
        let part =
            |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '+' | '-');
        let words = text.split(|character| !part(character)).filter(|word| !word.is_empty()).collect();
        Self { text, words, lower: text.to_ascii_lowercase(), searched: RefCell::default() }
    }

    fn mentions(&self, word: &'static str) -> bool {
        if !word.starts_with('~') && !word.contains('/') {
            return self.words.contains(word);
        }
        self.search(word)
    }

    /// Goes through the text once for each word: `~part` in whatever letter case, anything else as it is.
    fn search(&self, word: &'static str) -> bool {
        if let Some(&known) = self.searched.borrow().get(word) {
            return known;
        }
        let found = self.is_in_text(word);
        self.searched.borrow_mut().insert(word, found);
        found
    }

    fn is_in_text(&self, word: &str) -> bool {
        let contains = |text: &str, part: &str| memmem::find(text.as_bytes(), part.as_bytes()).is_some();
        match word.strip_prefix('~') {
            Some(part) if part.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                contains(&self.lower, &part.to_ascii_lowercase())
            }
            Some(part) => contains(&self.lower, part),
            None => contains(self.text, word),
        }
    }
}
