//! What a review decided: `decisions.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::folder::write;

/// The version of the format.
const VERSION: u32 = 1;

/// What was decided of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// It is applied.
    Accept,
    /// It is not.
    Reject,
}

/// A decision as it is written down. What is not known here is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Decision {
    /// The source of the repository.
    repository: String,
    path: String,
    fingerprint: String,
    decision: Verdict,
    /// When, as `2026-11-25T03:00:00Z`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    at: String,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    version: u32,
    decisions: Vec<Decision>,
}

/// All decisions, by repository, path and fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decisions(BTreeMap<(String, String, String), Decision>);

impl Decisions {
    /// Reads decisions; none if there is no such file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.with_context(|| path.display().to_string())?,
        };
        Self::parse(&text).map(Some).with_context(|| path.display().to_string())
    }

    fn parse(text: &[u8]) -> anyhow::Result<Self> {
        let Document { version, decisions } = serde_json::from_slice(text)?;
        anyhow::ensure!(
            version == VERSION,
            "has version {version}, and this dockeropt reads version {VERSION}"
        );
        let mut all = Self::default();
        decisions.into_iter().for_each(|decision| all.add(decision));
        Ok(all)
    }

    /// Adds the decisions of another review. Of two about one fix the later one counts, and of two of the
    /// same time the one that rejects.
    pub(super) fn merge(&mut self, other: Self) {
        other.0.into_values().for_each(|decision| self.add(decision));
    }

    fn add(&mut self, decision: Decision) {
        let Decision { repository, path, fingerprint, .. } = &decision;
        let key = (repository.clone(), path.clone(), fingerprint.clone());
        let weight = |decision: &Decision| (decision.at.clone(), decision.decision);
        match self.0.get(&key) {
            Some(known) if weight(known) >= weight(&decision) => {}
            _ => drop(self.0.insert(key, decision)),
        }
    }

    /// What was decided of a fix.
    pub(super) fn of(&self, repository: &str, path: &str, fingerprint: &str) -> Option<Verdict> {
        let key = (repository.to_owned(), path.to_owned(), fingerprint.to_owned());
        self.0.get(&key).map(|decision| decision.decision)
    }

    /// Writes them down.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let document = Document { version: VERSION, decisions: self.0.values().cloned().collect() };
        write(path, |out| {
            serde_json::to_writer_pretty(&mut *out, &document)?;
            out.write_all(b"\n")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(verdict: &str, at: &str) -> Decisions {
        let text = format!(
            "{{\"version\":1,\"decisions\":[{{\"repository\":\"r\",\"path\":\"p\",\"fingerprint\":\"f\",\
             \"decision\":\"{verdict}\",\"at\":\"{at}\",\"by\":\"me\"}}]}}"
        );
        Decisions::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_later_decision_counts() {
        let mut all = one("reject", "2026-01-01T00:00:00Z");
        all.merge(one("accept", "2026-01-02T00:00:00Z"));
        assert_eq!(all.of("r", "p", "f"), Some(Verdict::Accept));
        all.merge(one("reject", "2026-01-01T12:00:00Z"));
        assert_eq!(all.of("r", "p", "f"), Some(Verdict::Accept));
        all.merge(one("reject", "2026-01-02T00:00:00Z"));
        assert_eq!(all.of("r", "p", "f"), Some(Verdict::Reject));
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.json");
        let all = one("accept", "");
        all.write(&path).unwrap();
        assert_eq!(Decisions::read(&path).unwrap(), Some(all));
        assert!(fs::read_to_string(path).unwrap().contains("\"by\": \"me\""));
    }
}
