//! Versions as the tables compare them.

/// The numbers of a version; what follows them doesn't count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<u64>);

impl Version {
    /// Reads `1.2.3`, `1.2.3rc1`, `v1.2`; `None` if it doesn't begin with a number.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = Vec::new();
        for part in text.split('.') {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            match part[..end].parse() {
                Ok(number) => numbers.push(number),
                Err(_) => break,
            }
            if end < part.len() {
                break;
            }
        }
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        (!numbers.is_empty()).then_some(Self(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let read = |text| Version::read(text).unwrap();
        assert!(read("2.1.1") < read("2.2") && read("2.10") > read("2.9") && read("10") > read("9.9.9"));
        assert_eq!(read("2.0"), read("2"));
        assert_eq!(read("v2.0.0.post0"), read("2"));
        assert_eq!((Version::read("latest"), Version::read("")), (None, None));
    }
}
