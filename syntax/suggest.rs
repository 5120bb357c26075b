//! "Did you mean": the name that is nearest to a word.

use crate::Keyword;

/// The name of the instruction that differs from `word` by at most two letters; in the case of
/// `word`, where that is clear.
pub(crate) fn instruction(word: &str) -> Option<String> {
    let name = nearest(word, Keyword::ALL.iter().map(|&(_, name)| name))?;
    let lower = word.to_lowercase();
    Some(if word == word.to_uppercase() && word != lower {
        name.to_owned()
    } else {
        name.to_ascii_lowercase()
    })
}

/// The name that differs from `word` by at most two letters, in any letter case; of several the first of
/// the nearest.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // A longer word is further away than two letters from every name, and would take long.
    if word.len() > 40 {
        return None;
    }
    let lower = word.to_lowercase();
    let names = names.into_iter().map(|name| (distance(&lower, &name.to_ascii_lowercase()), name));
    let (_, name) = names.filter(|&(distance, _)| distance < 3).min_by_key(|&(distance, _)| distance)?;
    Some(name)
}

/// How many letters must be put in, taken out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(instruction("FOO").as_deref(), Some("FROM"));
        assert_eq!(instruction("rum").as_deref(), Some("run"));
        assert_eq!(instruction("Entrypiont").as_deref(), Some("entrypoint"));
        assert_eq!(instruction("INCLUDE"), None);
        assert_eq!(instruction(""), None);
        assert_eq!(instruction(&"x".repeat(100_000)), None);
    }
}
