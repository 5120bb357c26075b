//! Sizes as people read them.

/// `52.4 MB`, `310 kB`, `12 bytes`: a megabyte has 1,000,000 bytes, as engines count.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_rounded() {
        let shown = [0, 1, 999, 1_000, 999_999, 52_428_800].map(bytes);
        assert_eq!(shown, ["0 bytes", "1 byte", "999 bytes", "1 kB", "999 kB", "52.4 MB"]);
    }
}
