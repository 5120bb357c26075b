//! Where in an image lies what an ignore file now leaves out of it.

use std::collections::BTreeSet;

use dockeropt_facts::claim::Claim;
use dockeropt_facts::context_check::context_path;
use dockeropt_facts::{Action, Copy, Step, clean};

/// The places in an image at which something is missing as the context no longer has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Absolute paths; what lies below them counts, too.
    places: BTreeSet<String>,
    /// Ends of paths, where the folder that they are copied to is decided by the base.
    ends: BTreeSet<String>,
}

impl Ignored {
    /// The places to which the steps of a Dockerfile copied what the claims say is ignored now.
    pub(super) fn of(steps: &[Step<'_>], claims: &[Claim]) -> Self {
        let mut ignored = Self::default();
        let paths: Vec<&str> = claims
            .iter()
            .flat_map(|claim| match claim {
                Claim::Ignored { paths, .. } => paths.iter().map(String::as_str).collect(),
                _ => Vec::new(),
            })
            .collect();
        if paths.is_empty() {
            return ignored;
        }
        // A stage copies from earlier ones only.
        for step in steps {
            if let Action::Copy(copy) = &step.action {
                match &copy.from {
                    None => ignored.add_copied(copy, &paths),
                    Some(_) => ignored.add_passed_on(copy),
                }
            }
        }
        ignored
    }

    /// Notes what a COPY from the context brought of the paths.
    fn add_copied(&mut self, copy: &Copy, paths: &[&str]) {
        for source in copy.sources.iter().filter_map(|source| context_path(source.text()?)) {
            for path in paths {
                let below = match source.as_str() {
                    "" => Some(*path),
                    source => path.strip_prefix(source).and_then(|rest| rest.strip_prefix('/')),
                };
                let Some(below) = below else { continue };
                match copy.destination.text() {
                    Some(folder) => self.places.insert(clean(&format!("{folder}/{below}"))),
                    None => self.ends.insert(format!("/{below}")),
                };
            }
        }
    }

    /// Notes what a COPY from another stage brought of what is noted.
    fn add_passed_on(&mut self, copy: &Copy) {
        let Some(folder) = copy.destination.text() else { return };
        for source in copy.sources.iter().filter_map(|source| source.text()) {
            let source = clean(&format!("/{source}"));
            let rest = |place: &String| Some(place.strip_prefix(source.trim_end_matches('/'))?.to_owned());
            let below = self.places.iter().filter_map(rest).filter(|rest| rest.starts_with('/'));
            let more: Vec<String> = below.map(|rest| clean(&format!("{folder}{rest}"))).collect();
            self.places.extend(more);
        }
    }

    /// Whether what lay at a path, or the folder that it lay in, is left out now.
    pub(super) fn explains(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).any(|path| {
            self.places.contains(path) || self.ends.iter().any(|end| path.ends_with(end.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use dockeropt_facts::Facts;
    use dockeropt_syntax::parse;

    use super::*;

    fn explains(text: &str, paths: &[&str], explained: &[&str], not: &[&str]) {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        let file = parse(text);
        let ignored = Ignored::of(&Facts::new(&file).steps, &[Claim::Ignored { paths, inert: false }]);
        explained.iter().for_each(|path| assert!(ignored.explains(path), "{path}: {ignored:?}"));
        not.iter().for_each(|path| assert!(!ignored.explains(path), "{path}: {ignored:?}"));
    }

    #[test]
    fn what_was_copied_is_followed() {
        let text = "FROM a\nWORKDIR /app\nCOPY . .\n";
        explains(text, &["tmp"], &["/app/tmp", "/app/tmp/x/y"], &["/tmp", "/app/tmp2", "/app", "/x/app/tmp"]);
        let text = "FROM a\nCOPY src /srv/\n";
        explains(text, &["src/.git", "tmp"], &["/srv/.git/HEAD"], &["/srv/src/.git", "/srv/tmp"]);
        let text = "FROM a AS b\nCOPY . /src\nFROM c\nCOPY --from=b /src/web /www\nCOPY --from=b / /all\n";
        explains(text, &["web/.env", "tmp"], &["/www/.env", "/all/src/tmp/x"], &["/www/tmp", "/.env"]);
        explains("FROM a\nCOPY . .\n", &["tmp"], &["/any/tmp/x"], &["/any/xtmp"]);
        explains("FROM a\nCOPY . /\n", &["tmp"], &["/tmp/x"], &["/var/tmp"]);
    }
}
