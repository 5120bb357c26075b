//! `list` and `explain`: what the transforms are.

use std::fmt::Write;

use dockeropt_syntax::nearest;
use dockeropt_transforms::{ALL, Transform};

/// A transform, as its documentation has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub id: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Whether it runs without being asked for.
    pub on_by_default: bool,
    /// The version of dockeropt that brought it.
    pub since: &'static str,
    /// Its documentation in Markdown.
    pub doc: String,
}

/// All transforms, in the order in which they run.
pub fn catalogue() -> Vec<Entry> {
    let entry = |transform: &&dyn Transform| {
        let meta = transform.meta();
        Entry {
            id: meta.id,
            summary: meta.summary,
            on_by_default: meta.on_by_default,
            since: meta.since,
            doc: meta.doc(),
        }
    };
    ALL.iter().map(entry).collect()
}

/// There is no transform of that name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no transform `{id}`; {}", hint(*.near))]
pub struct Unknown {
    /// What was asked for.
    pub id: String,
    /// The name that was probably meant.
    pub near: Option<&'static str>,
}

fn hint(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`dockeropt list` shows those that there are".to_owned(),
    }
}

/// Finds a transform by its name.
pub fn find<'e>(catalogue: &'e [Entry], id: &str) -> Result<&'e Entry, Unknown> {
    let found = catalogue.iter().find(|entry| entry.id == id);
    found.ok_or_else(|| Unknown { id: id.to_owned(), near: near(catalogue, id) })
}

/// The editions: the transforms of one are those that its version of dockeropt and all before it knew.
const EDITIONS: [(u32, &str); 1] = [(1, "0.1.0")];

/// The transforms that came after an edition.
///
/// # Errors
/// If there is no such edition yet.
pub fn newer(catalogue: &[Entry], edition: u32) -> anyhow::Result<Vec<&'static str>> {
    let Some(&(_, last)) = EDITIONS.iter().find(|(number, _)| *number == edition) else {
        let newest = EDITIONS.len();
        anyhow::bail!("there is no edition {edition}; this version knows those from 1 to {newest}");
    };
    Ok(catalogue.iter().filter(|entry| version(entry.since) > version(last)).map(|entry| entry.id).collect())
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

/// The name that is nearest to `id`, or else begins with it.
fn near(catalogue: &[Entry], id: &str) -> Option<&'static str> {
    let names = || catalogue.iter().map(|entry| entry.id);
    nearest(id, names()).or_else(|| names().find(|name| id.len() > 2 && name.starts_with(id)))
}

/// The list, one transform a line; those that are off by default are marked.
pub fn list(catalogue: &[Entry]) -> String {
    let width = catalogue.iter().map(|entry| entry.id.len()).max().unwrap_or_default();
    let mut text = String::new();
    for entry in catalogue {
        let off = if entry.on_by_default { "" } else { " (off by default)" };
        let _ = writeln!(text, "{:width$}  {}{off}", entry.id, entry.summary);
    }
    text
}

/// All about a transform.
pub fn explain(entry: &Entry) -> String {
    let state = if entry.on_by_default { "on by default" } else { "off by default" };
    format!("# {}\n\n{}\n\n({state}; since {})\n", entry.id, entry.doc.trim(), entry.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_has_the_transforms_of_its_time() {
        let [old, new] = entries();
        let entries = [old, Entry { since: "0.10.0", ..new }];
        assert_eq!(newer(&entries, 1).unwrap(), ["flatten"]);
        assert!(newer(&entries, 7).unwrap_err().to_string().contains("no edition 7"));
    }

    #[test]
    fn all_transforms_are_of_an_edition() {
        let newest = EDITIONS[EDITIONS.len() - 1].0;
        assert_eq!(newer(&catalogue(), newest).unwrap(), [""; 0]);
    }

    fn entries() -> [Entry; 2] {
        [
            Entry {
                id: "merge-run",
                summary: "Joins RUNs.",
                on_by_default: true,
                since: "0.1.0",
                doc: "Joins.\n".to_owned(),
            },
            Entry {
                id: "flatten",
                summary: "Flattens.",
                on_by_default: false,
                since: "0.1.0",
                doc: "Flattens.\n".to_owned(),
            },
        ]
    }

    #[test]
    fn the_list_is_aligned() {
        assert_eq!(list(&entries()), "merge-run  Joins RUNs.\nflatten    Flattens. (off by default)\n");
    }

    #[test]
    fn transforms_are_found_by_name() {
        let entries = entries();
        let entry = find(&entries, "merge-run").unwrap();
        assert_eq!(explain(entry), "# merge-run\n\nJoins.\n\n(on by default; since 0.1.0)\n");
        for id in ["merge", "merge-runs", "Merge-Run", "merge_run"] {
            let message = find(&entries, id).unwrap_err().to_string();
            assert_eq!(message, format!("there is no transform `{id}`; did you mean `merge-run`?"));
        }
        let message = find(&entries, "nope").unwrap_err().to_string();
        assert_eq!(message, "there is no transform `nope`; `dockeropt list` shows those that there are");
    }
}
