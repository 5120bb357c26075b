//! Reading a file without being led astray by what it is.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::problem::describe;

/// The largest file that is read, in bytes. BuildKit itself accepts 16 MiB in one message and the
/// largest Dockerfile in the corpus has 51 KB.
pub const LIMIT: u64 = 16 << 20;

/// Why a file can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("{}", describe(.0))]
    Io(#[from] io::Error),
    /// It is a pipe, a socket or a device.
    #[error("is not a regular file")]
    NotRegular,
    /// It is larger than [`LIMIT`].
    #[error("is larger than {} MiB, which no Dockerfile is", LIMIT >> 20)]
    TooLarge,
    /// It has a zero byte.
    #[error("is a binary file: byte {0} is zero")]
    Binary(usize),
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    // Looked at before it is opened: to open a pipe waits until somebody writes to it.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(ReadError::NotRegular);
    }
    if metadata.len() > LIMIT {
        return Err(ReadError::TooLarge);
    }
    read_stream(File::open(path)?, metadata.len() as usize)
}

/// Reads a stream to its end. `expected` is how many bytes it probably has.
pub fn read_stream(stream: impl Read, expected: usize) -> Result<Vec<u8>, ReadError> {
    // One byte more, so that the read that finds the end needs no larger buffer.
    let mut bytes = Vec::with_capacity(expected + 1);
    stream.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(ReadError::TooLarge);
    }
    match bytes.iter().position(|&byte| byte == 0) {
        Some(at) => Err(ReadError::Binary(at + 1)),
        None => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_without_end_is_refused() {
        assert!(matches!(read_stream(io::repeat(b'a'), 0), Err(ReadError::TooLarge)));
    }

    #[test]
    fn a_zero_byte_is_named() {
        assert!(matches!(read_stream(&b"FROM a\n\0"[..], 8), Err(ReadError::Binary(8))));
    }
}
