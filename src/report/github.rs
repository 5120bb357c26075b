//! Annotations that GitHub's runner shows beside the lines of a pull request.

use super::{Closing, FileReport, Located, Report, sentence};
use crate::problem::printable;
use crate::redact::redact;

/// The format.
pub struct Github;

impl Report for Github {
    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let secrets = redact(file.before);
        for fix in file.fixes() {
            let level = if file.is_applied(fix) { "warning" } else { "notice" };
            let place = [("line", fix.start_line), ("endLine", fix.end_line)];
            let text = sentence(fix, &secrets);
            command(level, &file.location.shown(), &place, fix.transform, &text, out);
        }
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        for (level, problems) in [("error", closing.problems), ("warning", closing.warnings)] {
            problems.iter().for_each(|located| say(level, located, out));
        }
    }

    fn shows_refusals(&self) -> bool {
        false
    }
}

fn say(level: &str, Located { problem, location }: &Located<'_>, out: &mut Vec<u8>) {
    let place = problem.place.map_or_else(Vec::new, |(line, column)| vec![("line", line), ("col", column)]);
    command(level, &location.shown(), &place, "dockeropt", &problem.message, out);
}

/// Appends `::level file=...,line=...,title=...::message`.
fn command(level: &str, path: &str, place: &[(&str, usize)], title: &str, message: &str, out: &mut Vec<u8>) {
    let mut text = format!("::{level} file={}", property(path));
    for (name, number) in place {
        text += &format!(",{name}={number}");
    }
    text += &format!(",title={}::{}\n", property(title), data(message));
    out.extend_from_slice(text.as_bytes());
}

/// A message as the runner wants it escaped; it takes the end of the line for the end of the message.
fn data(text: &str) -> String {
    printable(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value between commas and colons, escaped.
fn property(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    text.replace(':', "%3A").replace(',', "%2C")
}
