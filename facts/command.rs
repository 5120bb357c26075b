//! Simple commands as typed calls.

use dockeropt_syntax::shell::{Simple, Word};

use crate::tables::{Class, Grammar, Manager, Verb, class};

/// A simple command of which the program is known.
#[derive(Clone, Debug)]
pub struct Call<'s, 't> {
    /// The command.
    pub simple: &'s Simple<'t>,
    /// The program, without the folders in front of it.
    pub program: &'s str,
    /// Which word names the program: those before it are `sudo`, `env` and the like.
    pub at: usize,
    /// Whether `sudo` stands before it.
    pub sudo: bool,
    /// Whether the program is given with a path: the shell does not search for it.
    pub by_path: bool,
    /// What it asks a package manager to do, if it is one.
    pub managed: Option<Managed>,
}

/// A call of a package manager. All numbers are places in the command's words.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The manager.
    pub manager: Manager,
    /// How it is called.
    pub grammar: &'static Grammar,
    /// What is asked of it.
    pub verb: Verb,
    /// The word that says so.
    pub verb_at: Option<usize>,
    /// The options, each with its value where that is a word of its own.
    pub options: Vec<(usize, Option<usize>)>,
    /// What is neither option nor verb: packages, mostly.
    pub operands: Vec<usize>,
}

/// Whether a program runs the command after it.
fn is_runner(program: &str) -> bool {
    matches!(
        program,
        "sudo" | "env" | "command" | "exec" | "time" | "nice" | "nohup" | "eatmydata" | "timeout" | "ionice"
    )
}

/// Reads a command; `None` if it has no literal program.
pub fn call<'s, 't>(simple: &'s Simple<'t>) -> Option<Call<'s, 't>> {
    let words = &simple.words;
    let mut at = 0;
    let mut sudo = false;
    let mut program = words.first()?.literal()?;
    while is_runner(program) {
        if program == "command" && words.get(at + 1).is_some_and(is_question) {
            break;
        }
        let next = after_runner(words, at)?;
        sudo |= program == "sudo";
        at = next;
        program = words[at].literal()?;
    }
    let by_path = program.contains('/');
    let name = base_name(program);
    let managed = match Grammar::of(name) {
        Some(grammar) => Some(managed(grammar, words, at + 1)),
        None if name.starts_with("python") => module_call(words, at),
        None => None,
    };
    Some(Call { simple, program: name, at, sudo, by_path, managed })
}

/// `python3 -m pip install x`, given the place of `python3`.
fn module_call(words: &[Word<'_>], at: usize) -> Option<Managed> {
    let option = |word: &&Word<'_>| word.literal().is_some_and(|word| word.starts_with('-') && word != "-m");
    let module = at + 1 + words[at + 1..].iter().take_while(option).count();
    let is_module = words.get(module).and_then(Word::literal) == Some("-m");
    let name = words.get(module + 1).and_then(Word::literal).filter(|name| is_module && *name == "pip")?;
    Some(managed(Grammar::of(name)?, words, module + 2))
}

/// `command -v program` and `command -V program` only ask.
fn is_question(word: &Word<'_>) -> bool {
    matches!(word.literal(), Some("-v" | "-V" | "-pv" | "-pV"))
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.bytes().rposition(|byte| byte == b'/').map_or(path, |at| &path[at + 1..])
}

/// The words of a command that neither redirects nor sets anything, if they are all literal.
pub fn bare_words<'s>(simple: &'s Simple<'_>) -> Option<Vec<&'s str>> {
    let is_bare = simple.redirections.is_empty() && simple.assignments.is_empty();
    simple.words.iter().map(Word::literal).collect::<Option<Vec<_>>>().filter(|_| is_bare)
}

/// The word that `sudo -E`, `env A=b` or the like at `at` runs.
fn after_runner(words: &[Word<'_>], at: usize) -> Option<usize> {
    let runner = words[at].literal()?;
    let mut next = at + 1;
    loop {
        let word = words.get(next)?.literal();
        match word {
            Some(option) if option.starts_with('-') && option.len() > 1 => {
                let takes_value = match runner {
                    "sudo" => matches!(
                        option,
                        "-u" | "-g" | "-h" | "-p" | "-C" | "-D" | "-R" | "-T" | "-U" | "--user" | "--group"
                    ),
                    "nice" => matches!(option, "-n"),
                    "ionice" => matches!(option, "-c" | "-n"),
                    "env" if option == "-S" => return None,
                    "env" => matches!(option, "-u" | "-C"),
                    "timeout" => matches!(option, "-k" | "-s"),
                    _ => false,
                };
                next += 1 + usize::from(takes_value);
            }
            Some(assignment) if matches!(runner, "env" | "sudo") && is_assignment(assignment) => next += 1,
            None if matches!(runner, "env" | "sudo") => return None,
            Some(duration) if runner == "timeout" && duration.starts_with(|c: char| c.is_ascii_digit()) => {
                next += 1;
            }
            Some(_) => return Some(next),
            None => return None,
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn managed(grammar: &'static Grammar, words: &[Word<'_>], first: usize) -> Managed {
    let mut call = Managed {
        manager: grammar.manager,
        grammar,
        verb: Verb::Other,
        verb_at: None,
        options: Vec::new(),
        operands: Vec::new(),
    };
    if grammar.manager == Manager::Pacman {
        return pacman(call, words, first);
    }
    let mut at = first;
    let mut only_operands = false;
    while at < words.len() {
        match words[at].literal() {
            Some("--") => only_operands = true,
            Some(option) if !only_operands && option.len() > 1 && option.starts_with('-') => {
                let value =
                    grammar.takes_value(option).then_some(at + 1).filter(|&value| value < words.len());
                call.options.push((at, value));
                at += usize::from(value.is_some());
            }
            Some(word) if call.verb_at.is_none() => {
                call.verb = grammar.verb(word);
                call.verb_at = Some(at);
            }
            _ => call.operands.push(at),
        }
        at += 1;
    }
    if call.verb_at.is_none() && grammar.manager == Manager::Yarn && call.operands.is_empty() {
        let asks = call
            .options
            .iter()
            .any(|&(at, _)| matches!(words[at].literal(), Some("-v" | "--version" | "-h" | "--help")));
        call.verb = if asks { Verb::Query } else { Verb::Install };
    }
    call
}

/// `pacman -Syu --noconfirm base-devel`: the verb is an option in capitals.
fn pacman(mut call: Managed, words: &[Word<'_>], first: usize) -> Managed {
    let mut letters = "";
    let mut at = first;
    while at < words.len() {
        match words[at].literal() {
            Some(option) if option.starts_with("--") => {
                let value =
                    call.grammar.takes_value(option).then_some(at + 1).filter(|&value| value < words.len());
                call.options.push((at, value));
                at += usize::from(value.is_some());
            }
            Some(option) if option.len() > 1 && option.starts_with('-') => {
                if call.verb_at.is_none() && option[1..].starts_with(|c: char| c.is_ascii_uppercase()) {
                    letters = &option[1..];
                    call.verb_at = Some(at);
                } else {
                    call.options.push((at, None));
                }
            }
            _ => call.operands.push(at),
        }
        at += 1;
    }
    call.verb = match letters.as_bytes().first() {
        Some(b'S') if letters.contains('c') => Verb::Clean,
        Some(b'S') if letters.contains('s') || letters.contains('i') || letters.contains('l') => Verb::Query,
        Some(b'S') if !call.operands.is_empty() => Verb::Install,
        Some(b'S') if letters.contains('u') => Verb::Upgrade,
        Some(b'S') if letters.contains('y') => Verb::Update,
        Some(b'U') => Verb::Install,
        Some(b'R') => Verb::Remove,
        Some(b'Q' | b'F' | b'D' | b'T') => Verb::Query,
        _ => Verb::Other,
    };
    call
}

impl Call<'_, '_> {
    /// What the program does to the file system, if there is a row for it. Package managers have none.
    pub fn class(&self) -> Option<Class> {
        if self.program == "command" && self.simple.words.get(self.at + 1).is_some_and(is_question) {
            return Some(Class::Quiet);
        }
        let written = self.simple.words[self.at].literal().unwrap_or_default();
        if self.by_path && (written.starts_with("./") || written.contains("bin/elasticsearch-plugin")) {
            return class(written);
        }
        if written.starts_with("/etc/init.d/") {
            // The same as `service name start`.
            let asks = ["start", "stop", "restart"].map(|verb| self.arguments().eq([Some(verb)]));
            return asks.contains(&true).then_some(Class::Service);
        }
        // A path outside the system's program folders names a program of the project.
        let system =
            ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/", "/opt/"];
        if self.by_path
            && !system.iter().any(|folder| written.starts_with(folder))
            && !written.contains("/bin/")
        {
            return None;
        }
        class(self.program)
    }

    /// The literal words after the program.
    pub fn arguments(&self) -> impl Iterator<Item = Option<&str>> {
        self.simple.words[self.at + 1..].iter().map(Word::literal)
    }
}

impl Managed {
    /// Whether one of the options is among `names`; `--name=value` counts as `--name`.
    pub fn has_option(&self, simple: &Simple<'_>, names: &[&str]) -> bool {
        self.option(simple, names).is_some()
    }

    /// The place of the first option that is among `names`.
    pub fn option(&self, simple: &Simple<'_>, names: &[&str]) -> Option<usize> {
        self.options.iter().map(|&(at, _)| at).find(|&at| {
            simple.words[at].literal().is_some_and(|word| {
                names.contains(&word) || word.split_once('=').is_some_and(|(name, _)| names.contains(&name))
            })
        })
    }
}
