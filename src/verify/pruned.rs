//! What `npm prune` leaves out of an image: the packages that npm noted as being for development only.

use std::collections::BTreeSet;

use dockeropt_facts::claim::Claim;
use dockeropt_facts::effects::within;
use serde_json::Value;

use super::image::Image;

/// The note that npm leaves of what it installed.
const NOTE: &str = "/node_modules/.package-lock.json";

/// Whether a path is that of a note of npm's.
pub(super) fn is_note(path: &str) -> bool {
    path.strip_suffix(NOTE).is_some_and(|above| !above.contains("/node_modules/"))
}

/// The places of packages for development, as npm noted them in the original.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    notes: BTreeSet<String>,
    places: BTreeSet<String>,
}

impl Pruned {
    /// Those of an image, if a claim has npm prune them.
    pub(super) fn of(image: &Image, claims: &[Claim]) -> Self {
        let prunes = |command: &String| command.starts_with("npm prune ");
        let claimed =
            claims.iter().any(|it| matches!(it, Claim::Split(split) if split.commands.iter().any(prunes)));
        let mut pruned = Self::default();
        for (path, note) in image.kept.iter().filter(|(path, _)| claimed && is_note(path)) {
            if let Ok(note) = serde_json::from_slice::<Value>(note) {
                pruned.add(path, &note);
            }
        }
        pruned
    }

    fn add(&mut self, path: &str, note: &Value) {
        let Some(project) = path.strip_suffix(NOTE) else { return };
        self.notes.insert(path.to_owned());
        let packages = note["packages"].as_object().into_iter().flatten();
        for (place, package) in packages.filter(|(_, package)| package["dev"] == true) {
            self.places.insert(format!("{project}/{place}"));
            let programs = package["bin"].as_object().into_iter().flatten();
            let folder = place.rsplit_once("node_modules/").map_or("", |(above, _)| above);
            let programs = programs.map(|(name, _)| format!("{project}/{folder}node_modules/.bin/{name}"));
            self.places.extend(programs);
        }
    }

    /// Whether it explains that a path differs, or is gone.
    pub(super) fn explains(&self, path: &str, is_gone: bool, before: &Image) -> bool {
        if !is_gone {
            return self.notes.contains(path);
        }
        self.is_pruned(path)
            || self.notes.contains(path)
            // The folder of a scope, or of programs, that holds nothing else.
            || (self.places.iter().any(|place| within(place, path))
                && before.below(path).all(|(below, _)| self.is_pruned(below)))
    }

    fn is_pruned(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).any(|folder| self.places.contains(folder))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn notes_are_those_of_projects() {
        assert!(is_note("/app/node_modules/.package-lock.json"));
        assert!(!is_note("/app/node_modules/a/node_modules/.package-lock.json"));
        assert!(!is_note("/app/package-lock.json"));
    }

    #[test]
    fn packages_for_development_are_explained_and_others_are_not() {
        let mut pruned = Pruned::default();
        let note = json!({"packages": {
            "node_modules/kleur": {"dev": true},
            "node_modules/uvu": {"dev": true, "bin": {"uvu": "bin.js"}},
            "node_modules/@types/node": {"dev": true},
            "node_modules/ms": {},
        }});
        pruned.add("/app/node_modules/.package-lock.json", &note);
        let image = Image::default();
        for path in [
            "/app/node_modules/kleur/index.js",
            "/app/node_modules/.bin/uvu",
            "/app/node_modules/@types",
            "/app/node_modules/.package-lock.json",
        ] {
            assert!(pruned.explains(path, true, &image), "{path}");
        }
        assert!(pruned.explains("/app/node_modules/.package-lock.json", false, &image));
        for path in ["/app/node_modules/ms/index.js", "/app/node_modules/kleurs", "/app/server.js"] {
            assert!(!pruned.explains(path, true, &image), "{path}");
        }
        assert!(!pruned.explains("/app/node_modules/kleur/index.js", false, &image));
    }
}
