//! Bytes that may not be UTF-8, held as text without loss.

use std::borrow::Cow;

/// First of the 128 private characters that stand for the bytes 0x80 to 0xFF.
const FIRST: u32 = 0xF780;

/// The content of a file as text.
///
/// Bytes that are not UTF-8 (Latin-1 comments, mostly) are held as characters of Unicode's private
/// use area, U+F780 for 0x80 to U+F7FF for 0xFF, and turned back by [`Text::encode`]. A file that
/// really contains such a character has its three bytes held that way, so the way back is always
/// exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Holds `bytes` as text.
    pub fn decode(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if !has_stand_in(&text) => Self(text),
            Ok(text) => Self(stand_in_for_odd_bytes(text.as_bytes())),
            Err(error) => Self(stand_in_for_odd_bytes(error.as_bytes())),
        }
    }

    /// The bytes that `text`, made by [`Text::decode`] or by editing such a text, stands for.
    pub fn encode(text: &str) -> Cow<'_, [u8]> {
        if !has_stand_in(text) {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            if is_stand_in(character) {
                bytes.push((character as u32 - FIRST) as u8 + 0x80);
            } else {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Cow::Owned(bytes)
    }

    /// The text to parse.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn has_stand_in(text: &str) -> bool {
    // The first byte of all of them, which few texts have.
    text.as_bytes().contains(&0xEF) && text.chars().any(is_stand_in)
}

fn is_stand_in(character: char) -> bool {
    (FIRST..FIRST + 0x80).contains(&(character as u32))
}

fn stand_in_for_odd_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    let stand_in = |text: &mut String, odd: &[u8]| {
        text.extend(odd.iter().filter_map(|&b| char::from_u32(FIRST + u32::from(b) - 0x80)));
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_stand_in(character) {
                stand_in(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(character);
            }
        }
        stand_in(&mut text, chunk.invalid());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) {
        let text = Text::decode(bytes.to_vec());
        assert_eq!(Text::encode(text.as_str()).as_ref(), bytes);
    }

    #[test]
    fn any_bytes_survive() {
        check(b"FROM a\n");
        check("RUN echo é漢\n".as_bytes());
        check(b"# caf\xe9 \xff\xfe\x80\n");
        check("\u{f780}\u{f7ff}\u{f800}".as_bytes());
        check("mixed \u{f7e9} ".as_bytes());
        check(b"\xef\x9e\x80\xe9\xef\x9e");
    }
}
