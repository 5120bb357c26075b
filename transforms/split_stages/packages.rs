//! Which packages of a distribution the last stage needs.

use std::cell::LazyCell;

use dockeropt_facts::Step;
use dockeropt_facts::bases::base;
use dockeropt_facts::command::{Call, base_name, call};
use dockeropt_facts::dev_runtime::Use;
use dockeropt_facts::recommends::{Asked, Present, without_recommends};
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::{Manager, Verb};
use dockeropt_syntax::shell::{JoinerKind, List, Simple};

use super::{Refusal, Subject, is_start};

/// What of the packages that a build installs the last stage has.
#[derive(Debug, Default)]
pub(super) struct Sorting {
    /// The packages that it installs.
    pub(super) kept: Vec<String>,
    /// The packages that only the builder has.
    pub(super) left: Vec<String>,
    /// How many bytes the image loses, if that is known.
    pub(super) saves: Option<i64>,
    /// The newest of the releases that the base may be.
    newest: String,
    /// The libraries of the packages that only the builder has.
    libraries_of_left: Vec<String>,
    /// Whether there are tables of the releases that the base may be. If not, only packages are sorted that have
    /// the same name in all of ours.
    pub(super) is_known: bool,
}

/// A stage more is not worth less than this, in bytes.
pub(super) const LEAST: i64 = 5_000_000;

/// What is assumed of a release without a table.
pub(super) const OTHER_RELEASE: Option<&str> =
    Some("the libraries have the names in its release that they have in Debian 11, 12 and 13");

/// The releases of which there are tables.
const TABLES: [&str; 3] = ["bullseye", "bookworm", "trixie"];

/// The commands of a RUN without flags that is a plain list of simple commands, without those that only set how the
/// shell goes on.
pub(super) fn commands<'c>(step: &'c Step<'c>) -> Option<Vec<&'c Simple<'c>>> {
    let run = step.run().filter(|run| run.flags.is_empty())?;
    let list = run.editable().filter(|list| is_plain(list))?;
    let all = list.entries.iter().map(|entry| entry.pipeline.simple()).collect::<Option<Vec<_>>>()?;
    Some(all.into_iter().filter(|simple| !sets_options(simple)).collect())
}

/// Whether each command of a list runs behind the one before it, if it runs.
pub(super) fn is_plain(list: &List<'_>) -> bool {
    let follows =
        |kind: JoinerKind| matches!(kind, JoinerKind::And | JoinerKind::Semicolon | JoinerKind::Newline);
    list.entries.iter().all(|entry| entry.joiner.is_none_or(|joiner| follows(joiner.kind)))
}

/// `set -eux`
pub(super) fn sets_options(simple: &Simple<'_>) -> bool {
    let words: Option<Vec<&str>> = simple.words.iter().map(|word| word.literal()).collect();
    words.is_some_and(|words| {
        words.split_first().is_some_and(|(program, options)| {
            *program == "set"
                && !options.is_empty()
                && options.iter().all(|it| it.starts_with(['-', '+']) || *it == "pipefail")
        })
    })
}

/// The words behind the program of a call, as they are written.
pub(super) fn words<'c>(step: &'c Step<'c>, call: &Call<'_, '_>) -> Vec<&'c str> {
    let text = &step.instruction.logical.text;
    call.simple.words[call.at + 1..].iter().map(|word| &text[word.span.range()]).collect()
}

/// Whether a command writes no file by a redirection: it would stay in the builder.
pub(super) fn keeps_no_output(simple: &Simple<'_>) -> bool {
    simple.redirections.iter().all(|redirection| {
        let target = redirection.target.literal();
        matches!(redirection.operator, ">&" | "<" | "<<<" | "<<" | "<<-")
            && (redirection.operator != ">&" || target.is_some_and(|it| it.parse::<u8>().is_ok()))
            || target == Some("/dev/null")
    })
}

/// The packages that a command of apt installs by name; `None` if it is no command of apt, or does
/// something else than to install, update and clean up.
pub(super) fn apt_packages<'c>(step: &'c Step<'c>, simple: &'c Simple<'c>) -> Option<Vec<&'c str>> {
    let call = call(simple).filter(|_| keeps_no_output(simple))?;
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
    !word.is_empty() && word.is_ascii() && !word.contains(['/', ':', '*', '$']) && !word.ends_with(['-', '+'])
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

    /// Refuses if a step behind the builder installs by apt and relies on lists that the builder fetched.
    pub(super) fn refuse_late_installs(&self, cut: usize) -> Result<(), Refusal<'c>> {
        let mut has_lists = false;
        for step in &self.steps[cut..] {
            let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { continue };
            let mut lacks_lists = false;
            visit(list, &mut |simple| {
                let managed = call(simple).and_then(|call| call.managed);
                match managed.filter(|it| it.manager == Manager::Apt).map(|it| it.verb) {
                    Some(Verb::Update) => has_lists = true,
                    Some(Verb::Install) => lacks_lists |= !has_lists,
                    _ => {}
                }
            });
            if lacks_lists {
                return Err(Refusal::at(
                    step,
                    "line {line} installs from package lists that the builder has",
                ));
            }
        }
        Ok(())
    }

    /// Refuses if another user than root runs something in the builder.
    pub(super) fn refuse_other_users(&self, first: usize, cut: usize) -> Result<(), Refusal<'c>> {
        let mut runs = self.steps[first..cut].iter().filter(|step| step.run().is_some());
        match runs.find(|step| !step.state.is_root()) {
            Some(step) => Err(Refusal::at(step, "packages are installed by another user than root")),
            None => Ok(()),
        }
    }

    /// Sorts the packages that the steps above `cut` install; `None` if nothing of weight would stay behind.
    pub(super) fn sort_if_it_pays(&self, cut: usize) -> Result<Option<Sorting>, Refusal<'c>> {
        self.refuse_missing_lists()?;
        let packages = packages(&self.steps[..cut]);
        if packages.is_empty() {
            return Ok(None);
        }
        let sorting = self.sort(&packages, cut)?;
        let pays = !sorting.left.is_empty() && sorting.saves.is_none_or(|saves| saves >= LEAST);
        Ok(Some(sorting).filter(|_| pays))
    }

    /// Sorts the packages that the builder installs. `cut` is the first step that the last stage has of its
    /// own.
    pub(super) fn sort(&self, packages: &[&'c str], cut: usize) -> Result<Sorting, Refusal<'c>> {
        let mut sorting = self.sort_only(packages, cut)?;
        self.settle(&mut sorting, packages, cut)?;
        Ok(sorting)
    }

    /// The same, without what the packages recommend and what they weigh, which takes longer: see
    /// [`settle`](Self::settle).
    pub(super) fn sort_only(&self, packages: &[&'c str], cut: usize) -> Result<Sorting, Refusal<'c>> {
        let releases = base(self.base).map(|image| &image.releases[..]).unwrap_or_default();
        let has_table = |release: &&str| self.context.knowledge.has_packages(release);
        let mut known: Vec<&str> = releases.iter().copied().filter(has_table).collect();
        let is_known = !known.is_empty() && known.len() == releases.len();
        if !is_known {
            known = TABLES.to_vec();
        }
        let Some(newest) = known.last() else { return Ok(Sorting::default()) };
        let mut sorting = Sorting { is_known, newest: (*newest).to_owned(), ..Sorting::default() };
        for &package in packages {
            let name = package.split('=').next().unwrap_or(package);
            match self.libraries(&known, name)? {
                Some(_) if self.is_called(newest, name, cut) => {
                    return Err(Refusal::new(format!("a program of {name} is called when the program runs")));
                }
                Some(libraries) => {
                    // Two RUNs may install the same.
                    if !sorting.left.iter().any(|left| left == name) {
                        sorting.left.push(name.to_owned());
                    }
                    sorting.libraries_of_left.extend(libraries.clone());
                    sorting.kept.extend(libraries);
                }
                None => sorting.kept.push(package.to_owned()),
            }
        }
        sorting.kept.retain(|package| !self.is_present(newest, package));
        Ok(sorting)
    }

    /// Adds what the packages to keep recommend, and works out how many bytes the image loses.
    pub(super) fn settle(
        &self,
        sorting: &mut Sorting,
        packages: &[&'c str],
        cut: usize,
    ) -> Result<(), Refusal<'c>> {
        let newest = sorting.newest.clone();
        if newest.is_empty() {
            return Ok(());
        }
        self.add_recommended(sorting, &newest, packages, cut)?;
        sorting.kept.sort();
        sorting.kept.dedup();
        if sorting.left.is_empty() {
            return Ok(());
        }
        // Packages that aren't known are in both stages, and weigh the same in both.
        let left: Vec<&str> = sorting.left.iter().map(String::as_str).collect();
        let by_what_is_left = || self.difference(&newest, &left, &sorting.libraries_of_left);
        sorting.saves = self.difference(&newest, packages, &sorting.kept).or_else(by_what_is_left);
        Ok(())
    }

    /// Adds what the packages to keep recommend and the file relies on, if they were installed with what they
    /// recommend: the last stage installs by name only.
    fn add_recommended(
        &self,
        sorting: &mut Sorting,
        release: &str,
        packages: &[&str],
        cut: usize,
    ) -> Result<(), Refusal<'c>> {
        let mut with_recommends = Vec::new();
        for step in &self.steps[..cut] {
            let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { continue };
            visit(list, &mut |simple| {
                let managed = call(simple).and_then(|call| call.managed);
                if let Some(managed) =
                    managed.filter(|it| it.manager == Manager::Apt && it.verb == Verb::Install)
                    && !managed.has_option(simple, &["--no-install-recommends"])
                {
                    let names = managed.operands.iter().filter_map(|&at| simple.words[at].literal());
                    with_recommends.extend(names.map(str::to_owned));
                }
            });
        }
        let text = self.context.facts.file.text;
        if text.contains("APT::Install-Recommends") || !packages.iter().any(|it| has(&with_recommends, it)) {
            return Ok(());
        }
        let kept: Vec<&str> = sorting.kept.iter().map(|it| it.split('=').next().unwrap_or(it)).collect();
        let asked = if sorting.is_known { Asked::Own } else { Asked::Other };
        let recommended =
            without_recommends(&kept, &Present::default(), (release, asked), &|word| self.mentions(word));
        let Some(recommended) = recommended else { return Ok(()) };
        let lost =
            recommended.unknown.iter().chain(&recommended.too_many).find(|it| has(&with_recommends, it));
        if let Some(package) = lost {
            return Err(Refusal::new(format!("`{package}` is installed with what it recommends")));
        }
        let missing = |package: &String| !self.is_present(release, package);
        let mut dropped = recommended.dropped.into_iter().filter(missing).peekable();
        // What is named is there for certain. Of a release without a table it isn't known whether it exists.
        if let Some(package) = dropped.peek().filter(|_| !sorting.is_known) {
            return Err(Refusal::new(format!(
                "`{package}` is installed because another package recommends it"
            )));
        }
        sorting.kept.extend(recommended.named.into_iter().filter(missing).chain(dropped));
        Ok(())
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
                    "the library of `{package}` has another name in each release that `{}` may be",
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

    /// Whether what the last stage runs calls a program of a package, or one of the compilers and their kin that
    /// it brings along: `build-essential` has no program of its own.
    fn is_called(&self, release: &str, package: &str, cut: usize) -> bool {
        const TOOLS: [&str; 11] =
            ["bzip2", "c++", "c89", "c99", "cc", "cpp", "g++", "gcc", "ld", "make", "patch"];
        let present = |name: &str| self.is_present(release, name);
        // What it brings along takes a while to find, and few texts call one of the tools.
        let brought = LazyCell::new(|| {
            let install = self.context.knowledge.install(release, &[package], &present);
            install.map(|install| install.packages).unwrap_or_default()
        });
        let owns = |word: &str| {
            let name = base_name(word);
            let mut owners = self.context.knowledge.owners(name);
            !name.is_empty()
                && owners.any(|owner| owner == package || TOOLS.contains(&name) && brought.contains(owner))
        };
        let calls = |text: &str| text.split(|c: char| !is_part_of_name(c)).any(owns);
        let late = self.steps[cut..].iter().filter(|step| step.run().is_some());
        let own = late.chain(self.steps.iter().filter(|step| is_start(step)));
        // Who calls make when the program runs is found by that.
        let mut scripts = self.scripts().filter(|(path, _)| base_name(path) != "Makefile");
        own.map(|step| &step.instruction.logical.text[..]).any(calls) || scripts.any(|(_, text)| calls(text))
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|it| it == name)
}

fn is_part_of_name(character: char) -> bool {
    character.is_alphanumeric() || "_+-./".contains(character)
}
