//! The unified diff, and what goes with it to standard error.

use std::io::Write;

use super::{FileReport, Report};
use crate::diff::{Location, Texts, created, unified};
use crate::palette::Palette;
use crate::pipeline::IgnoreChange;
use crate::problem::{printable, printable_path};
use crate::redact::redact;

/// The format. It has the file's own content, secrets included, as it could not be applied otherwise.
pub struct Diff(pub Palette);

impl Report for Diff {
    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let texts = Texts::new(file.before, &file.outcome.after);
        unified(&file.location.bytes, texts, &self.0, out);
    }

    fn print_ignore(&self, change: &IgnoreChange, location: &Location, out: &mut Vec<u8>) {
        print_change(change, location, &self.0, out);
    }

    fn shows_refusals(&self) -> bool {
        false
    }
}

/// Appends the diff of the ignore file of a Dockerfile, if it changes.
pub(super) fn print_ignore(file: &FileReport<'_>, palette: &Palette, out: &mut Vec<u8>) {
    if let Some((change, location)) = file.outcome.ignore.as_ref().zip(file.ignore_location) {
        print_change(change, location, palette, out);
    }
}

fn print_change(change: &IgnoreChange, location: &Location, palette: &Palette, out: &mut Vec<u8>) {
    let name = &location.bytes;
    match &change.before {
        Some(before) => unified(name, Texts::new(before, &change.after), palette, out),
        None => created(name, &change.after, palette, out),
    }
}

/// Appends a line for each place where a transform held back: `path:line: transform: reason`.
pub fn print_declined(file: &FileReport<'_>, out: &mut Vec<u8>) {
    if file.outcome.declined.is_empty() {
        return;
    }
    let secrets = redact(file.before);
    for declined in &file.outcome.declined {
        let (path, reason) = (printable_path(file.path), secrets.scrub(&declined.reason));
        let reason = printable(&reason);
        let _ = writeln!(out, "{path}:{}: {}: {reason}", declined.line, declined.transform);
    }
}
