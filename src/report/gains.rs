//! What a fix is expected to gain: bytes, and RUNs that need not run again after a change in the context.

use dockeropt_facts::Facts;
use dockeropt_facts::rebuilds::{Change, runs_again};
use dockeropt_syntax::parse;
use serde::Serialize;

use crate::pipeline::ReportedFix;
use crate::summary::megabytes;

/// How many RUNs run again, before a fix and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rebuilds {
    /// After a source has changed.
    source: [usize; 2],
    /// After a list of dependencies has changed.
    manifest: [usize; 2],
}

impl Rebuilds {
    /// What a fix changes; `None` if it changes nothing, or isn't known.
    pub(crate) fn of(fix: &ReportedFix) -> Option<Self> {
        // A RUN less is not less work.
        if fix.transform == "merge-run" {
            return None;
        }
        let step = fix.step.as_ref().filter(|step| !step.edits.is_empty())?;
        let after = step.edits.apply(&step.before);
        let count = |text: &str| {
            let file = parse(text);
            let facts = Facts::new(&file);
            [Change::Source, Change::Manifest].map(|change| runs_again(&facts, change))
        };
        let ([source, manifest], [source_after, manifest_after]) = (count(&step.before), count(&after));
        let rebuilds = Self { source: [source, source_after], manifest: [manifest, manifest_after] };
        let differs = source != source_after || manifest != manifest_after;
        differs.then_some(rebuilds)
    }

    /// The same in words, without full stops.
    pub(crate) fn sentences(&self) -> impl Iterator<Item = String> {
        let all = [("a changed source", self.source), ("a changed list of dependencies", self.manifest)];
        all.into_iter().filter(|(_, [before, after])| before != after).map(|(what, [before, after])| {
            let noun = if after == 1 { "RUN" } else { "RUNs" };
            format!("{what} runs {after} {noun} again, not {before}")
        })
    }
}

/// Less is not said.
const LEAST_SHOWN: i64 = 1_000_000;

/// What a fix gains: a word for its kind, and the rest of the sentence, without a full stop.
pub(crate) fn gains(fix: &ReportedFix) -> Vec<(&'static str, String)> {
    let bytes = fix.saves.filter(|saves| saves.abs() >= LEAST_SHOWN).map(|saves| match saves {
        0.. => ("saves", format!("about {}", megabytes(saves))),
        _ => ("adds", format!("about {}", megabytes(-saves))),
    });
    let rebuilds = Rebuilds::of(fix);
    let sentences = rebuilds.iter().flat_map(Rebuilds::sentences).map(|text| ("rebuilds", text));
    bytes.into_iter().chain(sentences).collect()
}
