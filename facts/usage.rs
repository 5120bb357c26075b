//! Who reads and writes what a package manager keeps: its index and its caches.

use std::borrow::Cow;

use dockeropt_syntax::LogicalSpan;
use dockeropt_syntax::shell::{
    Command, CompoundKind, Content, Entry, JoinerKind, List, Part, Pipeline, Simple, Word, parse,
};

use crate::apk_index::FETCHING;
use crate::command::{Call, base_name, call};
use crate::tables::{Class, Manager, Verb, class, kept};

/// What a command does with the index of a package manager (apt's package lists, say).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// Fetches it anew.
    Update,
    /// Needs it, and fails or acts otherwise without.
    Need,
    /// Uses the manager, but not its index.
    Touch,
    /// Deletes it.
    Delete,
    /// May do any of this; what the command is called.
    Unknown(String),
}

/// One use of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What is done.
    pub kind: Use,
    /// The command that does it, in the logical line.
    pub span: LogicalSpan,
    /// Whether it may be skipped: it stands in a branch, a loop, or behind `||`.
    pub conditional: bool,
}

/// What a script does with the index of a manager, in the order of the text. `text` is what the
/// script's spans are places in.
pub fn usages(list: &List<'_>, text: &str, manager: Manager) -> Vec<Usage> {
    let mut walk = Walk { manager, text, found: Vec::new(), depth: 0 };
    walk.list(list, false);
    walk.found
}

/// Like [`usages`], for a part of a script.
pub fn usages_of_entries(entries: &[Entry<'_>], text: &str, manager: Manager) -> Vec<Usage> {
    let mut walk = Walk { manager, text, found: Vec::new(), depth: 0 };
    walk.entries(entries, false);
    walk.found
}

/// Like [`usages`], for a pipeline.
pub fn usages_of_pipeline(pipeline: &Pipeline<'_>, text: &str, manager: Manager) -> Vec<Usage> {
    let mut walk = Walk { manager, text, found: Vec::new(), depth: 0 };
    walk.pipeline(pipeline, false);
    walk.found
}

/// What the words of an exec-form RUN do with the index of a manager.
pub fn usages_of_words(words: &[&str], manager: Manager, span: LogicalSpan) -> Vec<Usage> {
    let simple = Simple {
        span,
        assignments: Vec::new(),
        words: words.iter().map(|&word| Word { span, content: Content::Literal(word.into()) }).collect(),
        redirections: Vec::new(),
    };
    let mut walk = Walk { manager, text: "", found: Vec::new(), depth: 0 };
    walk.simple(&simple, false);
    walk.found
}

struct Walk<'w> {
    text: &'w str,
    manager: Manager,
    found: Vec<Usage>,
    depth: usize,
}

impl Walk<'_> {
    fn list(&mut self, list: &List<'_>, conditional: bool) {
        self.entries(&list.entries, conditional);
    }

    fn entries(&mut self, entries: &[Entry<'_>], conditional: bool) {
        let is_and_or = |entry: &Entry<'_>| {
            entry.joiner.is_some_and(|joiner| matches!(joiner.kind, JoinerKind::And | JoinerKind::Or))
        };
        let mut rest = entries;
        while !rest.is_empty() {
            let joined = rest.iter().take_while(|entry| is_and_or(entry)).count();
            let (chain, others) = rest.split_at((joined + 1).min(rest.len()));
            // What fails ends the script only in the last chain, and only without an `||`.
            let forgiven = !others.is_empty()
                || chain.iter().any(|entry| entry.joiner.is_some_and(|it| it.kind == JoinerKind::Or));
            for (at, entry) in chain.iter().enumerate() {
                self.pipeline(&entry.pipeline, conditional || (at > 0 && forgiven));
            }
            rest = others;
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline<'_>, conditional: bool) {
        for command in &pipeline.commands {
            self.command(command, conditional);
        }
    }

    fn command(&mut self, command: &Command<'_>, conditional: bool) {
        let compound = match command {
            Command::Simple(simple) => return self.simple(simple, conditional),
            Command::Compound(compound) => compound,
        };
        match &compound.kind {
            CompoundKind::Subshell(list) | CompoundKind::Group(list) => self.list(list, conditional),
            CompoundKind::If { branches, otherwise } => {
                for (at, (condition, body)) in branches.iter().enumerate() {
                    self.list(condition, conditional || at > 0);
                    self.list(body, true);
                }
                if let Some(body) = otherwise {
                    self.list(body, true);
                }
            }
            CompoundKind::For { words, body, .. } => {
                words.iter().flatten().for_each(|word| self.word(word, conditional));
                self.list(body, true);
            }
            CompoundKind::While { condition, body, .. } => {
                self.list(condition, conditional);
                self.list(body, true);
            }
            CompoundKind::Case { word, arms } => {
                self.word(word, conditional);
                arms.iter().for_each(|(_, body)| self.list(body, true));
            }
            CompoundKind::Function { body, .. } => self.command(body, true),
            CompoundKind::Test(words) => words.iter().for_each(|word| self.word(word, conditional)),
            CompoundKind::Arithmetic(_) => {}
        }
    }

    fn word(&mut self, word: &Word<'_>, conditional: bool) {
        let Content::Parts(parts) = &word.content else { return };
        for part in parts {
            match part {
                Part::Command { list: Some(list), .. } => self.list(list, conditional),
                Part::Command { list: None, span, .. } => {
                    self.unknown("a command substitution", *span, conditional)
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, kind: Use, span: LogicalSpan, conditional: bool) {
        self.found.push(Usage { kind, span, conditional });
    }

    fn unknown(&mut self, name: &str, span: LogicalSpan, conditional: bool) {
        self.add(Use::Unknown(name.to_owned()), span, conditional);
    }

    fn simple(&mut self, simple: &Simple<'_>, conditional: bool) {
        for assignment in &simple.assignments {
            self.word(&assignment.value, conditional);
        }
        simple.words.iter().for_each(|word| self.word(word, conditional));
        if simple.words.is_empty() {
            return;
        }
        let span = simple.span;
        let Some(call) = call(simple) else {
            let substituted = matches!(&simple.words[0].content, Content::Parts(parts) if parts.iter().all(|part| matches!(part, Part::Command { list: Some(_), .. })));
            let name =
                if substituted { "the output of a command" } else { "a command that a variable names" };
            return self.unknown(name, span, conditional);
        };
        if let Some(managed) = &call.managed {
            if let Some(kind) = self.managed(managed.manager, managed.verb, &call) {
                self.add(kind, span, conditional);
            }
            return;
        }
        self.program(&call, conditional);
    }

    fn managed(&self, manager: Manager, verb: Verb, call: &Call<'_, '_>) -> Option<Use> {
        if manager != self.manager {
            return None;
        }
        let has = |names: &[&str]| {
            let of_apk = call.managed.as_ref().filter(|_| manager == Manager::Apk);
            of_apk.is_some_and(|managed| managed.has_option(call.simple, names))
        };
        if has(&["--no-cache"]) {
            return Some(Use::Touch);
        }
        Some(match verb {
            Verb::Update => Use::Update,
            Verb::Install | Verb::Upgrade | Verb::Query | Verb::Other if has(&FETCHING) => Use::Update,
            Verb::Install | Verb::Upgrade | Verb::Query | Verb::Other => Use::Need,
            Verb::Remove => Use::Touch,
            Verb::Clean => {
                let dist_clean = call.managed.as_ref().and_then(|managed| managed.verb_at);
                let dist_clean = dist_clean.and_then(|at| call.simple.words[at].literal());
                match (manager, dist_clean) {
                    (Manager::Apt, Some("dist-clean" | "distclean")) => Use::Delete,
                    (Manager::Apt, _) => Use::Touch,
                    _ => Use::Delete,
                }
            }
        })
    }

    fn program(&mut self, call: &Call<'_, '_>, conditional: bool) {
        let span = call.simple.span;
        match call.class() {
            Some(Class::Paths) if call.program == "rm" => {
                if deletes_kept(call, self.text, self.manager) {
                    self.add(Use::Delete, span, conditional);
                }
            }
            Some(Class::Quiet) if call.program == "find" => self.find(call, conditional),
            Some(Class::AptIndex) if self.manager == Manager::Apt => self.add(Use::Need, span, conditional),
            Some(Class::Provision) => self.provision(call, call.program, conditional),
            Some(Class::OwnUpdate) if self.manager == Manager::Apt => self.add(Use::Touch, span, conditional),
            Some(Class::Shell) => self.shell(call, conditional),
            Some(Class::Build) if sets_up_system(call) => {
                self.unknown(&self.describe(call), span, conditional);
            }
            Some(_) => {}
            // `./provision.sh`
            None if class(call.program) == Some(Class::Provision) => {
                self.provision(call, call.program, conditional);
            }
            None if is_shell_builtin(call.program) && !call.by_path => {}
            None => {
                self.unknown(call.simple.words[call.at].literal().unwrap_or(call.program), span, conditional)
            }
        }
    }

    /// What sets up the system needs the index, and may do more with it.
    fn provision(&mut self, call: &Call<'_, '_>, program: &str, conditional: bool) {
        let span = call.simple.span;
        if call.arguments().eq([Some("--version")]) {
            return;
        }
        if self.manager == Manager::Apt {
            self.add(Use::Need, span, conditional);
        }
        self.unknown(program, span, conditional);
    }

    /// `find ... -exec command ;`
    fn find(&mut self, call: &Call<'_, '_>, conditional: bool) {
        let words: Vec<_> = call.arguments().collect();
        for (at, word) in words.iter().enumerate() {
            if matches!(word, Some("-exec" | "-execdir" | "-ok")) {
                self.run_word(words.get(at + 1).copied().flatten(), call, conditional);
            }
        }
    }

    /// `sh -c '...'`, `xargs rm`, `. script` and the like.
    fn shell(&mut self, call: &Call<'_, '_>, conditional: bool) {
        let arguments: Vec<_> = call.arguments().collect();
        match call.program {
            "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "su" => {
                let flag = arguments.iter().position(|word| {
                    word.is_some_and(|word| {
                        word == "--command"
                            || (word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
                    })
                });
                // `bash -e provision.sh`
                let script = arguments.iter().flatten().find(|word| !word.starts_with(['-', '+']));
                match flag.and_then(|at| arguments.get(at + 1).copied().flatten()) {
                    Some(script) if self.depth < 4 => self.nested(script, call, conditional),
                    _ if matches!(arguments[..], [Some("-n" | "--version")]) => {}
                    _ if script.is_some_and(|script| class(base_name(script)) == Some(Class::Provision)) => {
                        self.provision(call, &self.describe(call), conditional);
                    }
                    _ => self.unknown(&self.describe(call), call.simple.span, conditional),
                }
            }
            "." | "source" if arguments.first().copied().flatten().is_some_and(sets_environment) => {}
            "xargs" => {
                let program = arguments.iter().copied().find(|word| {
                    word.is_none_or(|word| {
                        !word.starts_with('-')
                            && !word.starts_with(|c: char| c.is_ascii_digit())
                            && word != "{}"
                    })
                });
                if let Some(program) = program {
                    self.run_word(program, call, conditional);
                }
            }
            "gosu" | "su-exec" | "runuser" => {
                self.run_word(arguments.get(1).copied().flatten(), call, conditional)
            }
            _ => self.unknown(&self.describe(call), call.simple.span, conditional),
        }
    }

    /// A program that another one runs, without its arguments.
    fn run_word(&mut self, program: Option<&str>, call: &Call<'_, '_>, conditional: bool) {
        let span = call.simple.span;
        let Some(program) = program else { return self.unknown(call.program, span, conditional) };
        let simple = Simple {
            span,
            assignments: Vec::new(),
            words: vec![Word { span, content: Content::Literal(program.to_owned().into()) }],
            redirections: Vec::new(),
        };
        if program == "rm" || self.depth > 4 {
            return;
        }
        self.depth += 1;
        self.simple(&simple, conditional);
        self.depth -= 1;
    }

    /// A script in a word.
    fn nested(&mut self, script: &str, call: &Call<'_, '_>, conditional: bool) {
        match parse(script, LogicalSpan::new(0, script.len())) {
            Ok(list) => {
                let mut walk =
                    Walk { text: script, manager: self.manager, found: Vec::new(), depth: self.depth + 1 };
                walk.list(&list, conditional);
                let span = call.simple.span;
                self.found.extend(walk.found.into_iter().map(|usage| Usage { span, ..usage }));
            }
            Err(_) => self.unknown(&self.describe(call), call.simple.span, conditional),
        }
    }

    fn describe(&self, call: &Call<'_, '_>) -> String {
        let words = call.simple.words[call.at..].iter().take(2).map_while(|word| word.literal());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Whether a build tool is asked for something that may install packages of the system:
/// `npx playwright install-deps`, `make deps`, `opam depext`.
fn sets_up_system(call: &Call<'_, '_>) -> bool {
    const TOOLS: [&str; 16] = [
        "make",
        "gmake",
        "rake",
        "task",
        "npx",
        "pnpm",
        "bun",
        "bunx",
        "node",
        "opam",
        "python",
        "python3",
        "invoke",
        "deno",
        "mage",
        "playwright",
    ];
    const WORDS: [&str; 7] = ["deps", "depext", "dependencies", "apt", "prereq", "provision", "bootstrap"];
    TOOLS.contains(&call.program)
        && call.arguments().flatten().any(|word| WORDS.iter().any(|part| word.contains(part)))
}

/// Builtins of the shell that touch no files.
fn is_shell_builtin(program: &str) -> bool {
    matches!(
        program,
        "cd" | "export"
            | "set"
            | "unset"
            | "umask"
            | "trap"
            | "exit"
            | "alias"
            | "unalias"
            | "shopt"
            | "readonly"
            | "return"
            | "pushd"
            | "popd"
            | "hash"
            | "declare"
            | "typeset"
            | "local"
            | "let"
            | "read"
            | "shift"
            | "break"
            | "continue"
            | "wait"
            | "jobs"
            | "getopts"
            | "builtin"
            | "command"
            | "exec"
    )
}

/// Scripts that are sourced to set variables.
fn sets_environment(path: &str) -> bool {
    const ENDS: [&str; 14] = [
        "activate",
        ".bashrc",
        ".profile",
        ".bash_profile",
        "nvm.sh",
        "rvm",
        "setup.bash",
        "setup.sh",
        "/env",
        "os-release",
        "lsb-release",
        "envvars",
        "init.sh",
        "enable",
    ];
    ENDS.iter().any(|end| path.ends_with(end)) || path.starts_with("/etc/profile")
}

/// The text of a word with its globs and braces as written, if nothing else in it expands. `text` is
/// the text that the word is a place in.
pub fn pattern<'w>(word: &'w Word<'_>, text: &'w str) -> Option<Cow<'w, str>> {
    let parts = match &word.content {
        Content::Literal(literal) => {
            // In quotes they are no globs.
            let quoted = text.get(word.span.range()).is_some_and(|written| written != literal);
            let globs = quoted && literal.contains(['*', '?', '[', '{']);
            return (!globs).then_some(Cow::Borrowed(literal));
        }
        Content::Parts(parts) => parts,
    };
    let expands =
        |part: &Part<'_>| matches!(part, Part::Parameter { .. } | Part::Command { .. } | Part::Arithmetic(_));
    let written = text.get(word.span.range())?;
    let quoted = written.contains(['\'', '"', '\\']);
    (!parts.iter().any(expands) && !quoted).then_some(Cow::Borrowed(written))
}

/// The alternatives of one brace expression: `/var/{a,b}/x` gives `/var/a/x` and `/var/b/x`.
pub fn alternatives(pattern: &str) -> Vec<String> {
    let braces = pattern.find('{').and_then(|open| {
        let close = open + pattern[open..].find('}')?;
        Some((open, close))
    });
    match braces {
        Some((open, close)) if pattern[open..close].contains(',') => pattern[open + 1..close]
            .split(',')
            .flat_map(|choice| {
                alternatives(&format!("{}{choice}{}", &pattern[..open], &pattern[close + 1..]))
            })
            .take(64)
            .collect(),
        _ => vec![pattern.to_owned()],
    }
}

/// Whether removing what `pattern` matches removes all that lies in `folder`.
pub fn covers(pattern: &str, folder: &str) -> bool {
    let bare = pattern.trim_end_matches('*').trim_end_matches('/');
    let root = bare.is_empty();
    !root
        && (folder == bare || folder.strip_prefix(bare).is_some_and(|rest| rest.starts_with('/')))
        && !bare.contains(['*', '?', '['])
}

/// Whether an `rm` removes the folders in which a manager keeps its index, or its caches if it has
/// no index.
fn deletes_kept(call: &Call<'_, '_>, text: &str, manager: Manager) -> bool {
    let Some((_, folder)) = kept(manager).next() else { return false };
    call.simple.words[call.at + 1..].iter().any(|word| {
        // In exec form there is no shell that expands globs.
        let expands = !text.is_empty() || word.literal().is_some_and(|word| !word.contains('*'));
        pattern(word, text).filter(|_| expands).is_some_and(|pattern| {
            alternatives(&pattern)
                .iter()
                .any(|pattern| covers(pattern, folder) || covers(&home(pattern), folder))
        })
    })
}

/// A pattern with the folder of root written as `~`.
pub fn home(pattern: &str) -> String {
    pattern.strip_prefix("/root/").map_or_else(|| pattern.to_owned(), |rest| format!("~/{rest}"))
}
