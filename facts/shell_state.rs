//! What a script leaves behind in its shell for the commands after it.

use dockeropt_syntax::shell::{
    Command, CompoundKind, Content, Entry, JoinerKind, List, Part, Pipeline, Simple, Word,
};

use crate::command::call;
use crate::state::State;
use crate::trace::may_be_exported;

/// A trace that a command leaves in the shell that runs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leak {
    /// The working folder.
    Folder,
    /// A variable of this name.
    Variable(String),
    /// Something else: options, traps, jobs, functions, the end of the script ...; its name.
    Other(String),
}

impl Leak {
    /// What it is, for a message.
    pub fn describe(&self) -> String {
        match self {
            Self::Folder => "it changes the working folder".to_owned(),
            Self::Variable(name) => format!("it sets the variable {name}"),
            Self::Other(name) => format!("it uses `{name}`, which acts on the commands after it"),
        }
    }
}

/// What a script leaves behind in the shell that runs it.
pub fn leaks(list: &List<'_>) -> Vec<Leak> {
    let mut found = Vec::new();
    leaks_of_list(list, &mut found);
    found
}

/// What a pipeline leaves behind for the rest of its RUN.
pub fn leaks_of_pipeline(pipeline: &Pipeline<'_>, found: &mut Vec<Leak>) {
    leaks_in_the_shell(pipeline, found);
    leaks_beyond_the_shell(pipeline, found);
}

/// What a pipeline leaves behind in the shell that runs it.
pub fn leaks_in_the_shell(pipeline: &Pipeline<'_>, found: &mut Vec<Leak>) {
    // The commands of a longer pipeline run in shells of their own.
    if let [command] = &pipeline.commands[..] {
        match command {
            Command::Simple(simple) => leaks_of_simple(simple, found),
            Command::Compound(compound) => leaks_of_compound(&compound.kind, found),
        }
    }
}

/// What a pipeline leaves behind for the rest of its RUN, whichever shell does it: jobs, daemons, and
/// files that BuildKit mounts anew for every RUN.
pub fn leaks_beyond_the_shell(pipeline: &Pipeline<'_>, found: &mut Vec<Leak>) {
    if pipeline.commands.iter().any(has_job) {
        found.push(Leak::Other("&".to_owned()));
    }
    visit_pipeline(pipeline, &mut |simple| {
        let values = simple.assignments.iter().map(|assignment| &assignment.value);
        let targets = simple.redirections.iter().map(|redirection| &redirection.target);
        for word in simple.words.iter().chain(values).chain(targets) {
            found.extend(fresh_path(word).map(|path| Leak::Other(path.to_owned())));
        }
        if let Some(call) = call(simple)
            && (DAEMONS.contains(&call.program)
                || simple.words[call.at].literal().is_some_and(|word| word.starts_with("/etc/init.d/")))
        {
            found.push(Leak::Other(call.program.to_owned()));
        }
    });
    for command in &pipeline.commands {
        redirections_of(command, &mut |word| {
            found.extend(fresh_path(word).map(|path| Leak::Other(path.to_owned())));
        });
    }
}

/// What BuildKit mounts anew for every RUN.
const FRESH: [&str; 6] =
    ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/dev/shm", "/dev/mqueue", "/proc/sys"];

/// Programs that start a daemon and return: it lives until its RUN ends.
const DAEMONS: [&str; 24] = [
    "service",
    "systemctl",
    "invoke-rc.d",
    "rc-service",
    "pg_ctl",
    "pg_ctlcluster",
    "mysqld",
    "mysqld_safe",
    "redis-server",
    "mongod",
    "nginx",
    "apachectl",
    "apache2ctl",
    "httpd",
    "rabbitmq-server",
    "supervisord",
    "slapd",
    "dbus-daemon",
    "Xvfb",
    "memcached",
    "dockerd",
    "sshd",
    "gpg-agent",
    "start-stop-daemon",
];

fn fresh_path(word: &Word<'_>) -> Option<&'static str> {
    let starts = |text: &str| FRESH.iter().find(|path| text.starts_with(**path));
    let within = |text: &str| text.match_indices('/').find_map(|(at, _)| starts(&text[at..]));
    let found = match &word.content {
        Content::Literal(text) => within(text),
        Content::Parts(parts) => parts.iter().find_map(|part| match part {
            Part::Text(text) => within(text),
            _ => None,
        }),
    };
    found.copied()
}

fn has_job(command: &Command<'_>) -> bool {
    let Command::Compound(compound) = command else { return false };
    let mut job = false;
    lists_of(&compound.kind, &mut |list| {
        job |= list.entries.iter().any(|entry| {
            entry.joiner.is_some_and(|joiner| joiner.kind == JoinerKind::Background)
                || entry.pipeline.commands.iter().any(has_job)
        });
    });
    job
}

/// The targets of the redirections of control structures, at any depth.
fn redirections_of<'s, 't>(command: &'s Command<'t>, found: &mut dyn FnMut(&'s Word<'t>)) {
    let Command::Compound(compound) = command else { return };
    compound.redirections.iter().for_each(|redirection| found(&redirection.target));
    lists_of(&compound.kind, &mut |list| {
        let pipelines = list.entries.iter().map(|entry| &entry.pipeline);
        pipelines.flat_map(|pipeline| &pipeline.commands).for_each(|command| redirections_of(command, found));
    });
}

/// Calls `found` for the lists that a control structure holds, not for those within them.
pub fn lists_of<'s, 't>(kind: &'s CompoundKind<'t>, found: &mut dyn FnMut(&'s List<'t>)) {
    match kind {
        CompoundKind::Subshell(list) | CompoundKind::Group(list) | CompoundKind::For { body: list, .. } => {
            found(list);
        }
        CompoundKind::If { branches, otherwise } => {
            for (condition, body) in branches {
                found(condition);
                found(body);
            }
            otherwise.iter().for_each(found);
        }
        CompoundKind::While { condition, body, .. } => {
            found(condition);
            found(body);
        }
        CompoundKind::Case { arms, .. } => arms.iter().for_each(|(_, body)| found(body)),
        CompoundKind::Function { body, .. } => {
            if let Command::Compound(compound) = &**body {
                lists_of(&compound.kind, found);
            }
        }
        CompoundKind::Test(_) | CompoundKind::Arithmetic(_) => {}
    }
}

/// Whether a pipeline holds nothing but simple commands, at any depth: no loop variable, no `case`
/// word, no `[[ ]]`, no redirection of a control structure.
pub fn has_only_simple_commands(pipeline: &Pipeline<'_>) -> bool {
    pipeline.commands.iter().all(|command| {
        let Command::Compound(compound) = command else { return true };
        let plain = matches!(
            compound.kind,
            CompoundKind::Subshell(_)
                | CompoundKind::Group(_)
                | CompoundKind::If { .. }
                | CompoundKind::While { .. }
        );
        let mut all = plain && compound.redirections.is_empty();
        lists_of(&compound.kind, &mut |list| {
            all &= list.entries.iter().all(|entry| has_only_simple_commands(&entry.pipeline));
        });
        all
    })
}

/// Whether a script asks for the last argument or the last job of the command before it.
pub fn asks_for_last_command(script: &str) -> bool {
    script.contains('$') && ["$_", "${_", "$!", "${!}"].iter().any(|name| script.contains(name))
}

/// Whether no control structure and no substituted command is in an entry.
pub fn is_plain(entry: &Entry<'_>) -> bool {
    let plain = |word: &Word<'_>| match &word.content {
        Content::Literal(_) => true,
        Content::Parts(parts) => !parts.iter().any(|part| matches!(part, Part::Command { .. })),
    };
    entry.pipeline.commands.iter().all(|command| match command {
        Command::Simple(simple) => {
            let values = simple.assignments.iter().map(|assignment| &assignment.value);
            simple.words.iter().chain(values).all(plain)
        }
        Command::Compound(_) => false,
    })
}

fn leaks_of_list(list: &List<'_>, found: &mut Vec<Leak>) {
    for entry in &list.entries {
        if entry.joiner.is_some_and(|joiner| joiner.kind == JoinerKind::Background) {
            found.push(Leak::Other("&".to_owned()));
        } else {
            leaks_of_pipeline(&entry.pipeline, found);
        }
    }
}

fn leaks_of_compound(kind: &CompoundKind<'_>, found: &mut Vec<Leak>) {
    match kind {
        CompoundKind::Subshell(_) => {}
        CompoundKind::Function { .. } => found.push(Leak::Other("a function".to_owned())),
        CompoundKind::Arithmetic(_) => found.push(Leak::Other("((".to_owned())),
        CompoundKind::Test(words) => words.iter().for_each(|word| leaks_of_word(word, found)),
        CompoundKind::For { name, words, body } => {
            found.push(Leak::Variable((*name).to_owned()));
            words.iter().flatten().for_each(|word| leaks_of_word(word, found));
            leaks_of_list(body, found);
        }
        CompoundKind::Case { word, arms } => {
            leaks_of_word(word, found);
            arms.iter().for_each(|(_, body)| leaks_of_list(body, found));
        }
        CompoundKind::Group(_) | CompoundKind::If { .. } | CompoundKind::While { .. } => {
            lists_of(kind, &mut |list| leaks_of_list(list, found));
        }
    }
}

/// Whether a builtin acts on the shell itself. `export NAME=value` and the like count by their own name.
pub(crate) fn acts_on_shell(name: &str) -> bool {
    matches!(
        name,
        "coproc"
            | "fg"
            | "bg"
            | "dirs"
            | "suspend"
            | "logout"
            | "module"
            | "kill"
            | "export"
            | "set"
            | "unset"
            | "umask"
            | "trap"
            | "exit"
            | "exec"
            | "alias"
            | "unalias"
            | "shopt"
            | "readonly"
            | "."
            | "source"
            | "eval"
            | "return"
            | "ulimit"
            | "pushd"
            | "popd"
            | "hash"
            | "declare"
            | "typeset"
            | "local"
            | "let"
            | "read"
            | "getopts"
            | "shift"
            | "break"
            | "continue"
            | "disown"
            | "enable"
            | "bind"
            | "mapfile"
            | "readarray"
            | "wait"
    )
}

fn leaks_of_simple(simple: &Simple<'_>, found: &mut Vec<Leak>) {
    let Some(first) = simple.words.first() else {
        found.extend(simple.assignments.iter().map(|it| Leak::Variable(it.name.to_owned())));
        simple.assignments.iter().for_each(|it| leaks_of_word(&it.value, found));
        return;
    };
    let Some(name) = first.literal() else {
        found.push(Leak::Other("a command that is not known".to_owned()));
        return;
    };
    match name {
        "cd" => found.push(Leak::Folder),
        // `exec > file` acts on the shell, `exec command` ends it.
        _ if acts_on_shell(name) => found.push(Leak::Other(name.to_owned())),
        "command" if asks_only(simple) => {}
        "command" | "builtin" | "time" => {
            let mut words = simple.words[1..].iter().map(|word| word.literal());
            match words.find(|word| !word.is_some_and(|word| word.starts_with('-'))).flatten() {
                Some("cd") => found.push(Leak::Folder),
                Some(name) if acts_on_shell(name) => {
                    found.push(Leak::Other(name.to_owned()));
                }
                _ => {}
            }
        }
        "printf" if simple.words.get(1).is_some_and(|word| word.literal() == Some("-v")) => {
            found.push(Leak::Other("printf -v".to_owned()));
        }
        // nvm and rvm are functions that change PATH.
        "nvm" | "rvm" | "sdk" | "asdf" | "conda" | "mamba" | "pyenv" | "rbenv" | "workon" | "deactivate"
            if simple.words.get(1).is_none_or(|word| {
                matches!(word.literal(), None | Some("use" | "activate" | "deactivate" | "shell" | "install"))
            }) && !matches!(
                (name, simple.words.get(1).and_then(|w| w.literal())),
                ("conda" | "mamba" | "pyenv" | "rbenv", Some("install"))
            ) =>
        {
            found.push(Leak::Other(name.to_owned()));
        }
        _ => {}
    }
    if matches!(name, ":" | "eval" | "." | "source" | "export" | "readonly") {
        // Special builtins keep the assignments before them.
        found.extend(simple.assignments.iter().map(|it| Leak::Variable(it.name.to_owned())));
    }
    let values = simple.assignments.iter().map(|assignment| &assignment.value);
    let targets = simple.redirections.iter().map(|redirection| &redirection.target);
    simple.words.iter().chain(values).chain(targets).for_each(|word| leaks_of_word(word, found));
}

/// `${x:=value}` and `$((x = 1))` assign.
fn leaks_of_word(word: &Word<'_>, found: &mut Vec<Leak>) {
    let Content::Parts(parts) = &word.content else { return };
    for part in parts {
        match part {
            Part::Parameter { name, operation, .. }
                if operation.starts_with('=') || operation.starts_with(":=") =>
            {
                found.push(Leak::Variable((*name).to_owned()));
            }
            Part::Arithmetic(_) => found.push(Leak::Other("((".to_owned())),
            _ => {}
        }
    }
}

/// `command -v cd`
fn asks_only(simple: &Simple<'_>) -> bool {
    simple.words.get(1).is_some_and(|word| matches!(word.literal(), Some("-v" | "-V" | "-pv" | "-pV")))
}

/// Whether what was left behind matters to a script, given as text, that runs next in a state.
pub fn matters(leak: &Leak, next: &str, state: &State) -> bool {
    match leak {
        Leak::Variable(name) => may_be_exported(name, state) || mentions(next, name),
        Leak::Folder | Leak::Other(_) => true,
    }
}

/// Whether a name stands in a text as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}

/// Calls `found` for every simple command of a script, at any depth, in order.
pub fn visit<'s, 't>(list: &'s List<'t>, found: &mut dyn FnMut(&'s Simple<'t>)) {
    for entry in &list.entries {
        visit_pipeline(&entry.pipeline, found);
    }
}

/// Calls `found` for every simple command of a pipeline, at any depth, in order.
pub fn visit_pipeline<'s, 't>(pipeline: &'s Pipeline<'t>, found: &mut dyn FnMut(&'s Simple<'t>)) {
    for command in &pipeline.commands {
        visit_command(command, found);
    }
}

fn visit_command<'s, 't>(command: &'s Command<'t>, found: &mut dyn FnMut(&'s Simple<'t>)) {
    match command {
        Command::Simple(simple) => found(simple),
        Command::Compound(compound) => {
            if let CompoundKind::Function { body, .. } = &compound.kind {
                return visit_command(body, found);
            }
            lists_of(&compound.kind, &mut |list| visit(list, found));
        }
    }
}
