//! Which packages of a distribution the last stage needs.

use dockeropt_facts::Step;
use dockeropt_facts::bases::base;
use dockeropt_facts::command::call;
use dockeropt_facts::dev_runtime::Use;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::{JoinerKind, Simple};

use super::{Refusal, Subject};

/// What of the packages that a build installs the last stage has.
#[derive(Debug, Default)]
pub(super) struct Sorting {
    /// The packages that it installs.
    pub(super) kept: Vec<String>,
    /// The packages that only the builder has.
    pub(super) left: Vec<String>,
    /// How many bytes the image loses, if that is known.
    pub(super) saves: Option<i64>,
    /// Whether there are tables of the releases that the base may be. If not, only packages are sorted that have
    /// the same name in all of ours.
    pub(super) is_known: bool,
}

/// What is assumed of a release without a table.
pub(super) const OTHER_RELEASE: Option<&str> =
    Some("the libraries have the names in its release that they have in Debian 11, 12 and 13");

/// The releases of which there are tables.
const TABLES: [&str; 3] = ["bullseye", "bookworm", "trixie"];

/// The commands of a RUN that is a plain `&&` list of simple commands without flags.
pub(super) fn commands<'c>(step: &'c Step<'c>) -> Option<Vec<&'c Simple<'c>>> {
    let run = step.run().filter(|run| run.flags.is_empty())?;
    let list = run.editable()?;
    let and = |kind: JoinerKind| matches!(kind, JoinerKind::And);
    let plain = list.entries.iter().all(|entry| entry.joiner.is_none_or(|joiner| and(joiner.kind)));
    list.entries.iter().map(|entry| entry.pipeline.simple()).collect::<Option<Vec<_>>>().filter(|_| plain)
}

/// The packages that a command of apt installs by name; `None` if it is no command of apt, or does
/// something else than to install, update and clean up.
pub(super) fn apt_packages<'c>(step: &'c Step<'c>, simple: &'c Simple<'c>) -> Option<Vec<&'c str>> {
    let call = call(simple)?;
    if call.program == "rm" {
        let text = &step.instruction.logical.text;
        let removed = simple.words[call.at + 1..].iter().map(|word| &text[word.span.range()]);
        let mut paths = removed.filter(|word| !word.starts_with('-'));
        return paths.all(is_leftover).then(Vec::new);
    }
    let managed = call.managed.as_ref().filter(|managed| managed.manager == Manager::Apt)?;
    match managed.verb {
        Verb::Update | Verb::Clean => Some(Vec::new()),
        Verb::Install if managed.options.iter().all(|&(at, _)| is_usual(simple.words[at].literal())) => {
            let packages = managed.operands.iter().map(|&at| simple.words[at].literal());
            packages.collect::<Option<Vec<_>>>().filter(|all| all.iter().all(|it| is_name(it)))
        }
        _ => None,
    }
}

/// The packages that RUNs install by apt.
pub(super) fn packages<'c>(steps: &'c [Step<'c>]) -> Vec<&'c str> {
    let commands =
        steps.iter().flat_map(|step| commands(step).into_iter().flatten().map(move |it| (step, it)));
    commands.filter_map(|(step, simple)| apt_packages(step, simple)).flatten().collect()
}

/// Whether an option of an install changes nothing of what is installed, but for what is recommended.
fn is_usual(option: Option<&str>) -> bool {
    const USUAL: [&str; 15] = [
        "--assume-yes",
        "--fix-missing",
        "--force-yes",
        "--no-install-recommends",
        "--no-install-suggests",
        "--quiet",
        "--yes",
        "-f",
        "-q",
        "-qq",
        "-qqy",
        "-qy",
        "-y",
        "-yq",
        "-yqq",
    ];
    option.is_some_and(|option| USUAL.contains(&option))
}

/// Whether a word is a package by its name alone, or with a version.
fn is_name(word: &str) -> bool {
    !word.is_empty() && !word.contains(['/', ':', '*', '$']) && !word.ends_with(['-', '+'])
        || matches!(word, "g++" | "libstdc++-dev")
}

fn is_leftover(path: &str) -> bool {
    ["/var/lib/apt/lists", "/var/cache/apt", "/tmp/", "/var/tmp/", "/root/.cache", "~/.cache"]
        .iter()
        .any(|start| path.starts_with(start))
}

impl<'c> Subject<'c> {
    /// Refuses if a step installs by apt where there are no package lists.
    pub(super) fn refuse_missing_lists(&self) -> Result<(), Refusal<'c>> {
        let mut has_lists = false;
        for step in self.steps {
            for simple in commands(step).into_iter().flatten() {
                let Some(call) = call(simple) else { continue };
                let text = &step.instruction.logical.text[simple.span.range()];
                has_lists &= call.program != "rm" || !text.contains("/var/lib/apt");
                let managed = call.managed.as_ref().filter(|managed| managed.manager == Manager::Apt);
                match managed.map(|managed| managed.verb) {
                    Some(Verb::Update) => has_lists = true,
                    Some(Verb::Install) if !has_lists => {
                        return Err(Refusal::at(
                            step,
                            "line {line} installs where there are no package lists",
                        ));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Sorts the packages that the builder installs. `cut` is the first step that the last stage has of its
    /// own.
    pub(super) fn sort(&self, packages: &[&'c str], cut: usize) -> Result<Sorting, Refusal<'c>> {
        let releases = base(self.base).map(|image| &image.releases[..]).unwrap_or_default();
        let has_table = |release: &&str| self.context.knowledge.has_packages(release);
        let mut known: Vec<&str> = releases.iter().copied().filter(has_table).collect();
        let is_known = !known.is_empty() && known.len() == releases.len();
        if !is_known {
            known = TABLES.to_vec();
        }
        let Some(newest) = known.last() else { return Ok(Sorting::default()) };
        let mut sorting = Sorting { is_known, ..Sorting::default() };
        for &package in packages {
            let name = package.split('=').next().unwrap_or(package);
            match self.libraries(&known, name)? {
                Some(_) if self.is_called(name, cut) => {
                    return Err(Refusal::new(format!("a program of {name} is called when the program runs")));
                }
                Some(libraries) => {
                    // Two RUNs may install the same.
                    if !sorting.left.iter().any(|left| left == name) {
                        sorting.left.push(name.to_owned());
                    }
                    sorting.kept.extend(libraries);
                }
                None => sorting.kept.push(package.to_owned()),
            }
        }
        sorting.kept.retain(|package| !self.is_present(newest, package));
        sorting.kept.sort();
        sorting.kept.dedup();
        sorting.saves = self.difference(newest, packages, &sorting.kept);
        Ok(sorting)
    }

    /// The libraries that a package is for, if it is needed for building alone; they must have the same
    /// names in all releases that the base may be.
    fn libraries(&self, releases: &[&str], package: &str) -> Result<Option<Vec<String>>, Refusal<'c>> {
        let mut found: Option<Vec<String>> = None;
        for release in releases {
            let knowledge = self.context.knowledge;
            // Whoever calls git or curl is not always seen.
            if knowledge.build_only(package) == Some(Use::Call) {
                return Ok(None);
            }
            let Some(libraries) = knowledge.runtime_of(release, package) else { return Ok(None) };
            let libraries: Vec<String> = libraries.into_iter().map(str::to_owned).collect();
            if found.as_ref().is_some_and(|found| *found != libraries) {
                let reason = format!(
                    "the library of {package} has another name in each release that {} may be",
                    self.base
                );
                return Err(Refusal::new(reason));
            }
            found = Some(libraries);
        }
        Ok(found)
    }

    fn is_present(&self, release: &str, package: &str) -> bool {
        let knowledge = self.context.knowledge;
        knowledge.is_in_base(release, package)
            || knowledge.contents(self.base, release).is_some_and(|contents| contents.has(package))
    }

    fn difference(&self, release: &str, before: &[&str], after: &[String]) -> Option<i64> {
        let size = |packages: &[&str]| {
            let present = |name: &str| self.is_present(release, name);
            let install = self.context.knowledge.install(release, packages, &present).ok()?;
            i64::try_from(install.bytes).ok()
        };
        let names: Vec<&str> = before.iter().map(|it| it.split('=').next().unwrap_or(it)).collect();
        let after: Vec<&str> = after.iter().map(|it| it.split('=').next().unwrap_or(it)).collect();
        Some(size(&names)? - size(&after)?)
    }

    /// Whether what the last stage runs calls a program of a package.
    fn is_called(&self, package: &str, cut: usize) -> bool {
        let owns = |word: &str| {
            let name = word.rsplit('/').next().unwrap_or(word);
            !name.is_empty() && self.context.knowledge.owners(name).any(|owner| owner == package)
        };
        let calls = |text: &str| text.split(|c: char| !is_part_of_name(c)).any(owns);
        let starts = |step: &&Step<'_>| {
            matches!(step.instruction.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck)
        };
        let late = self.steps[cut..].iter().filter(|step| step.run().is_some());
        let own = late.chain(self.steps.iter().filter(starts));
        let scripts = self.context.project().into_iter().flat_map(|project| project.scripts());
        own.map(|step| &step.instruction.logical.text[..]).any(calls)
            || scripts.into_iter().any(|(_, text)| calls(text))
    }
}

fn is_part_of_name(character: char) -> bool {
    character.is_alphanumeric() || "_+-./".contains(character)
}
