//! What a plan says; `docs/MIGRATE.md` documents it. Within a version, keys are only added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::git::Trouble;

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// What was chosen when the plan was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// Only these transforms ran.
    #[serde(default)]
    pub(super) only: Vec<String>,
    /// These didn't.
    #[serde(default)]
    pub(super) skip: Vec<String>,
}

/// The start of a plan, without what is said of each repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) version: u32,
    /// The version of dockeropt.
    pub(super) tool: String,
    pub(super) choice: Choice,
}

/// What a plan says of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// What it is called; the folder in the plan.
    pub(super) name: String,
    /// Its folder or URL.
    pub(super) source: String,
    /// The branch, tag or commit that was asked for.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// Where it stands.
    pub(super) status: Status,
    /// Why there is no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Trouble>,
    /// The commit that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<String>,
    /// When that was made, as mails write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<String>,
    /// The default branch, or what is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
    /// The images that are built from it, as far as the list says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) images: Vec<String>,
    /// The repositories whose images start from its image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) used_by: Vec<String>,
    /// What is odd, and no failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    /// How much was left out, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) left_out: BTreeMap<String, usize>,
    /// Files that could not be looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<FileError>,
    /// The files that were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<FileEntry>,
}

/// Where a repository stands in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// There are fixes.
    Planned,
    /// There is nothing to do.
    Nothing,
    /// It could not be looked at.
    Failed,
}

/// Why a file could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileError {
    pub(super) path: String,
    pub(super) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<usize>,
}

/// What a plan says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) path: String,
    /// The images that it starts from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) bases: Vec<String>,
    /// In the order in which they would be applied: by transform. Those that make way for others come last.
    pub(super) fixes: Vec<FixEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) declined: Vec<DeclinedEntry>,
}

/// What a plan says of a fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FixEntry {
    pub(super) transform: String,
    pub(super) title: String,
    /// `safe` or `unsafe`.
    pub(super) applicability: String,
    pub(super) fingerprint: String,
    pub(super) start_line: usize,
    pub(super) end_line: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) claims: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) assumes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
    /// How many bytes the image is expected to lose, where there is a basis for it; negative if it grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) saves: Option<i64>,
    /// What it changes, after the fixes above it; secret values are hidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) hunks: Vec<Hunk>,
    /// When it is made, if that depends on whether unsafe fixes of its file are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) only: Option<Only>,
}

/// When a safe fix is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Only {
    /// It builds on unsafe fixes.
    WithUnsafe,
    /// It makes way for unsafe fixes that do more in its place.
    WithoutUnsafe,
}

/// Lines that change, with those around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hunk {
    /// The file, if it is not the one that the fix is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    /// The first line before, from 1.
    pub(super) old: usize,
    /// The first line after.
    pub(super) new: usize,
    /// As in a diff: a space, `-` or `+`, and the line.
    pub(super) lines: Vec<String>,
}

/// Where a transform held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeclinedEntry {
    pub(super) transform: String,
    pub(super) line: usize,
    pub(super) reason: String,
}

/// A `dockeropt.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) path: String,
    pub(super) text: String,
}

impl Entry {
    /// All fixes, with the paths of their files.
    pub(super) fn fixes(&self) -> impl Iterator<Item = (&str, &FixEntry)> {
        self.files.iter().flat_map(|file| file.fixes.iter().map(|fix| (file.path.as_str(), fix)))
    }
}

impl FixEntry {
    pub(super) fn is_safe(&self) -> bool {
        self.applicability == "safe"
    }

    /// Whether it is made when only safe fixes are.
    pub(super) fn is_made_by_safe(&self) -> bool {
        self.is_safe() && self.only != Some(Only::WithUnsafe)
    }
}
