//! Unified diffs that `git apply` accepts.

use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use anstyle::Style;
use dockeropt_syntax::Text;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use crate::git;
use crate::palette::Palette;

/// How many unchanged lines surround a change.
const CONTEXT: usize = 3;

/// How long the search for the smallest diff may take; after that any diff will do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Names files in diffs.
#[derive(Clone, Debug)]
pub struct Names {
    /// The real path of the folder that names are relative to.
    base: PathBuf,
    /// The way from `base` to the current folder.
    current: PathBuf,
}

impl Names {
    /// Names relative to the git work tree that `current` (a real path) is in, as git does it, so
    /// that a diff can be applied from any folder of it; without git relative to `current`.
    pub fn new(current: &Path) -> Self {
        let base = git::work_tree(current).unwrap_or_else(|| current.to_path_buf());
        let current = current.strip_prefix(&base).map(Path::to_path_buf).unwrap_or_default();
        Self { base, current }
    }

    /// Where a file is, whose path may be relative to the current folder.
    pub fn locate(&self, path: &Path) -> Location {
        if path.components().all(|component| matches!(component, Component::Normal(_))) {
            return Location { bytes: slashes(&self.current.join(path)), is_inside: true };
        }
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        match path.strip_prefix(&self.base) {
            Ok(below) => Location { bytes: slashes(below), is_inside: true },
            Err(_) => Location { bytes: slashes(&path), is_inside: false },
        }
    }
}

/// Where a file is, for those who know the repository and not the current folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its path from the root of the work tree, or its absolute path if it is elsewhere, with slashes.
    pub bytes: Vec<u8>,
    /// Whether it is in the work tree.
    pub is_inside: bool,
}

impl Location {
    /// A file of that name in the root of the work tree.
    pub fn named(name: &str) -> Self {
        Self { bytes: name.as_bytes().to_vec(), is_inside: true }
    }

    /// The name for people and for formats that know only text; bytes that are not UTF-8 are replaced.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[cfg(unix)]
fn slashes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

#[cfg(not(unix))]
fn slashes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// A text before and after, and a version of both that may be shown.
///
/// The versions have the same lines, except that parts of a line may be replaced; the diff is
/// made of the texts themselves and printed from the versions.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'t> {
    /// The text before.
    pub before: &'t str,
    /// The text after.
    pub after: &'t str,
    /// What to show of the text before.
    pub shown_before: &'t str,
    /// What to show of the text after.
    pub shown_after: &'t str,
}

impl<'t> Texts<'t> {
    /// Texts that are shown as they are.
    pub fn new(before: &'t str, after: &'t str) -> Self {
        Self { before, after, shown_before: before, shown_after: after }
    }
}

/// Appends the diff of one file, of that `name`, to `out`; nothing if the texts are equal. Of an absolute
/// path the first slash is left out, for `git apply` or `patch` in the root folder.
///
/// Lines end at `\n` alone, as in git; a carriage return is part of its line. Bytes that are not
/// UTF-8 (see [`Text`]) come out as they were.
pub fn unified(name: &[u8], texts: Texts<'_>, palette: &Palette, out: &mut Vec<u8>) {
    if texts.before == texts.after {
        return;
    }
    let name = name.strip_prefix(b"/").unwrap_or(name);
    let (old, new) = (lines(texts.shown_before), lines(texts.shown_after));
    header(name, palette.header, out);
    for hunk in hunks(texts.before, texts.after) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let old_range = range(first.old_range().start, last.old_range().end);
        let new_range = range(first.new_range().start, last.new_range().end);
        styled(palette.hunk, &format!("@@ -{old_range} +{new_range} @@\n"), out);
        for operation in hunk {
            let (removed, added) = (operation.old_range(), operation.new_range());
            if let DiffOp::Equal { .. } = operation {
                print_lines(' ', &old[removed], Style::new(), out);
            } else {
                print_lines('-', &old[removed], palette.removed, out);
                print_lines('+', &new[added], palette.added, out);
            }
        }
    }
}

/// The changes between two texts, by lines, with the lines around them.
pub fn hunks(before: &str, after: &str) -> Vec<Vec<DiffOp>> {
    let (old, new) = (lines(before), lines(after));
    let deadline = Some(Instant::now() + PATIENCE);
    group_diff_ops(capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline), CONTEXT)
}

/// Appends the diff that makes a new file.
pub fn created(name: &[u8], text: &str, palette: &Palette, out: &mut Vec<u8>) {
    let name = name.strip_prefix(b"/").unwrap_or(name);
    let style = palette.header;
    let new = quoted(b"b/", name);
    let first = [b"diff --git ", &quoted(b"a/", name)[..], b" ", &new].concat();
    for line in [&first[..], b"new file mode 100644", b"--- /dev/null", &[b"+++ ", &new[..]].concat()] {
        let _ = write!(out, "{style}");
        out.extend_from_slice(line);
        let _ = writeln!(out, "{style:#}");
    }
    let new = lines(text);
    styled(palette.hunk, &format!("@@ -0,0 +{} @@\n", range(0, new.len())), out);
    print_lines('+', &new, palette.added, out);
}

/// The lines of a text with their ends.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    for at in memchr::memchr_iter(b'\n', text.as_bytes()) {
        lines.push(&text[start..=at]);
        start = at + 1;
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

/// `start,length` as diffs have it: from 1, and for no lines the line before.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        length => format!("{},{length}", start + 1),
    }
}

fn header(name: &[u8], style: Style, out: &mut Vec<u8>) {
    let (old, new) = (quoted(b"a/", name), quoted(b"b/", name));
    // After a name with a space a tab says where it ends, as in git.
    let end: &[u8] = if name.contains(&b' ') && old[0] != b'"' { b"\t" } else { b"" };
    for line in [[b"diff --git ", &old[..], b" ", &new], [b"--- ", &old, end, b""], [b"+++ ", &new, end, b""]]
    {
        let _ = write!(out, "{style}");
        out.extend_from_slice(&line.concat());
        let _ = writeln!(out, "{style:#}");
    }
}

/// A name as git writes it: in quotes if it has quotes, backslashes or control characters.
fn quoted(prefix: &[u8], name: &[u8]) -> Vec<u8> {
    let needs_quotes = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=31 | 127);
    if !name.iter().any(needs_quotes) {
        return [prefix, name].concat();
    }
    let mut text = [b"\"", prefix].concat();
    for byte in name {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            _ if needs_quotes(byte) => text.extend(format!("\\{byte:03o}").bytes()),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
    text
}

fn print_lines(sign: char, lines: &[&str], style: Style, out: &mut Vec<u8>) {
    for line in lines {
        let (body, ended) = line.strip_suffix('\n').map_or((*line, false), |body| (body, true));
        let _ = write!(out, "{style}{sign}");
        out.extend_from_slice(&Text::encode(body));
        let _ = writeln!(out, "{style:#}");
        if !ended {
            out.extend_from_slice(b"\\ No newline at end of file\n");
        }
    }
}

fn styled(style: Style, text: &str, out: &mut Vec<u8>) {
    let _ = writeln!(out, "{style}{}{style:#}", text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: &str, after: &str) -> String {
        let mut out = Vec::new();
        unified(b"Dockerfile", Texts::new(before, after), &Palette::default(), &mut out);
        String::from_utf8(out).unwrap()
    }

    const HEADER: &str = "diff --git a/Dockerfile b/Dockerfile\n--- a/Dockerfile\n+++ b/Dockerfile\n";

    #[test]
    fn a_line_changes() {
        let expected = format!("{HEADER}@@ -1,2 +1,2 @@\n FROM a\n-RUN b\n+RUN c\n");
        assert_eq!(diff("FROM a\nRUN b\n", "FROM a\nRUN c\n"), expected);
        assert_eq!(diff("FROM a\n", "FROM a\n"), "");
    }

    #[test]
    fn the_last_newline_is_told() {
        let expected = format!("{HEADER}@@ -1 +1 @@\n-FROM a\n\\ No newline at end of file\n+FROM a\n");
        assert_eq!(diff("FROM a", "FROM a\n"), expected);
    }

    #[test]
    fn carriage_returns_stay() {
        let expected = format!("{HEADER}@@ -1,2 +1 @@\n FROM a\r\n-RUN x\ry\r\n");
        assert_eq!(diff("FROM a\r\nRUN x\ry\r\n", "FROM a\r\n"), expected);
    }

    #[test]
    fn empty_sides() {
        assert_eq!(diff("", "FROM a\n"), format!("{HEADER}@@ -0,0 +1 @@\n+FROM a\n"));
        assert_eq!(diff("FROM a\n", ""), format!("{HEADER}@@ -1 +0,0 @@\n-FROM a\n"));
    }

    #[test]
    fn odd_names_are_quoted() {
        assert_eq!(quoted(b"a/", b"x y"), b"a/x y");
        assert_eq!(quoted(b"a/", b"x\"\t\\"), b"\"a/x\\\"\\011\\\\\"");
    }
}
