//! Comments that tell dockeropt or hadolint to leave something alone.

use dockeropt_syntax::rewriter::first_attached;
use dockeropt_syntax::{Dockerfile, Item};
use dockeropt_transforms::Fix;

/// hadolint's rules that a transform answers to.
const RULES: [(&str, &[&str]); 4] = [
    ("merge-run", &["DL3059"]),
    ("clean-package-cache", &["DL3009", "DL3019", "DL3032", "DL3036", "DL3040", "DL3042", "DL3060"]),
    ("no-recommends", &["DL3015"]),
    ("copy-after-install", &[]),
];

/// Whether a comment asks to leave the whole file alone.
pub(super) fn skips_file(file: &Dockerfile<'_>) -> bool {
    comments(file, 0..file.items.len()).any(|comment| command(comment, "dockeropt:") == Some("skip-file"))
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
                let own = command(comment, "dockeropt:").and_then(|text| text.strip_prefix("skip="));
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

/// What a comment tells a tool: `skip-file` in `# dockeropt: skip-file`.
fn command<'c>(comment: &'c str, tool: &str) -> Option<&'c str> {
    let text = comment.trim_start_matches('#').trim_start();
    text.strip_prefix(tool).map(str::trim)
}

/// Whether a list like `DL3008, DL3015 # why` names one of `names`.
fn lists(ids: &str, names: &[&str]) -> bool {
    let ids = ids.split('#').next().unwrap_or_default();
    ids.split([',', ' ']).any(|id| names.contains(&id.trim()))
}
