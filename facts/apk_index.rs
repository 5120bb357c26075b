//! Who fetches an index of apk's packages, and who finds one.

use std::collections::VecDeque;

use dockeropt_syntax::shell::{List, Pipeline, Simple};

use crate::command::{Managed, call};
use crate::deletions::forces_removal;
use crate::shell_state::visit_pipeline;
use crate::tables::{Manager, Verb, kept};
use crate::trace::{Atom, Code};
use crate::usage::{Usage, Use};

/// The options with which apk fetches the index first, and keeps it.
pub const FETCHING: [&str; 3] = ["-U", "--update", "--update-cache"];

/// A call of apk.
pub fn apk(simple: &Simple<'_>) -> Option<Managed> {
    call(simple)?.managed.filter(|managed| managed.manager == Manager::Apk)
}

/// Whether a call of apk fetches an index that stays.
pub fn leaves_index(simple: &Simple<'_>, managed: &Managed) -> bool {
    managed.manager == Manager::Apk
        && !managed.has_option(simple, &["--no-cache"])
        && (managed.verb == Verb::Update || managed.has_option(simple, &FETCHING))
}

/// Whether a command is an `apk update` of the system's own repositories, and nothing else.
pub fn is_plain_update(simple: &Simple<'_>) -> bool {
    const HARMLESS: [&str; 10] = [
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "--progress",
        "--no-progress",
        "-U",
        "--update",
        "--update-cache",
        "--no-cache",
    ];
    let harmless = |at: usize| simple.words[at].literal().is_some_and(|word| HARMLESS.contains(&word));
    apk(simple).is_some_and(|managed| {
        managed.verb == Verb::Update
            && managed.operands.is_empty()
            && managed.options.iter().all(|&(at, _)| harmless(at))
    })
}

/// Whether a text names what decides where apk's packages come from.
pub fn names_repositories(text: &str) -> bool {
    text.contains("etc/apk") || text.contains("apk/repositories")
}

/// What is known of the index at some point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    /// It was surely fetched.
    surely: bool,
    /// It may have been fetched.
    maybe: bool,
    /// The repositories may have changed since.
    stale: bool,
}

impl Index {
    const FETCHED: Self = Self { surely: true, maybe: true, stale: false };

    /// Whether who found `self` may find `other` in its place: an index where there was none, but not
    /// the other way round, and none that is newer in more than its time.
    pub(crate) fn may_become(self, other: Self) -> bool {
        self.surely <= other.surely && self.maybe <= other.maybe && self.stale == other.stale
    }

    /// Files come into the image.
    pub(crate) fn after_copy(&mut self, destination: Option<&str>) {
        let holds = |path: &str| matches!(path, "/" | "/etc") || names_repositories(path);
        self.stale |= self.maybe && destination.is_none_or(holds);
    }

    /// Whether who finds this may as well fetch the index anew.
    pub(crate) fn may_be_fetched(self) -> bool {
        self.may_become(Self::FETCHED)
    }

    /// Follows an atom, of which `usages` says what it does with the index; notes in `seen` what its
    /// installs find, and what those find that may need the index otherwise (`asks`).
    pub(crate) fn follow(
        &mut self,
        atom: &Atom<'_>,
        usages: &[Usage],
        asks: &dyn Fn(&Usage) -> bool,
        seen: &mut Vec<Self>,
    ) {
        let (pipelines, text) = pipelines(&atom.code, atom.text);
        if pipelines.is_empty() {
            usages.iter().for_each(|usage| self.follow_usage(usage, None, asks, seen));
        }
        for pipeline in pipelines {
            let written = &text[pipeline.span.range()];
            let touches = names_repositories(written);
            self.stale |= touches && self.maybe;
            let mut installs = Vec::new();
            // The commands that name a folder of the index, in order.
            let mut naming = VecDeque::new();
            if names_index(written) || !usages.is_empty() {
                visit_pipeline(pipeline, &mut |simple| {
                    if !forces_removal(simple) && names_index(&text[simple.span.range()]) {
                        naming.push_back(simple.span.start);
                    }
                    installs.extend(apk(simple).filter(is_install).map(|managed| (simple, managed)));
                });
            }
            for usage in usages.iter().filter(|usage| pipeline.span.contains(usage.span)) {
                // Who names a folder finds what is there before it does anything else.
                while naming.front().is_some_and(|start| *start <= usage.span.start) {
                    naming.pop_front();
                    seen.push(*self);
                }
                let install = installs.iter().find(|(simple, _)| simple.span == usage.span);
                let fetches = install.map(|(simple, managed)| {
                    managed.has_option(simple, &FETCHING) || managed.has_option(simple, &["--no-cache"])
                });
                self.follow_usage(usage, fetches, asks, seen);
            }
            self.stale |= touches && self.maybe;
            seen.extend(naming.iter().map(|_| *self));
        }
    }

    /// `fetches` tells of an install that the file shows whether it fetches the index itself.
    fn follow_usage(
        &mut self,
        usage: &Usage,
        fetches: Option<bool>,
        asks: &dyn Fn(&Usage) -> bool,
        seen: &mut Vec<Self>,
    ) {
        match fetches {
            Some(true) => seen.push(Self::FETCHED),
            Some(false) => seen.push(*self),
            None if asks(usage) => seen.push(*self),
            None => {}
        }
        match usage.kind {
            Use::Update if usage.conditional => self.maybe = true,
            Use::Update => *self = Self::FETCHED,
            Use::Delete if usage.conditional => self.surely = false,
            Use::Delete => *self = Self::default(),
            Use::Need | Use::Touch | Use::Unknown(_) => {}
        }
    }
}

/// Whether a text names a folder in which apk keeps its index.
fn names_index(text: &str) -> bool {
    kept(Manager::Apk).any(|(_, folder)| text.contains(folder))
}

fn is_install(managed: &Managed) -> bool {
    matches!(managed.verb, Verb::Install | Verb::Upgrade)
}

/// Whether a use of the index is one of an install that the file shows, and that can fetch the index
/// itself.
pub(crate) fn is_shown_install(atom: &Atom<'_>, usage: &Usage) -> bool {
    let mut shown = false;
    for pipeline in pipelines(&atom.code, atom.text).0 {
        visit_pipeline(pipeline, &mut |simple| {
            shown |= simple.span == usage.span && apk(simple).is_some_and(|it| is_install(&it));
        });
    }
    shown
}

/// The pipelines of an atom one after the other, and the text that their spans are places in.
fn pipelines<'s>(code: &'s Code<'_>, text: &'s str) -> (Vec<&'s Pipeline<'s>>, &'s str) {
    fn of_list<'s>(list: &'s List<'s>) -> Vec<&'s Pipeline<'s>> {
        list.entries.iter().map(|entry| &entry.pipeline).collect()
    }
    match code {
        Code::Pipeline(pipeline) => (vec![pipeline], text),
        Code::Script(entries) => (entries.iter().map(|entry| &entry.pipeline).collect(), text),
        Code::Raw(_, Some((list, text))) => (of_list(list), text),
        Code::Exec(_) | Code::Raw(_, None) => (Vec::new(), text),
    }
}
