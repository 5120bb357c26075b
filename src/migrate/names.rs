//! What repositories are called in a plan: names that are safe as names of folders.

use std::collections::BTreeMap;

/// What else is in a plan's folder.
const TAKEN: [&str; 5] = ["decisions.json", "journal.jsonl", "plan.json", "report.html", "lock"];
/// The longest name, in bytes.
const LONGEST: usize = 100;

/// A name for each repository: the last two parts of its place, and where two would be called the same, a
/// mark made of the whole. The names depend on the list alone, so that parts of it use the same.
pub(super) fn unique_names<'t>(places: impl Iterator<Item = (&'t str, Option<&'t str>)>) -> Vec<String> {
    let places: Vec<_> = places.collect();
    let names: Vec<String> = places.iter().map(|(place, _)| name(place)).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        // Some file systems don't tell letter case apart.
        *counts.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let marked = |(name, (place, reference)): (String, &(&str, Option<&str>))| {
        let lower = name.to_ascii_lowercase();
        if counts[&lower] == 1 && !TAKEN.contains(&lower.as_str()) {
            return name;
        }
        format!("{name}-{}", &mark(&[place, reference.unwrap_or_default()])[..8])
    };
    names.into_iter().zip(&places).map(marked).collect()
}

/// Sixteen hexadecimal digits that stand for some texts.
pub(super) fn mark(texts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn name(place: &str) -> String {
    let path = place.split_once("://").map_or(place, |(_, rest)| rest.split_once('/').map_or("", |(_, p)| p));
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    let mut parts: Vec<String> = path.rsplit(['/', ':', '\\']).map(plain).collect();
    parts.retain(|part| !part.is_empty());
    parts.truncate(2);
    parts.reverse();
    let mut name = parts.join("-");
    if name.is_empty() {
        name.push_str("repository");
    }
    name.truncate(LONGEST);
    name
}

/// A part of a path with nothing in it that means something to a file system or a shell.
fn plain(part: &str) -> String {
    let kept = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => character,
        _ => '_',
    };
    part.chars().map(kept).collect::<String>().trim_matches(['.', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_unique() {
        let places = [
            "https://example.com/org/app.git",
            "https://example.net/org/App",
            "git@example.com:../../etc/passwd",
            "/",
            "https://example.com/org/a b\u{e9}",
            "https://example.com/plan.json",
        ];
        let names = unique_names(places.iter().map(|place| (*place, None)));
        assert!(names[0].starts_with("org-app-") && names[1].starts_with("org-App-"), "{names:?}");
        assert_eq!(names[2..5], ["etc-passwd", "repository", "org-a_b_"]);
        assert!(names[5].starts_with("plan.json-"));
    }
}
