//! Installs that would be run again with package lists that were fetched long ago.
//!
//! ```dockerfile
//! COPY . /app
//! RUN apt-get update && apt-get install -y curl
//! RUN /app/setup.sh
//! RUN apt-get install -y nginx
//! ```
//!
//! As it stands, a changed file runs both installs again, the second one with new lists. With the COPY
//! below the first install, it would only run the second one, with lists that name packages which the
//! archive may no longer have.

use std::cell::OnceCell;

use dockeropt_facts::claim::Assumption;
use dockeropt_facts::tables::Manager;
use dockeropt_facts::usage::Use;

use crate::Context;
use crate::later_use::{LaterUse, later_use};

/// The managers whose installs don't look for a newer index by themselves.
const MANAGERS: [Manager; 4] = [Manager::Apt, Manager::Apk, Manager::Zypper, Manager::Pacman];

/// Which step of a stage needs the index of a manager that was fetched above it.
pub(super) struct LaterUses<'c> {
    context: Context<'c>,
    /// The place of the stage's first step among the steps of the file.
    first: usize,
    /// For each step of the stage and each manager, the step below it that needs its index.
    below: Vec<[OnceCell<Option<usize>>; MANAGERS.len()]>,
}

impl<'c> LaterUses<'c> {
    pub(super) fn new(context: Context<'c>, stage: std::ops::Range<usize>) -> Self {
        Self { context, first: stage.start, below: stage.map(|_| Default::default()).collect() }
    }

    /// The step (its place in the file) that may need an index which one of the steps from `from` to
    /// `to` (places in the stage) fetches.
    pub(super) fn of_indices(&self, from: usize, to: usize) -> Option<usize> {
        let steps = self.first + from..=self.first + to;
        MANAGERS.iter().enumerate().find_map(|(kind, &manager)| {
            let called = steps.clone().any(|at| self.context.memo.called(at).has(manager));
            if !called || !self.leaves_index(steps.clone(), manager) {
                return None;
            }
            *self.below[to][kind].get_or_init(|| self.need(self.first + to, manager))
        })
    }

    fn leaves_index(&self, steps: std::ops::RangeInclusive<usize>, manager: Manager) -> bool {
        let mut has_index = false;
        for at in steps {
            for usage in self.context.memo.usages(manager, at).iter() {
                match usage.kind {
                    Use::Update => has_index = true,
                    Use::Delete => has_index &= usage.conditional,
                    Use::Need | Use::Touch | Use::Unknown(_) => {}
                }
            }
        }
        has_index
    }

    fn need(&self, at: usize, manager: Manager) -> Option<usize> {
        match later_use(&self.context, at, manager, |_, _| false) {
            LaterUse::Needed { step, .. } => Some(step),
            LaterUse::None(assumptions) => {
                // A command that is not known may need it.
                let Some(Assumption::LeavesIndex { command, .. }) = assumptions.first() else { return None };
                let unknown = |step: &usize| {
                    let mut usages = self.context.memo.usages(manager, *step).into_owned().into_iter();
                    usages.any(|usage| usage.kind == Use::Unknown(command.clone()))
                };
                (at + 1..self.context.facts.steps.len()).find(unknown)
            }
        }
    }
}
