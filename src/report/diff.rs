//! The unified diff, and what goes with it to standard error.

use std::io::Write;

use super::FileReport;
use crate::diff::{Texts, created, unified};
use crate::palette::Palette;
use crate::pipeline::IgnoreChange;
use crate::problem::{printable, printable_path};
use crate::redact::redact;

/// Appends the diff of a file; nothing if it does not change. It has the file's own content, secrets
/// included, as it could not be applied otherwise.
pub fn print(file: &FileReport<'_>, palette: &Palette, out: &mut Vec<u8>) {
    unified(file.name, Texts::new(file.before, &file.outcome.after), palette, out);
}

/// Appends the diff of an ignore file of that name.
pub fn print_ignore(change: &IgnoreChange, name: &[u8], palette: &Palette, out: &mut Vec<u8>) {
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
