//! Where in an image the files lie that a Dockerfile brings from the build context.

use std::path::{Path, PathBuf};

use dockeropt_facts::claim::Claim;
use dockeropt_facts::context_check::context_path;
use dockeropt_facts::effects::{is_private, within};
use dockeropt_facts::{Action, Step};

/// What lies where a Dockerfile copies files to, and must stay whatever else a claim replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    copies: Vec<Copied>,
    /// What a split takes from the stage that builds, if there is a split.
    carried: Option<Vec<String>>,
}

/// A COPY from the build context to somewhere else than folders of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Copied {
    /// Paths in the context.
    sources: Vec<String>,
    to: String,
    /// Whether the image of the rewrite has it.
    stays: bool,
}

impl Brought {
    /// What the steps of a Dockerfile bring, and those of its rewrite.
    pub(super) fn of(before: &[Step<'_>], after: &[Step<'_>], claims: &[Claim]) -> Self {
        let split = claims.iter().find_map(|claim| match claim {
            Claim::Split(split) => Some(split.carried.clone()),
            _ => None,
        });
        let last = after.last().and_then(|step| step.stage);
        let left: Vec<Copied> = after.iter().filter(|step| step.stage == last).filter_map(copied).collect();
        let mut copies: Vec<Copied> = before.iter().filter_map(copied).collect();
        for copy in &mut copies {
            copy.stays = split.is_none() || left.contains(copy);
        }
        Self { copies, carried: split }
    }

    /// Whether what lies at a path must stay. In a stage that builds more files are made beside those that are
    /// brought: what is gone must be in the context.
    pub(super) fn must_stay(&self, path: &str, is_gone: bool, context: &Path) -> bool {
        let mut here = self.copies.iter().filter(|copy| within(path, &copy.to)).peekable();
        let Some(carried) = self.carried.as_ref().filter(|_| is_gone) else { return here.peek().is_some() };
        here.peek().is_some() && carried.iter().any(|folder| within(path, folder))
            || here.any(|copy| copy.stays && copy.origins(path).iter().any(|it| context.join(it).exists()))
    }
}

impl Copied {
    /// Where in the context a path may come from.
    fn origins(&self, path: &str) -> Vec<PathBuf> {
        let below = path.strip_prefix(self.to.as_str()).unwrap_or_default().trim_start_matches('/');
        let origin = |source: &String| {
            let (above, name) = source.rsplit_once('/').unwrap_or(("", source));
            let is_pattern = name.contains(['*', '?', '[']);
            let named = (is_pattern || below == name).then(|| Path::new(above).join(below));
            let inside = (!is_pattern).then(|| match below {
                "" => PathBuf::from(source),
                below => Path::new(source).join(below),
            });
            [named, inside].into_iter().flatten().collect::<Vec<_>>()
        };
        self.sources.iter().flat_map(origin).collect()
    }
}

fn copied(step: &Step<'_>) -> Option<Copied> {
    let Action::Copy(copy) = &step.action else { return None };
    let to = copy.destination.text().filter(|path| copy.from.is_none() && is_private(path))?;
    let sources = copy.sources.iter().filter_map(|source| context_path(source.text()?)).collect();
    Some(Copied { sources, to: to.trim_end_matches('/').to_owned(), stays: true })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use dockeropt_facts::Facts;
    use dockeropt_facts::reshape::Split;
    use dockeropt_syntax::parse;

    use super::*;

    #[test]
    fn what_a_builder_makes_may_be_gone_and_what_the_context_brings_not() {
        let context = tempfile::tempdir().unwrap();
        fs::create_dir_all(context.path().join("src")).unwrap();
        for name in ["words.txt", "src/main.rs"] {
            fs::write(context.path().join(name), "").unwrap();
        }
        let before = parse("FROM a\nWORKDIR /app\nCOPY . .\nRUN make\n");
        let same = parse("FROM a AS b\nWORKDIR /app\nCOPY . .\nRUN make\nFROM c\nWORKDIR /app\nCOPY . .\n");
        let less =
            parse("FROM a AS b\nWORKDIR /app\nCOPY . .\nRUN make\nFROM c\nCOPY --from=b /app/x /app/x\n");
        let words = parse("FROM a AS b\nCOPY . /app\nFROM c\nCOPY w*.txt src /app/\n");
        let split = Claim::Split(Split { carried: vec!["/app/x".to_owned()], ..Split::default() });
        let must_stay = |(before, after): (_, _), claims: &[Claim], path: &str, is_gone: bool| {
            let brought = Brought::of(&Facts::new(before).steps, &Facts::new(after).steps, claims);
            brought.must_stay(path, is_gone, context.path())
        };
        let splits = &[split][..];
        for (files, claims, path, is_gone, stays) in [
            ((&before, &before), &[][..], "/app/target/x", true, true),
            ((&before, &before), &[], "/srv/x", true, false),
            ((&before, &same), splits, "/app/target/x", true, false),
            ((&before, &same), splits, "/app/target/x", false, true),
            ((&before, &same), splits, "/app/words.txt", true, true),
            ((&before, &same), splits, "/app/src/main.rs", true, true),
            ((&before, &same), splits, "/app/x", true, true),
            ((&before, &less), splits, "/app/src/main.rs", true, false),
            ((&words, &words), splits, "/app/words.txt", true, true),
            ((&words, &words), splits, "/app/main.rs", true, true),
            ((&words, &words), splits, "/app/other.txt", true, false),
        ] {
            assert_eq!(must_stay(files, claims, path, is_gone), stays, "{path}");
        }
    }
}
