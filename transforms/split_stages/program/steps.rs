//! What the steps of a builder do, one by one.

use dockeropt_facts::command::{Call, base_name, call};
use dockeropt_facts::dev_runtime::Use;
use dockeropt_facts::effects::within;
use dockeropt_facts::tables::{Class, Manager, Verb};
use dockeropt_facts::{Action, Copy, Step, Value};
use dockeropt_syntax::Keyword;
use dockeropt_syntax::shell::{Redirection, Simple};

use super::super::packages::{apt_packages, commands, keeps_no_output};
use super::super::placing::accounts;
use super::super::{Refusal, Subject, absolute, calls};
use super::{Language, Made};

/// Where a command of a tool runs.
pub(super) struct Site<'s, 'c> {
    pub(super) subject: &'s Subject<'c>,
    pub(super) step: &'c Step<'c>,
    pub(super) folder: &'s str,
}

impl Site<'_, '_> {
    /// A path as the command sees it.
    pub(super) fn path(&self, path: &str) -> String {
        absolute(self.folder, path)
    }
}

/// Whether a step calls a program that builds.
pub(super) fn calls_tool(step: &Step<'_>, language: &Language) -> bool {
    calls(step, |call| language.tools.contains(&call.program))
}

/// What a builder has at its end.
#[derive(Default)]
pub(super) struct Build<'c> {
    /// The first step that the last stage has of its own.
    pub(super) cut: usize,
    /// Files that it made.
    pub(super) files: Vec<String>,
    /// Folders with programs that it made, and nothing else.
    pub(super) programs: Vec<String>,
    /// Folders that it made.
    pub(super) folders: Vec<String>,
    /// Files that were copied to another place.
    pub(super) copied_on: Vec<String>,
    /// The folder in PATH of its language.
    pub(super) bin: Option<&'static str>,
    /// Whether its packages are Alpine's.
    pub(super) is_apk: bool,
    /// The packages that it installs, by the name under which they can be removed together.
    packages: Vec<(Option<&'c str>, &'c str)>,
    /// The COPYs of which the last stage needs the files.
    copies: Vec<usize>,
}

/// Which packages the last stage has.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) kept: Vec<String>,
    pub(super) left: Vec<String>,
}

impl<'c> Build<'c> {
    pub(super) fn read(subject: &Subject<'c>, language: &Language, cut: usize) -> Result<Self, Refusal<'c>> {
        let mut build = Self { cut, bin: language.bin, ..Self::default() };
        for (number, step) in subject.steps.iter().enumerate().take(cut).skip(1) {
            match &step.action {
                Action::Run(_) if accounts(step).is_some() => {}
                Action::Run(_) => build.run(subject, language, step)?,
                Action::Copy(copy) if copy.from.is_some() => {
                    return Err(Refusal::at(step, "line {line} copies from another image"));
                }
                Action::Copy(copy) => {
                    if copy.destination.text().is_none() {
                        return Err(Refusal::at(step, "it is not known where line {line} copies to"));
                    }
                    if !is_only_source(subject, language, copy) {
                        build.copies.push(number);
                    }
                }
                _ => {}
            }
        }
        // What a later COPY brings again need not be copied twice.
        let steps = subject.steps;
        let all = build.copies.clone();
        build.copies.retain(|&number| {
            let later = all.iter().copied().filter(|&it| it > number).chain(cut..steps.len());
            let Action::Copy(copy) = &steps[number].action else { return false };
            !later.into_iter().any(|later| super::super::placing::covers(&steps[later], copy))
        });
        Ok(build)
    }

    fn run(
        &mut self,
        subject: &Subject<'c>,
        language: &Language,
        step: &'c Step<'c>,
    ) -> Result<(), Refusal<'c>> {
        let other = || Refusal::at(step, "the RUN at line {line} does more than to build the program");
        let Some(all) = commands(step) else { return Err(other()) };
        let is_of_base = step.state.workdir == Value::symbol("WORKDIR");
        let of_base = || subject.folder_of_base(language).filter(|_| is_of_base);
        let known = step.state.workdir.text().map(str::to_owned).or_else(of_base);
        let no_folder = || Refusal::at(step, "it is not known in which folder line {line} runs");
        let mut folder = known.ok_or_else(no_folder);
        for simple in all {
            let call = call(simple).ok_or_else(other)?;
            // What `echo` may write is looked at below.
            let is_kept = call.program == "echo" || keeps_no_output(simple);
            if call.sudo || call.by_path || !is_kept {
                return Err(other());
            }
            if let Some(packages) = apt_packages(step, simple) {
                self.packages.extend(packages.into_iter().map(|name| (None, name)));
                continue;
            }
            if self.apk(simple, &call).ok_or_else(other)? {
                self.is_apk = true;
                continue;
            }
            let folder = folder.as_mut().map_err(|_| no_folder())?;
            if language.tools.contains(&call.program) {
                let place = Site { subject, step, folder };
                match (language.made)(&place, &call).map_err(|reason| Refusal::at(step, reason))? {
                    Made::Nothing => {}
                    Made::File(path) => self.files.push(path),
                    Made::Programs(path) => self.programs.push(path),
                    Made::Folder(path) => self.folders.push(path),
                }
            } else {
                self.file_command(subject, language, (step, &call), folder).ok_or_else(other)?;
            }
        }
        Ok(())
    }

    /// Whether a command is one of apk; `None` if it does something unusual.
    fn apk(&mut self, simple: &'c Simple<'c>, call: &Call<'c, 'c>) -> Option<bool> {
        let Some(managed) = call.managed.as_ref().filter(|managed| managed.manager == Manager::Apk) else {
            return Some(false);
        };
        let operands = managed.operands.iter().map(|&at| simple.words[at].literal());
        let operands: Vec<&str> = operands.collect::<Option<_>>()?;
        match managed.verb {
            Verb::Clean => {}
            Verb::Install => {
                let mut group = None;
                for &(at, value) in &managed.options {
                    match simple.words[at].literal()? {
                        "--virtual" | "-t" => group = Some(simple.words[value?].literal()?),
                        "--no-cache" | "--update" | "--update-cache" | "-U" | "-q" | "--quiet"
                        | "--no-progress" => {}
                        _ => return None,
                    }
                }
                let usual = |name: &&str| name.is_ascii() && !name.contains(['/', '@', '!']);
                // An index that is left would be missing in the last stage.
                if !managed.has_option(simple, &["--no-cache"]) || !operands.iter().all(usual) {
                    return None;
                }
                self.packages.extend(operands.into_iter().map(|name| (group, name)));
            }
            Verb::Remove => {
                let gone = |group: Option<&str>, name: &str| {
                    operands.iter().any(|it| *it == name || Some(*it) == group)
                };
                self.packages.retain(|&(group, name)| !gone(group, name));
            }
            _ => return None,
        }
        Some(true)
    }

    /// A command that makes, moves or removes files; `None` if it isn't one, or can't be followed.
    fn file_command(
        &mut self,
        subject: &Subject<'c>,
        language: &Language,
        (step, call): (&'c Step<'c>, &Call<'c, 'c>),
        folder: &mut String,
    ) -> Option<()> {
        // Patterns are taken as they are written.
        let text = &step.instruction.logical.text;
        let words = call.simple.words[call.at + 1..].iter().map(|word| {
            let written = &text[word.span.range()];
            word.literal().or(Some(written).filter(|it| !it.contains(['$', '`', '"', '\'', '\\', '~', '{'])))
        });
        let words: Vec<&str> = words.collect::<Option<_>>()?;
        let operands: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
        // `echo 'fn main() {}' > src/main.rs`
        let writes_source = |redirection: &Redirection<'_>| {
            let target = redirection.target.literal();
            redirection.operator == ">"
                && target.is_some_and(|path| !path.starts_with('/') && (language.is_source)(path))
        };
        if !call.simple.redirections.iter().all(|it| call.program == "echo" && writes_source(it)) {
            return None;
        }
        match call.program {
            "cd" => {
                let [to] = operands[..] else { return None };
                *folder = absolute(folder, to);
            }
            "chmod" | "strip" | "upx" | "ls" | "echo" | "pwd" | "set" | "true" | "which" => {
                // They change what was built, or nothing.
                let inside = |path: &&str| self.is_made(&absolute(folder, path));
                let files = operands.iter().skip(usize::from(call.program == "chmod"));
                if matches!(call.program, "chmod") && !files.into_iter().all(inside) {
                    return None;
                }
            }
            "mkdir" => {
                let removed = |path: &&str| {
                    ["rm -r ", "rm -rf "].iter().any(|start| text.contains(&format!("{start}{path}")))
                };
                let needed = |path: &&str| {
                    removed(path) || self.is_made_by_others(subject, step, &absolute(folder, path))
                };
                if !operands.iter().all(needed) {
                    return None;
                }
            }
            "cp" | "mv" => {
                let [from, to] = operands[..] else { return None };
                if words
                    .iter()
                    .any(|word| word.starts_with('-') && !matches!(*word, "-f" | "-v" | "-p" | "-a"))
                {
                    return None;
                }
                let from_path = absolute(folder, from);
                if !self.is_made(&from_path) && !from.contains('*') {
                    return None;
                }
                let name = base_name(from);
                // Where the destination is a folder can't always be seen.
                let is_folder =
                    to.ends_with('/') || matches!(to, "." | "..") || is_system_folder(&absolute(folder, to));
                if name.contains('*') && is_folder {
                    return None;
                }
                let made =
                    if is_folder { absolute(folder, &format!("{to}/{name}")) } else { absolute(folder, to) };
                self.files.push(made);
                self.copied_on.push(from_path.clone());
                if call.program == "mv" {
                    self.files.retain(|path| *path != from_path);
                }
            }
            "rm" => {
                for path in operands {
                    let whole = path.strip_suffix("/*").unwrap_or(path);
                    if whole.contains(['*', '?', '[']) {
                        return None;
                    }
                    let gone = absolute(folder, whole);
                    if self.is_partly_removed(subject, &gone) {
                        return None;
                    }
                    let stays = |path: &String| !within(path, &gone);
                    self.files.retain(stays);
                    self.programs.retain(stays);
                    self.folders.retain(stays);
                    self.copies.retain(|&number| match &subject.steps[number].action {
                        Action::Copy(copy) => copy.destination.text().is_some_and(|to| !within(to, &gone)),
                        _ => true,
                    });
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a path is part of what a COPY brought that the last stage would copy again.
    fn is_partly_removed(&self, subject: &Subject<'c>, gone: &str) -> bool {
        self.copies.iter().any(|&number| match &subject.steps[number].action {
            Action::Copy(copy) => copy.destination.text().is_some_and(|to| within(gone, to) && gone != to),
            _ => false,
        })
    }

    /// Whether a path was built.
    pub(super) fn is_made(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.files.iter().any(|it| it == path)
            || self.programs.iter().any(|it| it == parent)
            || self.folders.iter().any(|it| within(path, it))
    }

    /// Whether a folder is one that a COPY, a WORKDIR or a build makes, or is of use to the build alone.
    fn is_made_by_others(&self, subject: &Subject<'c>, step: &Step<'c>, folder: &str) -> bool {
        let later = subject.steps.iter().skip_while(|it| it.line() < step.line());
        let text = &step.instruction.logical.text;
        let makes = |it: &Step<'_>| match &it.action {
            Action::Copy(copy) => copy.destination.text().is_some_and(|to| within(to, folder)),
            Action::Workdir(path) => path.text().is_some_and(|path| within(path, folder)),
            _ => false,
        };
        // `mkdir /out && go build -o /out/x`
        let holds = |path: &str| text.matches(path).count() > 1;
        later.into_iter().any(makes) || within(folder, "/go") || holds(folder)
    }

    /// The packages that it has at its end.
    pub(super) fn packages(&self) -> Vec<&'c str> {
        self.packages.iter().map(|&(_, name)| name).collect()
    }

    pub(super) fn is_copied_again(&self, number: usize) -> bool {
        self.copies.contains(&number)
    }

    /// Whether the last stage has to enter a folder that the builder enters: there is a COPY in it that it has, too,
    /// or what enters the next one starts from it.
    pub(super) fn is_entered_again(&self, subject: &Subject<'c>, number: usize) -> bool {
        let is_workdir = |at: &usize| matches!(subject.steps[*at].action, Action::Workdir(_));
        let is_absolute =
            |step: &Step<'_>| step.instruction.arguments().trim_start_matches(['"', '\'']).starts_with('/');
        let next = (number + 1..self.cut).find(is_workdir);
        if self.copies.iter().any(|at| (number..next.unwrap_or(self.cut)).contains(at)) {
            return true;
        }
        let Some(next) = next else {
            // A WORKDIR of its own may enter another one before anything is done there.
            let own = subject.steps[self.cut..].iter().find(|step| {
                matches!(step.action, Action::Workdir(_) | Action::Run(_) | Action::Copy(_))
                    || step.instruction.keyword() == Keyword::User
            });
            return !own.is_some_and(|step| {
                matches!(step.action, Action::Workdir(_)) && step.instruction.arguments().starts_with('/')
            });
        };
        !is_absolute(&subject.steps[next])
    }

    /// Whether it installs a program of this name by the address of its package: `go install example.com/x/cmd/name@v1`.
    pub(super) fn is_installed(&self, subject: &Subject<'c>, name: &str) -> bool {
        subject.steps[..self.cut].iter().any(|step| {
            let text = &step.instruction.logical.text;
            text.match_indices(name).any(|(at, _)| {
                let rest = &text[at + name.len()..];
                text[..at].ends_with('/')
                    && (rest.starts_with('@') || rest.starts_with("/v") && rest.contains('@'))
            })
        })
    }

    /// Sorts its packages: what is called when the program runs, libraries, and what only builds.
    pub(super) fn sort_packages(
        &self,
        subject: &Subject<'c>,
        release: Option<&str>,
        is_called: &dyn Fn(&str) -> bool,
    ) -> Result<Sorted, Refusal<'c>> {
        const APK_BUILDS: [&str; 9] = [
            "abuild",
            "alpine-sdk",
            "build-base",
            "libc-dev",
            "linux-headers",
            "musl-dev",
            "openssh",
            "openssh-client",
            "pkgconf",
        ];
        let knowledge = subject.context.knowledge;
        let mut sorted = Sorted::default();
        for package in self.packages() {
            let name = package.split(['=', '~', '<', '>']).next().unwrap_or(package);
            let only_builds = knowledge.build_only(name);
            let goes = match only_builds {
                Some(Use::Build) => true,
                Some(Use::Call) => is_called_by_tools(name),
                None => self.is_apk && APK_BUILDS.contains(&name),
            };
            let is_left = goes && !is_called(name);
            if is_left {
                if self.is_apk && matches!(name, "g++" | "build-base" | "alpine-sdk") {
                    sorted.kept.push("libstdc++".to_owned());
                }
                sorted.left.push(name.to_owned());
                continue;
            }
            if only_builds == Some(Use::Build) {
                return Err(Refusal::new(format!("a program of {name} is called when the program runs")));
            }
            let has_table = !self.is_apk && only_builds.is_none();
            match release.filter(|_| has_table).and_then(|release| knowledge.runtime_of(release, name)) {
                Some(libraries) => {
                    sorted.left.push(name.to_owned());
                    sorted.kept.extend(libraries.into_iter().map(str::to_owned));
                }
                None if name.ends_with("-dev") => {
                    return Err(Refusal::new(format!("it is not known which library {name} is for")));
                }
                None => sorted.kept.push(package.to_owned()),
            }
        }
        Ok(sorted)
    }
}

/// Whether what fetches sources may call the programs of a package. Others of those that can be called were installed
/// for the program: no step of a build that is understood calls them.
fn is_called_by_tools(package: &str) -> bool {
    package.starts_with("openssh")
        || matches!(
            package,
            "apt-transport-https"
                | "apt-utils"
                | "bash-completion"
                | "bzip2"
                | "dirmngr"
                | "git"
                | "git-lfs"
                | "gnupg"
                | "gnupg2"
                | "mercurial"
                | "subversion"
                | "xz-utils"
        )
}

/// Whether a path is a folder of every image.
fn is_system_folder(path: &str) -> bool {
    matches!(
        path,
        "/" | "/bin"
            | "/sbin"
            | "/usr/bin"
            | "/usr/sbin"
            | "/usr/local/bin"
            | "/usr/local/sbin"
            | "/tmp"
            | "/opt"
    )
}

/// Whether all that a COPY brings is of use to those who build alone.
fn is_only_source(subject: &Subject<'_>, language: &Language, copy: &Copy) -> bool {
    if copy.heredoc {
        return false;
    }
    copy.sources.iter().all(|source| {
        let Some(source) = source.text() else { return false };
        let source = source.trim_start_matches("./").trim_matches('/');
        let source = if source == "." { "" } else { source };
        if !source.is_empty() && (language.is_source)(source) {
            return true;
        }
        let Some(project) = subject.context.project().filter(|project| !project.is_partial) else {
            return false;
        };
        if source.contains(['*', '?', '[']) {
            return false;
        }
        if project.has_file(source) {
            return (language.is_source)(source);
        }
        let mut files = project.below(source).filter(|(path, entry)| {
            entry.kind != dockeropt_facts::project::EntryKind::Folder && project.is_sent(path)
                || entry.skipped > 0 && project.is_sent(path)
        });
        files.all(|(path, _)| (language.is_source)(path))
    })
}

/// What stands behind the last dot of a name.
pub(super) fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// Files beside the sources of any language that nobody reads when a program runs.
pub(super) fn is_beside(path: &str) -> bool {
    let name = base_name(path);
    let starts = [
        "Dockerfile",
        "docker-compose",
        "compose.",
        "README",
        "LICENSE",
        "LICENCE",
        "CHANGELOG",
        "CONTRIBUTING",
        "Makefile",
        ".git",
        ".golangci",
        ".travis",
        ".editorconfig",
        ".dockerignore",
        ".codecov",
    ];
    path.split('/').any(|part| matches!(part, ".git" | ".github" | ".circleci" | ".idea" | ".vscode"))
        || starts.iter().any(|start| name.starts_with(start))
        || name.ends_with(".md")
}

/// Whether a command only changes files, users, or nothing.
pub(super) fn is_plain(call: &Call<'_, '_>) -> bool {
    matches!(call.class(), Some(Class::Quiet | Class::Paths | Class::Account))
}
