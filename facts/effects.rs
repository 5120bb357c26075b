//! Which paths a step may read and write, and which environment names it may read.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use dockeropt_syntax::shell::{Content, JoinerKind, List, Part, Pipeline, Simple, Word};

use crate::command::{Call, call};
use crate::facts::Copy;
use crate::shell_state::{has_only_simple_commands, visit, visit_pipeline};
use crate::tables::{Class, Manager, Verb, rows};
use crate::usage::{alternatives, pattern};
use crate::value::{Value, absolute, clean};

/// A set of paths, as prefixes: `/app` stands for all that lies below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Every path there is.
    pub everything: bool,
    /// All that the packages of a distribution may own or look at.
    pub system: bool,
    /// These.
    pub paths: Vec<String>,
}

/// What a step may read and write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// What it may read.
    pub reads: Reach,
    /// What it may write.
    pub writes: Reach,
}

impl Reach {
    /// Every path there is.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// One path and what lies below it.
    pub fn path(path: &str) -> Self {
        Self { paths: vec![resolve(path)], ..Self::default() }
    }

    /// Whether a path may be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let empty = |reach: &Self| !reach.everything && !reach.system && reach.paths.is_empty();
        if empty(self) || empty(other) {
            return false;
        }
        if self.everything || other.everything || (self.system && other.system) {
            return true;
        }
        let meets_system = |reach: &Self| reach.paths.iter().any(|path| !is_private(path));
        (self.system && meets_system(other))
            || (other.system && meets_system(self))
            || self
                .paths
                .iter()
                .any(|path| other.paths.iter().any(|other| within(path, other) || within(other, path)))
    }

    fn add(&mut self, other: Self) {
        self.everything |= other.everything;
        self.system |= other.system;
        self.paths.extend(other.paths);
    }

    fn add_value(&mut self, path: &Value) {
        match path.text() {
            Some(path) => self.paths.push(resolve(path)),
            None => self.everything = true,
        }
    }
}

impl Effects {
    /// The effects of what is not known.
    pub fn unknown() -> Self {
        Self { reads: Reach::everything(), writes: Reach::everything() }
    }

    /// Whether two steps may change places: neither writes what the other reads or writes.
    pub fn independent(&self, other: &Self) -> bool {
        !self.writes.overlaps(&other.writes)
            && !self.writes.overlaps(&other.reads)
            && !self.reads.overlaps(&other.writes)
    }

    fn both(&mut self, reach: Reach) {
        self.reads.add(reach.clone());
        self.writes.add(reach);
    }
}

/// Whether a path is `folder` or lies below it.
pub fn within(path: &str, folder: &str) -> bool {
    folder == "/" || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a COPY writes. With an owner, the folders above its destination that are missing get it, too.
pub fn written_by_copy(copy: &Copy) -> Reach {
    let owned = copy.flags.iter().any(|flag| flag.text().is_none_or(|flag| flag.starts_with("--chown=")));
    let made = |path: &str| if owned { Reach::path(&made_with(path)) } else { Reach::path(path) };
    copy.destination.text().map_or_else(Reach::everything, made)
}

/// What a WORKDIR writes. The folders above that are missing get the same owner.
pub fn written_by_workdir(path: &Value, is_root: bool) -> Reach {
    let made = |path: &str| if is_root { Reach::path(path) } else { Reach::path(&made_with(path)) };
    path.text().map_or_else(Reach::everything, made)
}

/// The folder that may be made, with the path below it, when a path is: the first on the way that is none
/// of the system's own.
fn made_with(path: &str) -> String {
    let path = resolve(path);
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    let on_the_way = ends.map(|end| &path[..end]).find(|folder| !folders().system.contains(folder));
    on_the_way.unwrap_or(&path).to_owned()
}

struct Folders {
    system: Vec<&'static str>,
    private: Vec<&'static str>,
    links: Vec<(&'static str, &'static str)>,
}

fn folders() -> &'static Folders {
    static TABLE: OnceLock<Folders> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Folders { system: Vec::new(), private: Vec::new(), links: Vec::new() };
        for row in rows(include_str!("data/paths.tsv")) {
            match row[..] {
                ["system", path] => table.system.push(path),
                ["private", path] => table.private.push(path),
                ["link", path, target] => table.links.push((path, target)),
                _ => {}
            }
        }
        table
    })
}

/// A clean path with the links of official images followed.
pub fn resolve(path: &str) -> String {
    let path = clean(path);
    let link = folders().links.iter().find(|(link, _)| within(&path, link));
    link.map_or(path.clone(), |(link, target)| format!("{target}{}", &path[link.len()..]))
}

/// Whether no package of a distribution owns the path, or reads or writes below it.
pub fn is_private(path: &str) -> bool {
    let table = folders();
    path.len() > 1
        && (table.private.iter().any(|folder| within(path, folder))
            || !table.system.iter().any(|folder| within(path, folder)))
}

/// What a script may read and write when it runs in `folder`. `text` is what its spans are places in.
pub fn of_script(list: &List<'_>, text: &str, folder: &Value) -> Effects {
    let mut effects = Effects::default();
    let mut folder = Some(folder.clone()).filter(|_| only_plain_cds(list));
    visit(list, &mut |simple| {
        effects_of_simple(simple, text, folder.as_ref(), &mut effects);
        if let Some(call) = call(simple)
            && matches!(call.program, "cd" | "pushd" | "popd")
        {
            let target = call.arguments().next().flatten();
            folder = match (target, &folder) {
                (Some(target), _) if target.starts_with('/') => Some(Value::known(clean(target))),
                (Some(target), Some(folder)) if call.program == "cd" && target != "-" => {
                    Some(absolute(folder, &Value::known(target)))
                }
                _ => None,
            };
        }
    });
    effects
}

/// Whether every `cd` of a script is a command of its only `&&` list, so that it can be followed.
fn only_plain_cds(list: &List<'_>) -> bool {
    let is_cd = |simple: &Simple<'_>| matches!(simple.name(), Some("cd" | "pushd" | "popd"));
    let mut all = 0;
    visit(list, &mut |simple| all += usize::from(is_cd(simple)));
    let plain = list.entries.iter().filter(|entry| entry.pipeline.simple().is_some_and(is_cd)).count();
    let and_list =
        list.entries.iter().all(|entry| entry.joiner.is_none_or(|joiner| joiner.kind == JoinerKind::And));
    all == 0 || (all == plain && and_list)
}

/// What one command may read and write when it runs in `folder`; `None` if that is not known.
pub fn effects_of_simple(simple: &Simple<'_>, text: &str, folder: Option<&Value>, effects: &mut Effects) {
    let words = simple.words.iter().chain(simple.assignments.iter().map(|assignment| &assignment.value));
    for word in words {
        effects_of_word(word, text, folder, effects);
    }
    for redirection in &simple.redirections {
        let descriptor = matches!(redirection.operator, ">&" | "<&")
            && redirection
                .target
                .literal()
                .is_some_and(|target| target.chars().all(|c| c.is_ascii_digit() || c == '-'));
        if !descriptor && !matches!(redirection.operator, "<<<" | "<<" | "<<-") {
            effects.both(reach_of_word(&redirection.target, text, folder));
        }
    }
    if simple.words.is_empty() {
        return;
    }
    match call(simple) {
        Some(call) => effects_of_call(&call, text, folder, effects),
        None => *effects = Effects::unknown(),
    }
}

/// The commands that are substituted in a word.
fn effects_of_word(word: &Word<'_>, text: &str, folder: Option<&Value>, effects: &mut Effects) {
    let Content::Parts(parts) = &word.content else { return };
    for part in parts {
        match part {
            Part::Command { list: Some(list), .. } => {
                visit(list, &mut |simple| effects_of_simple(simple, text, folder, effects));
            }
            Part::Command { list: None, .. } => *effects = Effects::unknown(),
            _ => {}
        }
    }
}

/// The paths that a word may name.
fn reach_of_word(word: &Word<'_>, text: &str, folder: Option<&Value>) -> Reach {
    let Some(pattern) = pattern(word, text) else { return Reach::everything() };
    let mut reach = Reach::default();
    for path in alternatives(&pattern) {
        let fixed = path.split(['*', '?', '[']).next().unwrap_or_default();
        let fixed = if fixed.len() < path.len() {
            fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
        } else {
            fixed
        };
        let fixed = if fixed.is_empty() && path.starts_with('/') { "/" } else { fixed };
        if fixed.starts_with('~') {
            reach.paths.extend(["/root".to_owned(), "/home".to_owned()]);
        } else if fixed.starts_with('/') {
            reach.paths.push(resolve(fixed));
        } else {
            match folder {
                Some(folder) => reach.add_value(&absolute(folder, &Value::known(fixed))),
                None => reach.everything = true,
            }
        }
    }
    reach
}

fn reach_of_arguments(call: &Call<'_, '_>, text: &str, folder: Option<&Value>) -> Reach {
    let mut reach = Reach::default();
    for word in &call.simple.words[call.at + 1..] {
        match word.literal() {
            Some(option) if option.starts_with('-') => {
                if let Some(slash) = option.find('/') {
                    reach.paths.push(resolve(&option[slash..]));
                }
            }
            Some(address) if address.contains("://") => {}
            _ => reach.add(reach_of_word(word, text, folder)),
        }
    }
    reach
}

/// The folders in which paths lie.
fn beside(named: &Reach) -> Reach {
    let above = |path: &String| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let paths = named.paths.iter().map(above).map(|path| if path.is_empty() { "/".to_owned() } else { path });
    Reach { paths: paths.collect(), ..named.clone() }
}

/// Whether one of a call's options has one of the letters, or is the long name, with a value or without.
fn has_option(call: &Call<'_, '_>, letters: &[char], long: &str) -> bool {
    call.arguments().flatten().any(|word| match word.strip_prefix("--") {
        Some(name) => name.split('=').next() == Some(long),
        None => word.strip_prefix('-').is_some_and(|short| short.contains(letters)),
    })
}

/// Whether what a command overwrites gets another name beside it: `cp -b`, `sed -i.old`.
fn keeps_what_was_there(call: &Call<'_, '_>) -> bool {
    match call.program {
        "cp" | "mv" | "install" | "ln" => {
            has_option(call, &['b', 'S'], "backup") || has_option(call, &[], "suffix")
        }
        "sed" => call.arguments().flatten().any(|word| {
            word.strip_prefix("-i").is_some_and(|suffix| !suffix.is_empty())
                || word.starts_with("--in-place=")
        }),
        _ => false,
    }
}

/// Whether a command writes what its words don't name: a user's home that a file names, the folders above,
/// a file that a script of sed names.
fn goes_beyond_its_words(call: &Call<'_, '_>) -> bool {
    match call.program {
        "rmdir" => has_option(call, &['p'], "parents"),
        "sed" => call.arguments().any(|word| word.is_none_or(may_write)),
        "usermod" => has_option(call, &['m'], "move-home"),
        "userdel" => has_option(call, &['r'], "remove"),
        "deluser" => has_option(call, &[], "remove-home") || has_option(call, &[], "remove-all-files"),
        "newusers" => true,
        _ => false,
    }
}

/// Whether a script of sed may hold `w file`, as a command or a flag of `s`.
fn may_write(script: &str) -> bool {
    script.match_indices(['w', 'W']).any(|(at, _)| {
        let before = script[..at].chars().next_back();
        script[at + 1..].starts_with(' ')
            && before.is_none_or(|it| !it.is_alphabetic() || "gpiImM".contains(it))
    })
}

/// Whether dpkg or rpm install what lies in a file: a project's own package may put files anywhere.
fn installs_files(call: &Call<'_, '_>) -> bool {
    match call.program {
        "dpkg" => has_option(call, &['i'], "install") || has_option(call, &[], "unpack"),
        "rpm" => {
            let queries = has_option(call, &['q', 'V'], "query");
            !queries && (has_option(call, &['i', 'U', 'F'], "install") || has_option(call, &[], "upgrade"))
        }
        _ => false,
    }
}

fn effects_of_call(call: &Call<'_, '_>, text: &str, folder: Option<&Value>, effects: &mut Effects) {
    let system = || Reach { system: true, ..Reach::default() };
    if call.managed.is_some() {
        return effects.add_manager(call, folder);
    }
    let builtin = matches!(
        call.program,
        "echo" | "printf" | "true" | "false" | ":" | "cd" | "export" | "set" | "unset" | "umask" | "exit"
    );
    if !builtin || call.by_path {
        // The program itself comes from a package, and so do the names of users.
        effects.reads.add(system());
    }
    match call.class() {
        Some(Class::Quiet) => match call.program {
            "echo" | "printf" | "true" | "false" | ":" | "date" | "uname" | "sleep" | "seq" | "nproc"
            | "expr" => {}
            // find may delete and run.
            "find" => *effects = Effects::unknown(),
            _ => {
                effects.reads.add(reach_of_arguments(call, text, folder));
                match folder {
                    Some(folder) => effects.reads.add_value(folder),
                    None => effects.reads.everything = true,
                }
            }
        },
        Some(Class::Paths | Class::Beside | Class::Account) if goes_beyond_its_words(call) => {
            *effects = Effects::unknown();
        }
        Some(class @ (Class::Paths | Class::Beside | Class::SystemBeside)) => {
            let named = reach_of_arguments(call, text, folder);
            if class != Class::Paths || keeps_what_was_there(call) {
                effects.both(beside(&named));
            }
            if class == Class::SystemBeside {
                effects.both(system());
            }
            effects.both(named);
            let options = call.arguments().flatten().filter(|word| word.starts_with('-'));
            let elsewhere = options.into_iter().any(|option| option.contains('=') || option == "-t");
            // These write into the working folder, or where an option says.
            if elsewhere || matches!(call.program, "patch" | "split" | "ln") {
                match folder {
                    Some(folder) => {
                        effects.reads.add_value(folder);
                        effects.writes.add_value(folder);
                    }
                    None => *effects = Effects::unknown(),
                }
            }
        }
        Some(Class::Fetch) => {
            effects.reads.add(system());
            effects.both(Reach { paths: vec!["/root".to_owned()], ..Reach::default() });
            effects.both(reach_of_arguments(call, text, folder));
            // `git config --system`
            if call.arguments().any(|word| word == Some("--system")) {
                effects.both(system());
            }
            match folder {
                Some(folder) => {
                    effects.reads.add_value(folder);
                    effects.writes.add_value(folder);
                }
                None => *effects = Effects::unknown(),
            }
        }
        Some(Class::System) if installs_files(call) => *effects = Effects::unknown(),
        Some(class @ (Class::Account | Class::System | Class::AptIndex | Class::OwnUpdate)) => {
            effects.both(system());
            effects.both(reach_of_arguments(call, text, folder));
            // mk-build-deps makes a package in the working folder.
            if let Some(folder) = folder.filter(|_| class == Class::AptIndex) {
                effects.reads.add_value(folder);
                effects.writes.add_value(folder);
            }
        }
        Some(Class::Service | Class::Build | Class::Provision | Class::Shell) => {
            *effects = Effects::unknown();
        }
        None if matches!(call.program, "cd" | "export" | "set" | "unset" | "umask" | "exit") => {}
        None => *effects = Effects::unknown(),
    }
}

impl Effects {
    fn add_manager(&mut self, call: &Call<'_, '_>, folder: Option<&Value>) {
        let Some(managed) = &call.managed else { return };
        let words = &call.simple.words;
        let literal = managed.operands.iter().all(|&at| words[at].literal().is_some());
        let options_known = managed.options.iter().all(|&(at, value)| {
            words[at].literal().is_some() && value.is_none_or(|value| words[value].literal().is_some())
        });
        let redirects = [
            "-c",
            "--config-file",
            "--installroot",
            "--root",
            "-p",
            "--prefix",
            "--dbpath",
            "-t",
            "--target",
        ];
        let elsewhere = match managed.manager {
            Manager::Apt => {
                managed.has_option(call.simple, &["-c", "--config-file"])
                    || words.iter().any(|word| {
                        word.literal().is_some_and(|word| word.contains("Dir::") || word.starts_with("-oDir"))
                    })
            }
            Manager::Apk => managed.has_option(call.simple, &["-p", "--root"]),
            _ => managed.has_option(call.simple, &redirects),
        };
        let by_project_path = call.by_path
            && !["/usr/", "/bin/", "/sbin/"]
                .iter()
                .any(|at| words[call.at].literal().is_some_and(|word| word.starts_with(at)));
        let verb = managed.verb_at.and_then(|at| words[at].literal());
        // These write into the working folder.
        let into_folder = matches!(
            verb,
            Some("source" | "download" | "changelog" | "fetch" | "wheel" | "source-install" | "si")
        );
        let names_path = managed.options.iter().any(|&(at, value)| {
            let option = words[at].literal().unwrap_or_default();
            let setting = value.and_then(|value| words[value].literal());
            let setting = setting.or_else(|| option.split_once('=').map(|(_, setting)| setting));
            setting.is_some_and(|setting| setting.starts_with(['/', '.', '~']))
        });
        if managed.verb == Verb::Other
            || !options_known
            || elsewhere
            || by_project_path
            || into_folder
            || names_path
        {
            *self = Self::unknown();
            return;
        }
        let reach = Reach { system: true, paths: vec!["/root".to_owned()], ..Reach::default() };
        // Those that ask take locks and fill caches, too.
        self.both(reach);
        if managed.manager.is_system() {
            if managed.verb == Verb::Install && !literal {
                *self = Self::unknown();
            }
            // A package may be a file, ./x.deb: a project's own may put files anywhere.
            let is_file = |word: &str| {
                (word.contains('/') || word.starts_with('.') || word.ends_with(".deb"))
                    && !word.contains("://")
            };
            if managed.operands.iter().any(|&at| words[at].literal().is_some_and(is_file)) {
                *self = Self::unknown();
            }
            return;
        }
        // The project's own managers read the working folder, but for packages that are named.
        let names = |at: &usize| words[*at].literal().is_some_and(is_package_name);
        let by_name = managed.verb == Verb::Install
            && !managed.operands.is_empty()
            && managed.operands.iter().all(names)
            && !managed.has_option(
                call.simple,
                &[
                    "-r",
                    "--requirement",
                    "-c",
                    "--constraint",
                    "-e",
                    "--editable",
                    "-f",
                    "--find-links",
                    "--src",
                    "--root",
                    "--user",
                ],
            );
        match managed.manager {
            // `python -m pip` looks for modules in the working folder first.
            Manager::Pip if by_name && call.program.starts_with("pip") => {}
            Manager::Pip if by_name => match folder {
                Some(folder) => self.reads.add_value(folder),
                None => self.reads.everything = true,
            },
            Manager::Npm if by_name && managed.has_option(call.simple, &["-g", "--global"]) => match folder {
                Some(folder) => self.reads.add_value(folder),
                None => self.reads.everything = true,
            },
            _ => *self = Self::unknown(),
        }
    }
}

/// Whether a word names a package of a registry: no path, no address, no archive.
fn is_package_name(word: &str) -> bool {
    let scoped = word.starts_with('@') && word.matches('/').count() == 1;
    !word.starts_with(['.', '/', '~'])
        && (scoped || !word.contains('/'))
        && !word.contains("://")
        && ![".whl", ".tar.gz", ".tgz", ".zip"].iter().any(|end| word.ends_with(end))
}

/// The environment names that a command may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentReads {
    /// All of them.
    All,
    /// Those of the table and these.
    Some(Vec<String>),
}

impl EnvironmentReads {
    /// Whether a name may be read.
    pub fn may_read(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.iter().any(|known| known == name) || is_commonly_read(name),
        }
    }
}

/// Whether modelled programs may read a name.
pub fn is_commonly_read(name: &str) -> bool {
    static TABLE: OnceLock<(FxHashSet<&'static str>, Vec<&'static str>)> = OnceLock::new();
    let (names, starts) = TABLE.get_or_init(|| {
        let rows = || rows(include_str!("data/environment.tsv")).map(|row| row[0]);
        let names = rows().filter(|name| !name.ends_with('*')).collect();
        (names, rows().filter_map(|name| name.strip_suffix('*')).collect())
    });
    names.contains(name) || starts.iter().any(|start| name.starts_with(start))
}

/// Whether a variable may tell a package manager of a file by a name that is relative to the working
/// folder: `PIP_CONSTRAINT=constraints.txt`.
pub fn may_name_relative_file(name: &str, value: &str) -> bool {
    const OF_MANAGERS: [&str; 8] =
        ["PIP_", "APT_", "NPM_CONFIG_", "npm_config_", "BUNDLE_", "CONDA", "GEM", "COMPOSER"];
    let is_name = value.contains(['.', '/']) && !value.starts_with('/') && !value.contains("://");
    let is_number = value.chars().all(|c| c.is_ascii_digit() || c == '.');
    OF_MANAGERS.iter().any(|start| name.starts_with(start)) && is_name && !is_number
}

/// Whether a script reads the names of files in the working folder, or gives a package manager such a
/// name in a variable.
pub fn names_files_relatively(list: &List<'_>) -> bool {
    let mut found = false;
    visit(list, &mut |simple| {
        found |= simple.words.iter().any(|word| match &word.content {
            Content::Literal(_) => false,
            Content::Parts(parts) => {
                let absolute = matches!(parts.first(), Some(Part::Text(text)) if text.starts_with('/'));
                !absolute && parts.iter().any(|part| matches!(part, Part::Glob(_)))
            }
        });
        let exported = simple.words.iter().filter_map(|word| word.literal()?.split_once('='));
        let assigned = simple.assignments.iter().filter_map(|it| Some((it.name, it.value.literal()?)));
        found |= assigned.chain(exported).any(|(name, value)| may_name_relative_file(name, value));
    });
    found
}

/// The environment names that a script may read.
pub fn environment_of_script(list: &List<'_>) -> EnvironmentReads {
    environment_of_pipelines(list.entries.iter().map(|entry| &entry.pipeline))
}

/// The environment names that some pipelines may read.
pub(crate) fn environment_of_pipelines<'p, 't: 'p>(
    pipelines: impl Iterator<Item = &'p Pipeline<'t>>,
) -> EnvironmentReads {
    let mut names = Some(Vec::new());
    for pipeline in pipelines {
        // The words of control structures are not looked at.
        if !has_only_simple_commands(pipeline) {
            return EnvironmentReads::All;
        }
        visit_pipeline(pipeline, &mut |simple| environment_of_simple(simple, &mut names));
    }
    names.map_or(EnvironmentReads::All, EnvironmentReads::Some)
}

/// `env`, `jq -n env.NAME`, `test -v NAME`
fn reads_any_name(call: &Call<'_, '_>) -> bool {
    matches!(call.program, "env" | "printenv" | "jq")
        || (matches!(call.program, "test" | "[") && call.arguments().any(|word| word == Some("-v")))
}

fn environment_of_simple(simple: &Simple<'_>, names: &mut Option<Vec<String>>) {
    let targets = simple.redirections.iter().map(|redirection| &redirection.target);
    let values = simple.assignments.iter().map(|assignment| &assignment.value);
    for word in simple.words.iter().chain(values).chain(targets) {
        let Content::Parts(parts) = &word.content else { continue };
        for part in parts {
            match part {
                Part::Parameter { name, operation: "", .. } => {
                    names.iter_mut().for_each(|names| names.push((*name).to_owned()));
                }
                Part::Parameter { .. } | Part::Arithmetic(_) | Part::Command { list: None, .. } => {
                    *names = None
                }
                Part::Command { list: Some(list), .. } => {
                    visit(list, &mut |simple| environment_of_simple(simple, names))
                }
                _ => {}
            }
        }
    }
    if simple.words.is_empty() {
        return;
    }
    let modelled = call(simple).is_some_and(|call| match &call.managed {
        // What a manager of a language builds may read any name.
        Some(managed) => managed.manager.is_system(),
        None => match call.class() {
            Some(Class::Quiet) => !reads_any_name(&call),
            Some(Class::Paths | Class::Account) => true,
            _ => call.program == "cd",
        },
    });
    if !modelled {
        *names = None;
    }
}
