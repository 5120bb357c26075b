//! Comments that tell dockeropt or hadolint to leave something alone.

use dockeropt_syntax::rewriter::first_attached;
use dockeropt_syntax::{Dockerfile, Item, nearest};
use dockeropt_transforms::Fix;

/// hadolint's rules that a transform answers to.
const RULES: [(&str, &[&str]); 5] = [
    ("ignore-junk", &[]),
    ("merge-run", &["DL3059"]),
    ("clean-package-cache", &["DL3009", "DL3019", "DL3032", "DL3036", "DL3040", "DL3042", "DL3060"]),
    ("no-recommends", &["DL3015"]),
    ("copy-after-install", &[]),
];

/// Whether a comment asks to leave the whole file alone.
pub(super) fn skips_file(file: &Dockerfile<'_>) -> bool {
    let is_asked = |comment| directive(comment).is_some_and(|(word, _)| word == "skip-file");
    comments(file, 0..file.items.len()).any(is_asked)
}

/// What is wrong with the comments that speak to dockeropt, each with its place.
pub(super) fn mistakes(file: &Dockerfile<'_>) -> Vec<(usize, String)> {
    let comments = file.items.iter().filter_map(|item| match item {
        Item::Comment(span) => Some((span.start, file.text[span.range()].trim())),
        _ => None,
    });
    comments.filter_map(|(start, comment)| Some((start, mistake(comment)?))).collect()
}

fn mistake(comment: &str) -> Option<String> {
    let (word, ids) = directive(comment)?;
    let ids = match (word, ids) {
        ("skip-file", _) => return None,
        ("skip", Some(ids)) => ids,
        _ => {
            return Some(format!(
                "unknown comment `dockeropt: {word}`; there are `skip=ID,ID` and `skip-file`"
            ));
        }
    };
    let names = || RULES.iter().map(|&(name, _)| name);
    let ids = ids.split('#').next().unwrap_or_default().split(',');
    // What follows after a space may be a remark.
    let mut ids = ids.map(|id| id.split_whitespace().next().unwrap_or_default());
    let unknown = ids.find(|id| !names().any(|name| name == *id))?;
    let hint = match nearest(unknown, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`dockeropt list` shows those that there are".to_owned(),
    };
    Some(format!("unknown transform `{unknown}` in a comment; {hint}"))
}

/// The comments of a file that speak to tools.
pub(super) struct Pragmas<'f> {
    file: &'f Dockerfile<'f>,
    /// The comments with `hadolint global ignore=`, and what stands after that.
    global: Vec<(&'f str, &'f str)>,
}

impl<'f> Pragmas<'f> {
    pub(super) fn new(file: &'f Dockerfile<'f>) -> Self {
        let global = comments(file, 0..file.items.len()).filter_map(|comment| {
            let text = command(comment, "hadolint")?.strip_prefix("global")?;
            Some((comment, text.trim_start().strip_prefix("ignore=")?))
        });
        Self { file, global: global.collect() }
    }

    /// Why a fix is not wanted: a comment above an instruction that it concerns says so.
    pub(super) fn skips(&self, fix: &Fix) -> Option<String> {
        let file = self.file;
        let first = file.items.partition_point(|item| item.span().end <= fix.span.start);
        let after = file.items.partition_point(|item| item.span().start < fix.span.end);
        let touched = (first..after).filter(|&at| file.items[at].instruction().is_some());
        let rules = RULES.iter().find(|(id, _)| *id == fix.transform).map_or(&[][..], |(_, rules)| rules);
        for at in touched {
            for comment in comments(file, first_attached(file, at)..at) {
                let own = directive(comment).filter(|(word, _)| *word == "skip").and_then(|(_, ids)| ids);
                if own.is_some_and(|ids| lists(ids, &[fix.transform])) {
                    return Some(format!("the comment `{comment}` says so"));
                }
                let ignored = command(comment, "hadolint").and_then(|text| text.strip_prefix("ignore="));
                if ignored.is_some_and(|ids| lists(ids, rules)) {
                    return Some(format!("the comment `{comment}` says so"));
                }
            }
        }
        let (comment, _) = self.global.iter().find(|(_, ids)| lists(ids, rules))?;
        Some(format!("the comment `{comment}` says so"))
    }
}

fn comments<'f>(file: &'f Dockerfile<'_>, items: std::ops::Range<usize>) -> impl Iterator<Item = &'f str> {
    file.items[items].iter().filter_map(|item| match item {
        Item::Comment(span) => Some(file.text[span.range()].trim()),
        _ => None,
    })
}

/// What a comment tells dockeropt: `skip` and what follows the sign in `# dockeropt: skip=merge-run`.
fn directive(comment: &str) -> Option<(&str, Option<&str>)> {
    let text = command(comment, "dockeropt:")?;
    let end = text.find(['=', ' ', '\t', '#']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    Some((word, rest.trim_start().strip_prefix('=')))
}

/// What a comment tells a tool, which may be in any letter case: `skip-file` in `# dockeropt: skip-file`.
fn command<'c>(comment: &'c str, tool: &str) -> Option<&'c str> {
    let text = comment.trim_start_matches('#').trim_start();
    let name = text.get(..tool.len())?;
    name.eq_ignore_ascii_case(tool).then(|| text[tool.len()..].trim())
}

/// Whether a list like `DL3008, DL3015 # why` names one of `names`.
fn lists(ids: &str, names: &[&str]) -> bool {
    let ids = ids.split('#').next().unwrap_or_default();
    ids.split([',', ' ']).any(|id| names.contains(&id.trim()))
}
