//! Who starts from whose image, and what that means for a fix.

use std::collections::BTreeMap;

use super::plan::Entry;
use super::stack::Part;

/// Transforms after which an image holds the same, so that images that start from it can't tell.
const NEUTRAL: [&str; 2] = ["merge-run", "copy-after-install"];

/// What any other fix takes for granted in a repository whose image others start from.
pub(super) const RELIES: &str = "no image that starts from this one relies on what is left out";

/// What is needed of a repository to find out who starts from its image.
#[derive(Clone, Debug)]
pub(super) struct Node {
    name: String,
    published: Published,
    bases: Vec<Image>,
}

/// The images that a repository may publish.
#[derive(Clone, Debug)]
struct Published {
    /// As the list of repositories says.
    named: Vec<Image>,
    /// The parts of the repository's path on its server, or of its folder.
    path: Vec<String>,
    /// Whether the path begins with the name of whom it belongs to.
    has_owner: bool,
}

/// An image, without tag and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Image {
    host: Option<String>,
    path: Vec<String>,
}

impl Node {
    pub(super) fn of(entry: &Entry) -> Self {
        let images = |texts: &[String]| texts.iter().filter_map(|text| Image::read(text)).collect();
        let mut bases: Vec<Image> = Vec::new();
        for image in entry.files.iter().flat_map(|file| &file.bases).filter_map(|text| Image::read(text)) {
            if !bases.contains(&image) {
                bases.push(image);
            }
        }
        let published = Published { named: images(&entry.images), ..Published::at(&entry.source) };
        Self { name: entry.name.clone(), published, bases }
    }
}

impl Image {
    fn read(text: &str) -> Option<Self> {
        let text = text.split('@').next().unwrap_or_default();
        let mut path: Vec<String> = text.split('/').map(str::to_ascii_lowercase).collect();
        let is_host = path.len() > 1 && (path[0].contains(['.', ':']) || path[0] == "localhost");
        let host = is_host.then(|| path.remove(0)).filter(|host| host != "docker.io");
        let last = path.last_mut()?;
        last.truncate(last.find(':').unwrap_or(last.len()));
        (!path.iter().any(String::is_empty)).then_some(Self { host, path })
    }
}

impl Published {
    fn at(source: &str) -> Self {
        let lower = source.to_ascii_lowercase();
        let (path, has_owner) = match lower.split_once("://") {
            Some(("file", path)) => (path.to_owned(), false),
            Some((_, rest)) => (rest.split_once('/').map_or("", |(_, path)| path).to_owned(), true),
            None if lower.starts_with('/') => (lower, false),
            None => (lower.split_once(':').map_or("", |(_, path)| path).to_owned(), true),
        };
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let path = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { named: Vec::new(), path, has_owner }
    }

    /// Whether an image is built from the repository, as far as names tell.
    fn includes(&self, image: &Image) -> bool {
        let is_named =
            |named: &Image| named.path == image.path && (named.host.is_none() || named.host == image.host);
        if self.named.iter().any(is_named) {
            return true;
        }
        // An image with a plain name, such as `debian`, is an official one.
        let is_ours = image.host.is_some() || image.path.len() > 1;
        if !is_ours || self.path.is_empty() {
            return false;
        }
        self.path.ends_with(&image.path)
            // A registry beside the repositories has images below their paths.
            || self.has_owner && self.path.len() > 1 && image.path.starts_with(&self.path)
            // Of a folder it is not known whom it belongs to.
            || !self.has_owner && self.path.last() == image.path.last()
    }
}

/// For each repository whose image others start from, those others.
pub(super) fn users(nodes: &[Node]) -> BTreeMap<String, Vec<String>> {
    // Most images are used by many: each is looked for once.
    let mut images: Vec<(&Image, Vec<&str>)> = Vec::new();
    for node in nodes {
        for image in &node.bases {
            match images.iter_mut().find(|(known, _)| *known == image) {
                Some((_, names)) => names.push(&node.name),
                None => images.push((image, vec![&node.name])),
            }
        }
    }
    let mut users = BTreeMap::new();
    for node in nodes {
        let mut found: Vec<String> = Vec::new();
        for (_, names) in images.iter().filter(|(image, _)| node.published.includes(image)) {
            found.extend(names.iter().filter(|name| **name != node.name).map(|name| (*name).to_owned()));
        }
        if !found.is_empty() {
            found.sort();
            found.dedup();
            users.insert(node.name.clone(), found);
        }
    }
    users
}

/// Marks a repository with those who start from its image: what they could rely on is unsafe.
pub(super) fn mark(entry: &mut Entry, users: Vec<String>) {
    entry.used_by = users;
    for fix in entry.files.iter_mut().flat_map(|file| &mut file.fixes) {
        fix.assumes.retain(|assumed| assumed != RELIES);
        if !entry.used_by.is_empty() && !NEUTRAL.contains(&fix.transform.as_str()) {
            fix.assumes.push(RELIES.to_owned());
        }
        let is_safe = fix.claims.is_empty() && fix.assumes.is_empty();
        fix.applicability = if is_safe { "safe" } else { "unsafe" }.to_owned();
    }
}

/// Notes in what one transform does in such a repository what its fixes take for granted there.
pub(super) fn mark_part(part: &mut Part, entry: &Entry) {
    if !entry.used_by.is_empty() && !NEUTRAL.contains(&part.transform.as_str()) {
        part.fixes.iter_mut().for_each(|(_, fix)| fix.assumes.push(RELIES.to_owned()));
    }
}

/// Whether those who start from an image can tell what a transform did to it.
pub(super) fn is_neutral(transform: &str) -> bool {
    NEUTRAL.contains(&transform)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(source: &str, image: &str) -> bool {
        Published::at(source).includes(&Image::read(image).unwrap())
    }

    #[test]
    fn images_are_told_by_name() {
        assert!(includes("https://example.com/org/base.git", "org/base:1.2"));
        assert!(includes("git@example.com:org/base", "registry.example.com:5000/org/base@sha256:abc"));
        assert!(includes("https://example.com/org/base", "registry.example.com/org/base/debug"));
        assert!(includes("https://example.com/group/org/base", "docker.io/org/base"));
        assert!(includes("/srv/src/base", "org/base"));
        assert!(!includes("https://example.com/org/base", "other/base"));
        assert!(!includes("https://example.com/org/debian", "debian:12"));
        assert!(!includes("/srv/src/debian", "debian:12"));
        assert!(!includes("/srv/src/base", "org/base-dev"));
    }
}
