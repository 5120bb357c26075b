//! What is rewritten and what is left alone, by ecosystem.

mod compiled;
mod layout;
mod node;
mod pip;
mod python;
mod scripts;

use super::CopyManifestFirst;
use crate::testing::{Around, declines_in, needs_unsafe_in, rewrites_in};

type Files<'f> = &'f [(&'f str, &'f str)];

/// What lies around a Dockerfile: these files, and an ignore file if there is none among them.
fn around(files: Files<'_>) -> Around {
    let ignore = (".dockerignore", "**/node_modules\n**/vendor\n");
    let has_own = files.iter().any(|(path, _)| *path == ignore.0);
    let all: Vec<_> = files.iter().copied().chain((!has_own).then_some(ignore)).collect();
    Around::files(&all)
}

/// A Dockerfile becomes another one with these files around it, safely.
#[track_caller]
fn rewrites(files: Files<'_>, before: &str, after: &str) {
    rewrites_in(&CopyManifestFirst, &around(files), before, after);
}

/// The same with `--unsafe` only, assuming something.
#[track_caller]
fn assumes(files: Files<'_>, before: &str, after: &str, assumption: &str) {
    needs_unsafe_in(&CopyManifestFirst, &around(files), before, after, assumption);
}

/// A Dockerfile is left alone, and the reason contains this.
#[track_caller]
fn declines(files: Files<'_>, dockerfile: &str, reason: &str) {
    declines_in(&CopyManifestFirst, &Around::files(files), dockerfile, reason);
}

/// Files with some more, or in the place of others.
fn with<'f>(files: Files<'f>, more: Files<'f>) -> Vec<(&'f str, &'f str)> {
    let kept = files.iter().filter(|(path, _)| !more.iter().any(|(other, _)| other == path));
    kept.chain(more).copied().collect()
}
