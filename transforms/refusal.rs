//! Why a transform that answers with one fix holds back.

use dockeropt_facts::Step;
use dockeropt_syntax::Span;

use crate::{Meta, Proposals};

/// Why there is no fix, and the step that is to blame.
#[derive(Debug)]
pub(crate) struct Refusal<'c> {
    reason: String,
    at: Option<&'c Step<'c>>,
}

impl<'c> Refusal<'c> {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), at: None }
    }

    /// In the reason, `{line}` stands for the line of the step.
    pub(crate) fn at(step: &'c Step<'c>, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), at: Some(step) }
    }

    /// The step that is to blame.
    pub(crate) fn step(&self) -> Option<&'c Step<'c>> {
        self.at
    }

    /// Says so, of a place.
    pub(crate) fn decline(self, out: &mut Proposals, meta: &Meta, place: Span) {
        match self.at {
            Some(step) => out.decline_for(meta, place, step, self.reason),
            None => out.decline(meta, place, self.reason),
        }
    }
}
