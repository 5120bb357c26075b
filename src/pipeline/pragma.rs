//! Comments that tell dockeropt or hadolint to leave something alone.

use dockeropt_syntax::rewriter::first_attached;
use dockeropt_syntax::{Dockerfile, Item, nearest};
use dockeropt_transforms::{ALL, Fix};

/// The rules of linters that a transform answers to.
struct Rules {
    transform: &'static str,
    hadolint: &'static [&'static str],
    /// The checks of BuildKit, as `docker build --check` names them.
    buildkit: &'static [&'static str],
}

const RULES: [Rules; 4] = [
    Rules { transform: "merge-run", hadolint: &["DL3059"], buildkit: &[] },
    Rules {
        transform: "clean-package-cache",
        hadolint: &["DL3009", "DL3019", "DL3032", "DL3036", "DL3040", "DL3042", "DL3060"],
        buildkit: &[],
    },
    Rules { transform: "no-recommends", hadolint: &["DL3015"], buildkit: &[] },
    Rules { transform: "copy-after-install", hadolint: &[], buildkit: &[] },
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
    let names = || ALL.iter().map(|transform| transform.meta().id);
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
        let answers = RULES.iter().find(|rules| rules.transform == fix.transform);
        let rules = answers.map_or(&[][..], |rules| rules.hadolint);
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
        if let Some((comment, _)) = self.global.iter().find(|(_, ids)| lists(ids, rules)) {
            return Some(format!("the comment `{comment}` says so"));
        }
        let directive = skips_check(file, answers.map_or(&[], |rules| rules.buildkit))?;
        Some(format!("the directive `{directive}` says so"))
    }
}

/// The directive `# check=skip=RuleA,RuleB;error=true` that turns off one of BuildKit's checks.
fn skips_check<'f>(file: &'f Dockerfile<'_>, checks: &[&str]) -> Option<&'f str> {
    // Directives stand above everything else.
    file.items
        .iter()
        .map_while(|item| if let Item::Directive(directive) = item { Some(directive) } else { None })
        .find_map(|directive| {
            let skips = |option: &str| {
                let named = option.trim().strip_prefix("skip=")?;
                let mut names = named.split(',').map(str::trim);
                names.any(|name| checks.contains(&name) || name == "all" && !checks.is_empty()).then_some(())
            };
            let is_check = directive.name.eq_ignore_ascii_case("check");
            let found = is_check && directive.value.split(';').any(|option| skips(option).is_some());
            found.then(|| file.text[directive.span.range()].trim())
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use dockeropt_syntax::parse;

    #[test]
    fn checks_of_buildkit_are_turned_off_by_a_directive() {
        for (text, wanted) in [
            ("# check=skip=CasingA,CasingB\nFROM a\n", true),
            ("# syntax=docker/dockerfile:1\n# CHECK = error=true; skip = CasingB\nFROM a\n", false),
            ("# check=error=true;skip=CasingB\nFROM a\n", true),
            ("# check=skip=all\nFROM a\n", true),
            ("# check=skip=Other\nFROM a\n", false),
            ("# check=error=true\nFROM a\n", false),
            ("FROM a\n# check=skip=CasingB\n", false),
        ] {
            assert_eq!(skips_check(&parse(text), &["CasingB", "C"]).is_some(), wanted, "{text}");
            assert_eq!(skips_check(&parse(text), &[]), None, "{text}");
        }
    }
}
