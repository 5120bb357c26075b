//! Patches that `git am` takes.

use std::io::Write;

use super::message::{message, subject};
use super::stack::{Change, Part};
use crate::diff::{Texts, created, unified};
use crate::palette::Palette;

/// A line of an encoded mail is no longer than this, in bytes, its end apart.
const LINE: usize = 76;

/// Who made a patch, and when.
#[derive(Clone, Debug)]
pub(super) struct Sender<'a> {
    /// `Name <email>`.
    pub(super) author: &'a str,
    /// As mails write it.
    pub(super) date: &'a str,
}

/// What changes in some files, as a diff.
pub(super) fn diff(changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::new();
    for change in changes {
        let name = change.path.as_bytes();
        match &change.before {
            Some(before) => unified(name, Texts::new(before, &change.after), &Palette::default(), &mut out),
            None => created(name, &change.after, &Palette::default(), &mut out),
        }
    }
    out
}

/// The name of the file of a patch, which is the `number`-th from 1.
pub(super) fn file_name(number: usize, part: &Part) -> String {
    format!("{number:04}-{}.patch", part.transform)
}

/// A patch as a mail, the `number`-th of `count`.
pub(super) fn mail(part: &Part, number: usize, count: usize, sender: &Sender<'_>) -> Vec<u8> {
    let text = message(part);
    let text = text.split_once('\n').map_or("", |(_, rest)| rest).trim_start_matches('\n');
    let mut body = text.as_bytes().to_vec();
    body.extend_from_slice(b"---\n\n");
    body.extend_from_slice(&diff(&part.changes));
    let _ = write!(body, "-- \ndockeropt {}\n", env!("CARGO_PKG_VERSION"));
    let mut out = Vec::new();
    let number = if count > 1 { format!(" {number}/{count}") } else { String::new() };
    let _ = writeln!(out, "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001");
    let _ = writeln!(out, "From: {}", author(sender.author));
    let _ = writeln!(out, "Date: {}", sender.date);
    let _ = writeln!(out, "Subject: [PATCH{number}] {}", subject(part));
    // Mail programs, git among them, take carriage returns off lines unless they are encoded.
    let encoded = body.contains(&b'\r');
    let encoding = if encoded { "quoted-printable" } else { "8bit" };
    let _ = write!(
        out,
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: {encoding}\n\n"
    );
    if encoded {
        quoted_printable(&body, &mut out)
    } else {
        out.extend_from_slice(&body)
    }
    out
}

/// An author for a header, where letters beyond ASCII are encoded.
fn author(author: &str) -> String {
    let (name, address) = author.rsplit_once('<').unwrap_or((author, ""));
    let (name, address) = (name.trim(), address.trim_end_matches('>'));
    if name.is_ascii() && !name.contains(['"', '\\', ',', '(', ')', ':', ';', '@']) {
        return format!("{name} <{address}>");
    }
    let encoded: String = name.bytes().map(|byte| format!("={byte:02X}")).collect();
    format!("=?UTF-8?q?{encoded}?= <{address}>")
}

/// Encodes bytes so that they survive mail programs: RFC 2045, section 6.7.
fn quoted_printable(bytes: &[u8], out: &mut Vec<u8>) {
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let (line, ended) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
        let mut length = 0;
        for (at, &byte) in line.iter().enumerate() {
            let is_last = at + 1 == line.len();
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || matches!(byte, b' ' | b'\t') && !is_last;
            let width = if plain { 1 } else { 3 };
            if length + width > LINE - 1 {
                out.extend_from_slice(b"=\n");
                length = 0;
            }
            if plain {
                out.push(byte);
            } else {
                let _ = write!(out, "={byte:02X}");
            }
            length += width;
        }
        if ended {
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriage_returns_are_encoded() {
        let mut out = Vec::new();
        quoted_printable(b"+RUN a=b\r\n+caf\xe9 \n", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "+RUN a=3Db=0D\n+caf=E9=20\n");
        let mut out = Vec::new();
        quoted_printable(&[b'x'; 200], &mut out);
        assert!(out.split(|&byte| byte == b'\n').all(|line| line.len() <= LINE));
    }

    #[test]
    fn authors_are_encoded() {
        assert_eq!(author("A B <a@example.com>"), "A B <a@example.com>");
        assert_eq!(author("\u{e9} <a@example.com>"), "=?UTF-8?q?=C3=A9?= <a@example.com>");
    }
}
