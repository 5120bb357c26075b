//! Whether a changed ignore file leaves in the build context what the file copies of it.
//!
//! As the check of the text, it knows nothing of the transforms: what is no longer sent must be claimed,
//! and what a COPY names must still be there.

use std::collections::BTreeSet;

use crate::check::{Difference, Licence, difference};
use crate::claim::Claim;
use crate::facts::{Action, Facts};
use crate::ignore::Ignore;
use crate::project::Project;

/// Checks that of what the builder saw of the context `original` only what the licence claims is missing
/// in `result`, and that all that `file` copies by name is still there.
pub fn check_context(
    file: &Facts<'_>,
    original: &Project,
    result: &Project,
    licence: &Licence,
) -> Result<(), Difference> {
    let mut claimed = BTreeSet::new();
    for claim in &licence.claims {
        if let Claim::Ignored { paths, .. } = claim {
            claimed.extend(paths.iter().map(String::as_str));
        }
    }
    let is_claimed = |path: &str| {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).any(|path| claimed.contains(path))
    };
    for (path, _) in original.entries() {
        match (original.is_sent(path), result.is_sent(path)) {
            (true, false) if !is_claimed(path) => {
                return difference(format!("{path} is no longer sent to the builder"));
            }
            (false, true) => return difference(format!("{path} is sent to the builder")),
            _ => {}
        }
    }
    for step in &file.steps {
        let Action::Copy(copy) = &step.action else { continue };
        if copy.from.is_some() {
            continue;
        }
        for source in copy.sources.iter().filter_map(|source| source.text()) {
            if let Some(path) = lost(source, original, result) {
                return difference(format!("{path}, which line {} copies, is ignored", step.line()));
            }
        }
    }
    Ok(())
}

/// What a source of a COPY names and the builder no longer sees.
fn lost<'p>(source: &str, original: &'p Project, result: &Project) -> Option<&'p str> {
    let path = context_path(source)?;
    if path.is_empty() {
        return None;
    }
    let named = Ignore::parse(&path);
    let is_there = |project: &Project, path: &str| project.has_file(path) || project.has_folder(path);
    let is_named = |path: &str| {
        let parent = path.rsplit_once('/').map(|(folder, _)| folder);
        named.excludes(path) && !parent.is_some_and(|folder| named.excludes(folder))
    };
    let mut named = original.entries().map(|(path, _)| path).filter(|path| is_named(path));
    named.find(|path| is_there(original, path) && !is_there(result, path))
}

/// The path in the context that a source of a COPY or ADD names, without slashes around it; empty for the
/// whole context, `None` for what comes from elsewhere.
pub fn context_path(source: &str) -> Option<String> {
    if source.contains("://") || source.starts_with("git@") {
        return None;
    }
    Some(crate::value::clean(&format!("/{source}")).trim_start_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockeropt_syntax::parse;

    fn verdict(dockerfile: &str, ignored: &[&str], claimed: &[&str]) -> Result<(), String> {
        let files = ["a", "tmp/x", "tmp/y/z", "src/.git/x", "src/m"];
        let texts = files.iter().map(|path| ((*path).to_owned(), String::new()));
        let original = Project::from_texts(texts.collect());
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let result = original.with_ignored(&owned(ignored));
        let claims = vec![Claim::Ignored { paths: owned(claimed), inert: false }];
        let file = parse(dockerfile);
        let licence = Licence { claims, assumptions: Vec::new() };
        check_context(&Facts::new(&file), &original, &result, &licence).map_err(|it| it.message)
    }

    #[test]
    fn what_is_claimed_may_be_ignored() {
        assert_eq!(verdict("FROM a\nCOPY . /app\n", &["tmp"], &["tmp"]), Ok(()));
        assert_eq!(verdict("FROM a\nCOPY . /app\n", &["**/.git"], &["src/.git"]), Ok(()));
        assert_eq!(verdict("FROM a\nCOPY --from=b tmp /app\n", &["tmp"], &["tmp"]), Ok(()));
        assert_eq!(verdict("FROM a\nCOPY . /app\n", &["tmp/y"], &["tmp"]), Ok(()));
    }

    #[test]
    fn what_is_not_claimed_or_named_may_not() {
        let rejects = |dockerfile: &str, ignored: &[&str], claimed: &[&str], why: &str| {
            let verdict = verdict(dockerfile, ignored, claimed);
            assert!(verdict.as_ref().is_err_and(|message| message.contains(why)), "{verdict:?}");
        };
        rejects("FROM a\nCOPY . /app\n", &["tmp"], &[], "tmp is no longer sent");
        rejects("FROM a\nCOPY . /app\n", &["*"], &["tmp"], "a is no longer sent");
        rejects("FROM a\nCOPY . /app\n", &["**/*"], &["tmp", "a"], "src is no longer sent");
        rejects("FROM a\nCOPY ./tmp/ /app\n", &["tmp"], &["tmp"], "tmp, which line 2 copies");
        rejects("FROM a\nCOPY tmp/x /app\n", &["tmp"], &["tmp"], "tmp/x, which line 2 copies");
        rejects("FROM a\nADD tm* /app\n", &["tmp"], &["tmp"], "tmp, which line 2 copies");
        rejects("FROM a\nCOPY tmp/*/z /app\n", &["tmp/y"], &["tmp"], "tmp/y/z, which line 2");
    }
}
