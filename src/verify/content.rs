//! What a file holds: its digest, and the digest of what counts in it.
//!
//! Some formats note when or where they were made. Two files of such a format count as the same if they
//! differ in nothing else.

use std::io::{self, Read};

use object::{Object, ObjectSection};
use sha2::{Digest, Sha256};

/// The first half of a SHA-256: enough to tell files of one image apart.
pub(super) type Fingerprint = [u8; 16];

/// Compiled files up to this size are looked into.
const LARGEST_COMPILED: u64 = 64 << 20;

/// The digests of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Of all bytes.
    pub exact: Fingerprint,
    /// Of what counts.
    pub essence: Fingerprint,
}

/// Reads a file of `size` bytes to its end. Its bytes go to `keep`, too, if there is such a place.
pub(super) fn read(mut file: impl Read, size: u64, mut keep: Option<&mut Vec<u8>>) -> io::Result<Content> {
    let mut start = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut start)?;
    if start.starts_with(b"\x7fELF") && size <= LARGEST_COMPILED {
        file.read_to_end(&mut start)?;
        let exact = fingerprint(Sha256::digest(&start).as_slice());
        return Ok(Content { exact, essence: compiled(&start).unwrap_or(exact) });
    }
    let mut exact = Sha256::new();
    let mut essence = Sha256::new();
    let blank = made_at(&start);
    exact.update(&start);
    if let Some(blank) = &blank {
        let mut cleared = start.clone();
        cleared[blank.clone()].fill(0);
        essence.update(&cleared);
    }
    if let Some(kept) = keep.as_deref_mut() {
        kept.extend_from_slice(&start);
    }
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        exact.update(&buffer[..count]);
        if blank.is_some() {
            essence.update(&buffer[..count]);
        }
        if let Some(kept) = keep.as_deref_mut() {
            kept.extend_from_slice(&buffer[..count]);
        }
    }
    let exact = fingerprint(exact.finalize().as_slice());
    let essence = blank.map_or(exact, |_| fingerprint(essence.finalize().as_slice()));
    Ok(Content { exact, essence })
}

/// So many bytes tell a format.
const HEAD: usize = 64;

fn fingerprint(digest: &[u8]) -> Fingerprint {
    let mut half = Fingerprint::default();
    half.copy_from_slice(&digest[..16]);
    half
}

/// Where a file notes the time at which it, or what it was made of, was made.
fn made_at(start: &[u8]) -> Option<std::ops::Range<usize>> {
    match start {
        // gzip, RFC 1952: MTIME.
        [0x1f, 0x8b, 8, ..] if start.len() >= 10 => Some(4..8),
        // Python's compiled modules, PEP 552: a magic number that ends in \r\n, flags, and if these are
        // zero, the source's time and size.
        [_, _, b'\r', b'\n', 0, 0, 0, 0, ..] if start.len() >= 16 => Some(8..12),
        _ => None,
    }
}

/// What counts in a compiled file: all sections but build ids and what debuggers read.
fn compiled(bytes: &[u8]) -> Option<Fingerprint> {
    let file = object::File::parse(bytes).ok()?;
    let mut essence = Sha256::new();
    for section in file.sections() {
        let name = section.name().ok()?;
        let apart =
            [".debug", ".zdebug", ".gnu_debug", ".note.gnu.build-id", ".symtab", ".strtab", ".shstrtab"];
        if apart.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        essence.update(name.as_bytes());
        essence.update([0]);
        // The place of a section without content says how large the others are.
        essence.update(section.data().ok()?);
    }
    Some(fingerprint(essence.finalize().as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Content {
        read(bytes, bytes.len() as u64, None).unwrap()
    }

    fn same_essence(one: &[u8], other: &[u8]) -> bool {
        assert_ne!(of(one).exact, of(other).exact);
        of(one).essence == of(other).essence
    }

    #[test]
    fn times_in_compiled_python_and_gzip_do_not_count() {
        let python = |time: u8, code: u8| {
            let mut bytes = vec![0x6f, 0x0d, b'\r', b'\n', 0, 0, 0, 0, time, 0, 0, 0, 9, 0, 0, 0];
            bytes.extend([code; 100]);
            bytes
        };
        assert!(same_essence(&python(1, 7), &python(2, 7)));
        assert!(!same_essence(&python(1, 7), &python(1, 8)));
        let gzip = |time: u8| [0x1f, 0x8b, 8, 0, time, 0, 0, 0, 0, 3, 1, 2, 3];
        assert!(same_essence(&gzip(1), &gzip(2)));
    }

    #[test]
    fn other_files_count_byte_for_byte() {
        let long = vec![b'a'; 200_000];
        let mut other = long.clone();
        other[150_000] = b'b';
        assert!(!same_essence(&long, &other));
        assert_eq!(of(b""), of(b""));
        assert!(!same_essence(b"\x7fELF is no program", b"\x7fELF is none"));
    }

    #[test]
    fn content_is_kept_on_request() {
        let mut kept = Vec::new();
        let bytes = vec![b'x'; 100_000];
        read(&bytes[..], bytes.len() as u64, Some(&mut kept)).unwrap();
        assert_eq!(kept, bytes);
    }
}
