//! Values that may depend on what is only known at build time.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Text in which a part that is only known at build time stands between two of these.
const MARK: char = '\u{0}';

/// What is longer than the longest path is not followed any further.
const LONGEST: usize = 4096;

/// The value of a variable, a path or a user name.
///
/// It may be *symbolic*: a part of it is decided when the image is built, by a build argument or by
/// the base image. Two symbolic values are equal only if the same unknown parts stand at the same
/// places, so comparing them is sound; what they hold is never guessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(String);

impl Value {
    /// A value that is known.
    pub fn known(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A value of which only its name is known: `ARG VERSION`, `USER of the base image`.
    pub fn symbol(name: &str) -> Self {
        Self(format!("{MARK}{name}{MARK}"))
    }

    /// A value that grew of others. One that is too long becomes a symbol that only its like equals, so
    /// that values which are made of each other don't grow without bounds.
    pub(crate) fn grown(raw: String) -> Self {
        if raw.len() <= LONGEST {
            return Self(raw);
        }
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, &raw).hash(&mut hasher);
            hasher.finish()
        };
        Self::symbol(&format!("{} bytes, {:016x}{:016x}", raw.len(), half(0), half(1)))
    }

    /// The text, if all of it is known.
    pub fn text(&self) -> Option<&str> {
        (!self.0.contains(MARK)).then_some(&self.0)
    }

    /// The text with its unknown parts in between marks, for comparing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The value followed by more text.
    pub fn then(&self, text: &str) -> Self {
        Self(format!("{}{text}", self.0))
    }
}

/// A path made absolute: `path` as seen from `folder`, without `.`, `..` and doubled slashes.
pub fn absolute(folder: &Value, path: &Value) -> Value {
    let joined = if path.raw().starts_with('/') {
        path.raw().to_owned()
    } else {
        format!("{}/{}", folder.raw(), path.raw())
    };
    Value::grown(clean(&joined))
}

/// Removes `.`, `..`, doubled and trailing slashes from an absolute path.
pub fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut cleaned = String::with_capacity(path.len());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => cleaned.truncate(cleaned.rfind('/').unwrap_or(0)),
            part => {
                if is_absolute || !cleaned.is_empty() {
                    cleaned.push('/');
                }
                cleaned.push_str(part);
            }
        }
    }
    if is_absolute && cleaned.is_empty() {
        cleaned.push('/');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute() {
        let at = |folder: &str, path: &str| {
            absolute(&Value::known(folder), &Value::known(path)).text().map(str::to_owned)
        };
        assert_eq!(at("/app", "src/").as_deref(), Some("/app/src"));
        assert_eq!(at("/app", ".").as_deref(), Some("/app"));
        assert_eq!(at("/app", "../x//y/./z").as_deref(), Some("/x/y/z"));
        assert_eq!(at("/app", "/").as_deref(), Some("/"));
    }

    #[test]
    fn paths_are_cleaned() {
        for (path, cleaned) in [
            ("/", "/"),
            ("", ""),
            ("/..", "/"),
            ("/../a/./b//c/", "/a/b/c"),
            ("/a/b/../../..", "/"),
            ("a/../b", "b"),
            ("../a/", "a"),
            ("a/b/..", "a"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn a_path_that_is_too_long_equals_only_itself() {
        let long = |name: &str| absolute(&Value::known("/"), &Value::known(name.repeat(5000)));
        assert_eq!(long("a").text(), None);
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
        assert_eq!(absolute(&long("a"), &Value::known("/b")), Value::known("/b"));
    }

    #[test]
    fn a_path_below_an_unknown_folder_is_comparable_but_not_known() {
        let base = Value::symbol("WORKDIR");
        let path = absolute(&base, &Value::known("x"));
        assert_eq!(path.text(), None);
        assert_eq!(path, absolute(&base, &Value::known("./x")));
        assert_ne!(path, absolute(&Value::symbol("other"), &Value::known("x")));
    }
}
