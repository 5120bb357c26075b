//! How the files that are to be ignored are spelled in an ignore file.

use std::collections::BTreeSet;

use dockeropt_facts::Project;
use dockeropt_facts::junk::Row;

/// So many files are named one by one.
const MOST_LINES: usize = 8;

/// The lines for the paths of a row, and the paths that they hit: one pattern for all, with `**/` if some
/// lie in subfolders, or, if that would hit anything else, the paths themselves. `None` if these are too
/// many, or can't be spelled.
pub(super) fn lines<'p>(
    project: &Project,
    row: &Row,
    paths: &[&'p str],
) -> Option<(Vec<String>, Vec<&'p str>)> {
    let is_at_root = |path: &&str| path.matches('/').count() == row.name.matches('/').count();
    let pattern = match paths.iter().all(is_at_root) {
        true => row.name.to_owned(),
        false => format!("**/{}", row.name),
    };
    let one = vec![pattern];
    if hits_only(project, &one, paths) {
        return Some((one, paths.to_vec()));
    }
    let spelled = |path: &&str| {
        !path.contains(['*', '?', '[', '\\']) && !path.starts_with(['!', '#']) && path.trim() == *path
    };
    let many: Vec<String> = paths.iter().filter(|path| spelled(path)).map(|&path| path.to_owned()).collect();
    let all = many.len() == paths.len() && many.len() <= MOST_LINES;
    (all && hits_only(project, &many, paths)).then(|| (many, paths.to_vec()))
}

/// Whether lines added to the ignore file leave out all of these paths, with what lies in them, and
/// nothing else.
fn hits_only(project: &Project, lines: &[String], paths: &[&str]) -> bool {
    let after = project.ignore_with(lines);
    let meant: BTreeSet<&str> = paths.iter().copied().collect();
    let is_meant = |path: &str| {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).any(|path| meant.contains(path))
    };
    let mut sent = project.entries().map(|(path, _)| path).filter(|path| project.is_sent(path));
    sent.all(|path| after.excludes(path) == is_meant(path))
}
