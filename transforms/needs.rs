//! What of a full image a stage uses that a lighter one lacks.

use std::collections::BTreeSet;
use std::ops::Range;

use dockeropt_facts::base_contents::{Contents, Owner};
use dockeropt_facts::command::{Call, Managed, call};
use dockeropt_facts::native::{Ecosystem, Native};
use dockeropt_facts::node_lock::scripted_packages;
use dockeropt_facts::requirements::Requirements;
use dockeropt_facts::ruby_lock::gems;
use dockeropt_facts::shell_state::visit;
use dockeropt_facts::tables::{Class, Manager, Verb};
use dockeropt_facts::{Action, Body, Project, Run, Stage, Step};
use dockeropt_syntax::shell::{self, Joiner, JoinerKind, List};
use dockeropt_syntax::{Keyword, LogicalSpan};

use crate::refusal::Refusal;
use crate::sources::source_of;
use crate::{Context, bundler};

/// What a stage needs that the slim image lacks.
pub(crate) struct Needs<'c, 'k> {
    context: Context<'c>,
    full: &'k Contents<'k>,
    light: &'k Contents<'k>,
    /// The version of the image's language, as its tag has it: `3.10`.
    version: &'k str,
    /// The scripts that may be run.
    scripts: Vec<&'c str>,
    /// The packages to install by name, sorted.
    found: BTreeSet<String>,
    /// The packages that the stage has installed itself so far, and needs no other install for.
    installed: BTreeSet<String>,
    /// Of these, the packages that it also needs.
    used: BTreeSet<String>,
    /// What the step that is looked at installs, and where in it.
    installs: Vec<(LogicalSpan, String)>,
}

impl<'c, 'k> Needs<'c, 'k> {
    /// The packages that a stage needs, in the order of their names.
    pub(crate) fn of(
        context: Context<'c>,
        stage: &Stage,
        contents: (&'k Contents<'k>, &'k Contents<'k>),
        version: &'k str,
    ) -> Result<Vec<String>, Refusal<'c>> {
        let mut numbers: Vec<usize> = stage.steps.clone().collect();
        // What starts from the stage has its base, too.
        let mut children = stage.children.clone();
        while let Some(child) = children.pop() {
            let child = &context.facts.stages[child];
            numbers.extend(child.steps.clone());
            children.extend(&child.children);
        }
        // What is copied from another stage needs what was installed there.
        let mut from = numbers.iter().flat_map(|&at| sources(context, at)).collect::<Vec<_>>();
        while let Some(stage) = from.pop() {
            let steps = context.facts.stages[stage].steps.clone();
            if !numbers.contains(&steps.start) {
                from.extend(steps.clone().flat_map(|at| sources(context, at)));
                numbers.extend(steps.filter(|&at| installs_for_a_language(&context.facts.steps[at])));
            }
        }
        let scripts = context.project().into_iter().flat_map(Project::scripts).map(|(_, text)| text);
        let own = stage.steps.clone();
        Self::of_steps(context, &numbers, own, &scripts.collect::<Vec<_>>(), contents, version)
    }

    /// The packages that some steps and scripts need, in the order of their names. What those of the steps that
    /// are in `own` have installed before needs no other install.
    pub(crate) fn of_steps(
        context: Context<'c>,
        numbers: &[usize],
        own: Range<usize>,
        scripts: &[&'c str],
        (full, light): (&'k Contents<'k>, &'k Contents<'k>),
        version: &'k str,
    ) -> Result<Vec<String>, Refusal<'c>> {
        let (found, installed, used, installs) = Default::default();
        let scripts = scripts.to_vec();
        let mut needs = Self { context, full, light, version, scripts, found, installed, used, installs };
        for &number in numbers {
            let step = &context.facts.steps[number];
            needs.installs = if own.contains(&number) { own_installs(step) } else { Vec::new() };
            needs.step(step)?;
        }
        needs.scripts();
        needs.companions();
        Ok(needs.without_dependencies())
    }

    fn step(&mut self, step: &'c Step<'c>) -> Result<(), Refusal<'c>> {
        let keyword = step.instruction.keyword();
        match &step.action {
            Action::Run(run) => match &run.body {
                Body::Script(list) => self.list(step, list, &step.instruction.logical.text),
                Body::Heredoc { text, script } => self.list(step, script, text),
                _ => Err(Refusal::at(step, "the RUN at line {line} is not modelled")),
            },
            _ if keyword == Keyword::Onbuild => {
                Err(Refusal::at(step, "the ONBUILD at line {line} runs in another build"))
            }
            _ if matches!(
                keyword,
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Shell
            ) =>
            {
                self.words(step.instruction.arguments());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn list(&mut self, step: &'c Step<'c>, list: &'c List<'c>, text: &str) -> Result<(), Refusal<'c>> {
        let mut result = Ok(());
        visit(list, &mut |simple| {
            if result.is_err() || simple.words.is_empty() {
                return;
            }
            result = match call(simple) {
                Some(call) => self.call(step, &call, text),
                None => Err(Refusal::at(step, "the RUN at line {line} calls a program by a variable")),
            };
            let installed = self.installs.extract_if(.., |(span, _)| *span == simple.span);
            self.installed.extend(installed.map(|(_, package)| package));
        });
        result
    }

    fn call(&mut self, step: &'c Step<'c>, call: &Call<'_, '_>, text: &str) -> Result<(), Refusal<'c>> {
        if call.sudo {
            self.program("sudo");
        }
        self.program(call.program);
        if let Some(managed) = &call.managed {
            return match (managed.manager, managed.verb) {
                (manager, _) if manager.is_system() => match needs_folders(call, self.full.release) {
                    Some(package) => Err(Refusal::at(
                        step,
                        format!(
                            "{package}, which line {{line}} installs, sets up pages of the manual, which slim images lack"
                        ),
                    )),
                    None => Ok(()),
                },
                (Manager::Pip, Verb::Install) => self.pip(step, call),
                (Manager::Npm | Manager::Yarn, Verb::Install) => self.node(step, call),
                (Manager::Gem, Verb::Install) if bundler::is_installed(call) => Ok(()),
                (Manager::Gem | Manager::Composer | Manager::Conda, _) => {
                    let reason = "it is not known what the packages that line {line} installs need";
                    Err(Refusal::at(step, reason))
                }
                _ => Ok(()),
            };
        }
        match call.class() {
            Some(Class::Build) if bundler::is_called(call) => return self.bundle(step, call),
            Some(Class::Shell) => {
                for word in call.arguments().flatten().filter(|word| !word.starts_with('-')) {
                    match shell::parse(word, LogicalSpan::new(0, word.len())) {
                        Ok(_) if word.contains(' ') => self.words(word),
                        _ => return self.script(step, word),
                    }
                }
                return Ok(());
            }
            Some(Class::Build) => {
                let program = call.program;
                let reason = format!("it is not known what {program} needs, which line {{line}} builds with");
                return Err(Refusal::at(step, reason));
            }
            Some(Class::Provision) => {
                return Err(Refusal::at(step, "line {line} sets up the system in its own way"));
            }
            None if call.by_path => {
                let path = call.simple.words[call.at].literal().unwrap_or_default();
                return self.script(step, path);
            }
            _ => {}
        }
        // `xargs git`, `find -exec file`, `env make`
        self.words(&text[call.simple.span.range()]);
        Ok(())
    }

    /// A script that is run by its path: it must be one that the project has.
    fn script(&mut self, step: &'c Step<'c>, path: &str) -> Result<(), Refusal<'c>> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ends = |path: &str| path.strip_suffix(name).is_some_and(|it| it.is_empty() || it.ends_with('/'));
        let is_read =
            self.context.project().into_iter().flat_map(Project::scripts).any(|(path, _)| ends(path));
        let is_system = path.starts_with("/usr/") || path.starts_with("/bin/") || path.starts_with("/sbin/");
        if is_read {
            // It finds what is installed so far.
            self.scripts();
            return Ok(());
        }
        if is_system && self.full.program(name).is_some() {
            return Ok(());
        }
        Err(Refusal::at(step, format!("line {{line}} runs {name}, which can't be read")))
    }

    /// Any word of a script may be a program.
    fn scripts(&mut self) {
        let scripts = std::mem::take(&mut self.scripts);
        scripts.iter().for_each(|text| self.words(text));
        self.scripts = scripts;
    }

    /// Any word of a text may be a program.
    fn words(&mut self, text: &str) {
        for word in text.split(|c: char| !(c.is_alphanumeric() || "_+-./".contains(c))) {
            let name = word.rsplit('/').next().unwrap_or(word);
            let is_plain = name == word || word.starts_with("/usr/") || word.starts_with("/bin/");
            if is_plain && name.len() > 1 {
                self.program(name);
            }
        }
    }

    fn program(&mut self, name: &str) {
        if self.light.program(name).is_none()
            && let Some(Owner::Package(package)) = self.full.program(name)
        {
            self.need(package);
        }
    }

    fn package(&mut self, name: &str) {
        if !self.light.has(name) {
            self.need(name);
        }
    }

    fn need(&mut self, package: &str) {
        let set = if self.installed.contains(package) { &mut self.used } else { &mut self.found };
        set.insert(package.to_owned());
    }

    fn pip(&mut self, step: &'c Step<'c>, call: &Call<'_, '_>) -> Result<(), Refusal<'c>> {
        let Some(managed) = &call.managed else { return Ok(()) };
        let unreadable = || Refusal::at(step, "the requirements that line {line} installs can't be read");
        let literal = |at: usize| call.simple.words[at].literal().ok_or_else(unreadable);
        let mut requirements = Requirements::default();
        for &at in &managed.operands {
            requirements.add(literal(at)?);
        }
        for &(at, value) in &managed.options {
            if matches!(literal(at)?.split('=').next(), Some("-e" | "--editable")) {
                return Err(unknown(step, "a project in a folder"));
            }
            let Some((option, file)) = requirements_option(literal(at)?, value.map(literal).transpose()?)
            else {
                continue;
            };
            let project = self.context.project().ok_or_else(unreadable)?;
            let path = source_of(self.context, step, file).ok_or_else(unreadable)?;
            match option {
                "-c" => {}
                _ => requirements.add_file(project, &path, &mut BTreeSet::new()),
            }
        }
        if let Some(other) = requirements.others.first().or(requirements.missing.first()) {
            return Err(unknown(step, other));
        }
        for requirement in &requirements.projects {
            let version = requirement.version.as_deref();
            let release = self.full.release;
            let native = self.context.knowledge.python(&requirement.name, version, self.version, release);
            self.native(step, &requirement.name, native)?;
        }
        Ok(())
    }

    fn node(&mut self, step: &'c Step<'c>, call: &Call<'_, '_>) -> Result<(), Refusal<'c>> {
        let Some(managed) = &call.managed else { return Ok(()) };
        let mut names: Vec<String> = Vec::new();
        for &at in &managed.operands {
            let word = call.simple.words[at].literal().ok_or_else(|| unknown(step, "a package"))?;
            let name = word.rfind('@').filter(|&at| at > 0).map_or(word, |at| &word[..at]);
            names.push(name.to_owned());
        }
        if managed.operands.is_empty() {
            let manifest = "package.json";
            let project = self.context.project().ok_or_else(|| unknown(step, manifest))?;
            let path = source_of(self.context, step, manifest).ok_or_else(|| unknown(step, manifest))?;
            let beside = |name: &str| path.replace(manifest, name);
            let lock = ["package-lock.json", "npm-shrinkwrap.json"];
            let lock = lock.iter().find_map(|name| project.text(&beside(name)));
            names = lock.and_then(scripted_packages).ok_or_else(|| unknown(step, manifest))?;
        }
        for name in names {
            let native = self.context.knowledge.native(Ecosystem::Node, &name, None, self.full.release);
            self.native(step, &name, native)?;
        }
        Ok(())
    }

    /// What Bundler does: it installs the gems of a lock file, notes settings, or runs a task of which it is known
    /// what it is for.
    fn bundle(&mut self, step: &'c Step<'c>, call: &Call<'_, '_>) -> Result<(), Refusal<'c>> {
        match call.arguments().next() {
            None | Some(Some("install")) => {}
            Some(Some("config")) => return Ok(()),
            _ if bundler::is_precompile(call) => return Ok(()),
            _ => {
                let reason = "it is not known what bundle needs, which line {line} builds with";
                return Err(Refusal::at(step, reason));
            }
        }
        // Then gems are compiled of which there is one that is compiled already.
        if self.context.memo.contains("force_ruby_platform")
            || self.context.memo.contains("FORCE_RUBY_PLATFORM")
        {
            return Err(Refusal::at(step, "line {line} compiles gems of which there are compiled ones"));
        }
        let lock = "Gemfile.lock";
        let project = self.context.project().ok_or_else(|| unknown(step, lock))?;
        let path = source_of(self.context, step, lock).ok_or_else(|| unknown(step, lock))?;
        let gems = project.text(&path).and_then(gems).ok_or_else(|| unknown(step, lock))?;
        for gem in &gems {
            let native = self.context.knowledge.gem(gem, self.full.release);
            self.native(step, gem.name, native)?;
        }
        // It reads the system's time zones, unless it has its own.
        let has = |name: &str| gems.iter().any(|gem| gem.name == name);
        if has("tzinfo") && !has("tzinfo-data") {
            self.package("tzdata");
        }
        Ok(())
    }

    /// What a package of a language needs, to be built and to run.
    fn native(&mut self, step: &'c Step<'c>, name: &str, native: Native) -> Result<(), Refusal<'c>> {
        let needs = match native {
            Native::Ready(needs) | Native::Fetched(needs) | Native::Compiled(needs) => needs,
            Native::Unknown => return Err(unknown(step, name)),
        };
        for package in needs.build.into_iter().chain(needs.run) {
            self.package(package);
        }
        Ok(())
    }

    /// The packages without the libraries that others of them bring.
    fn without_dependencies(&self) -> Vec<String> {
        let brought = |package: &String| {
            let others = self.found.iter().chain(&self.used).filter(|other| *other != package);
            let others: Vec<&str> = others.map(String::as_str).collect();
            let present = |name: &str| self.light.has(name);
            let install = self.context.knowledge.install(self.full.release, &others, &present);
            let is_library = package.starts_with("lib") && !package.ends_with("-dev");
            is_library && install.is_ok_and(|install| install.packages.contains(package.as_str()))
        };
        self.found.iter().filter(|package| !brought(package)).cloned().collect()
    }

    /// What some packages are of little use without.
    fn companions(&mut self) {
        let needs = |needs: &Self, name: &str| needs.found.contains(name) || needs.used.contains(name);
        if ["curl", "wget", "git"].iter().any(|name| needs(self, name)) {
            self.package("ca-certificates");
        }
        let mut all = self.found.iter().chain(&self.used);
        let has_headers = all.any(|name| name.ends_with("-dev") || name == "g++");
        if needs(self, "gcc") && !has_headers {
            self.package("libc6-dev");
        }
    }
}

/// The stages that a step copies from.
fn sources(context: Context<'_>, at: usize) -> Option<usize> {
    let step = &context.facts.steps[at];
    match &step.action {
        Action::Copy(copy) => context.facts.stage_named(copy.from.as_deref()?, step.stage?),
        _ => None,
    }
}

/// The packages of the distribution that a RUN installs in any case, by name, and where in it.
fn own_installs(step: &Step<'_>) -> Vec<(LogicalSpan, String)> {
    let Some(list) = step.run().and_then(Run::editable) else { return Vec::new() };
    let is_and = |joiner: Joiner| joiner.kind == JoinerKind::And;
    if !list.entries.iter().all(|entry| entry.joiner.is_none_or(is_and)) {
        return Vec::new();
    }
    let mut installs = Vec::new();
    for simple in list.entries.iter().filter_map(|entry| entry.pipeline.simple()) {
        let managed = call(simple).and_then(|call| call.managed);
        let is_install = |it: &Managed| it.manager == Manager::Apt && it.verb == Verb::Install;
        let Some(managed) = managed.filter(is_install) else { continue };
        let names = managed.operands.iter().filter_map(|&at| simple.words[at].literal());
        let names = names.map(|name| name.split('=').next().unwrap_or(name).to_owned());
        installs.extend(names.map(|name| (simple.span, name)));
    }
    installs
}

fn installs_for_a_language(step: &Step<'_>) -> bool {
    let Some((list, _)) = step.run().and_then(|run| run.script(step.instruction)) else { return false };
    let mut installs = false;
    visit(list, &mut |simple| {
        let Some(call) = call(simple) else { return };
        let managed = call.managed.as_ref();
        installs |= managed.is_some_and(|it| !it.manager.is_system() && it.verb == Verb::Install);
        installs |= bundler::is_called(&call);
    });
    installs
}

/// A package whose setup makes links in the folders of the manual, which slim images don't have.
fn needs_folders(call: &Call<'_, '_>, release: &str) -> Option<String> {
    const STARTS: [&str; 4] = ["openjdk-", "default-jre", "default-jdk", "postgresql"];
    // Since Debian 12 the client makes the folders itself; tried in bookworm.
    let makes_them =
        |name: &str| name.starts_with("postgresql-client") && matches!(release, "bookworm" | "trixie");
    let operands = call.managed.as_ref()?.operands.iter();
    let mut names = operands.filter_map(|&at| call.simple.words[at].literal());
    let lacks = |name: &&str| STARTS.iter().any(|start| name.starts_with(start)) && !makes_them(name);
    names.find(lacks).map(str::to_owned)
}

fn unknown<'c>(step: &'c Step<'c>, what: &str) -> Refusal<'c> {
    Refusal::at(step, format!("it is not known what {what} needs, which line {{line}} installs"))
}

/// `-r FILE`, `--requirement=FILE`, `-rFILE` and the same for constraints: the short option and the file.
fn requirements_option<'t>(option: &'t str, value: Option<&'t str>) -> Option<(&'static str, &'t str)> {
    let (name, own) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None if option.starts_with("--") => (option, None),
        // More than a letter: the value is part of the word.
        None => match option.split_at_checked(2) {
            Some((name, value)) if !value.is_empty() => (name, Some(value)),
            _ => (option, None),
        },
    };
    let short = match name {
        "-r" | "--requirement" => "-r",
        "-c" | "--constraint" => "-c",
        _ => return None,
    };
    Some((short, own.or(value)?))
}
