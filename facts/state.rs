//! What is in force at a step: user, working folder, shell, environment, build arguments.

use std::rc::Rc;

use dockeropt_syntax::{Expanded, Instruction, Keyword, Lookup, expand, variables};

use crate::stage::Base;
use crate::value::Value;
use crate::variables::Variables;

/// The state before a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The file's escape character.
    pub escape: char,
    /// The user; a symbol where the base decides.
    pub user: Value,
    /// The working folder; a symbol where the base decides.
    pub workdir: Value,
    /// What reads scripts in shell form.
    pub shell: Shell,
    /// The words of the SHELL; `/bin/sh -c` without one, and nothing where it is not known.
    pub shell_words: Rc<Vec<String>>,
    /// The volumes declared so far: some builders drop what is written to them later.
    pub volumes: Rc<Vec<Value>>,
    /// The variables that ENV sets.
    pub env: Variables<Value>,
    /// The build arguments that are declared.
    pub args: Variables<Argument>,
    /// Whether variables that are not declared here may come from the base image.
    pub has_base: bool,
    /// Whether the base image may set a user of its own; no USER was met yet.
    pub user_of_base: bool,
}

/// A declared build argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What a build gives it: always symbolic, as any build may set another value.
    pub value: Value,
    /// The value that it has if the build does not set it.
    pub default: Option<String>,
}

/// What reads scripts in shell form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `/bin/sh -c`, which is what it is without a SHELL.
    Default,
    /// Another POSIX shell, or `sh` with options.
    Posix {
        /// The words of the SHELL.
        words: Vec<String>,
        /// Whether it stops at the first error (`-e`).
        errexit: bool,
    },
    /// PowerShell, cmd or anything else.
    Other,
}

impl State {
    pub(crate) fn before_first_stage(escape: char) -> Self {
        Self {
            escape,
            user: Value::known(""),
            workdir: Value::known("/"),
            shell: Shell::Default,
            shell_words: Rc::new(default_shell()),
            volumes: Rc::default(),
            env: Variables::default(),
            args: Variables::default(),
            has_base: false,
            user_of_base: false,
        }
    }

    /// The state at the start of a stage that starts from an image or from nothing.
    pub(crate) fn of_image(base: &Base, globals: &Self) -> Self {
        let image = matches!(base, Base::Image { .. });
        let windows = matches!(base, Base::Image { by_default: Some(reference), .. } if is_windows(reference))
            || matches!(base, Base::Image { platform: Some(platform), .. } if platform.contains("windows"));
        let other = windows || globals.escape == '`';
        Self {
            escape: globals.escape,
            user: if image { Value::symbol("USER") } else { Value::known("root") },
            workdir: if image { Value::symbol("WORKDIR") } else { Value::known("/") },
            shell: if other { Shell::Other } else { Shell::Default },
            shell_words: Rc::new(if other { Vec::new() } else { default_shell() }),
            volumes: Rc::default(),
            env: Variables::default(),
            args: Variables::default(),
            has_base: image,
            user_of_base: image,
        }
    }

    /// The state at the start of a stage that starts from a stage that ends in this state.
    pub(crate) fn for_child(&self) -> Self {
        self.clone()
    }

    /// Applies an ARG before the first FROM.
    pub(crate) fn apply(&mut self, instruction: &Instruction<'_>, globals: Option<&Self>) {
        if instruction.keyword() == Keyword::Arg {
            self.declare(instruction, globals);
        }
    }

    /// Applies an instruction of a stage. `workdir` is the folder that a WORKDIR enters.
    pub(crate) fn apply_in_stage(
        &mut self,
        instruction: &Instruction<'_>,
        workdir: Option<Value>,
        globals: &Self,
    ) {
        let operation = &instruction.operation;
        match operation.keyword {
            Keyword::Arg => self.declare(instruction, Some(globals)),
            Keyword::Env => {
                // All values of one ENV see the state before it.
                let pairs: Vec<(String, Value)> = operation
                    .name_values(&instruction.logical, self.escape)
                    .iter()
                    .map(|pair| (self.expand(&pair.name.text), self.expand(&pair.value.text)))
                    .map(|(name, value)| (name.raw().to_owned(), value))
                    .collect();
                self.env.set(pairs);
            }
            Keyword::User => {
                self.user = self.expand(instruction.arguments());
                self.user_of_base = false;
            }
            Keyword::Workdir => self.workdir = workdir.unwrap_or_else(|| self.workdir.clone()),
            Keyword::Shell => {
                let words: Vec<String> =
                    operation.json.iter().flatten().map(|word| word.value.clone()).collect();
                self.shell_words = Rc::new(words.clone());
                self.shell = Shell::of_words(words);
            }
            Keyword::Volume => {
                let words = operation.words(&instruction.logical, self.escape);
                let names: Vec<Value> = words.iter().map(|word| self.expand(&word.text)).collect();
                let volumes = Rc::make_mut(&mut self.volumes);
                volumes.extend(names);
                volumes.sort_unstable();
                volumes.dedup();
            }
            _ => {}
        }
    }

    fn declare(&mut self, instruction: &Instruction<'_>, globals: Option<&Self>) {
        for declared in instruction.operation.declarations(&instruction.logical, self.escape) {
            let name = declared.name.text;
            let known = self.argument(&name);
            let (default, decided_by) = match (&declared.default, globals.and_then(|it| it.argument(&name))) {
                (Some(default), _) => (self.expand_defaults(&default.text), Some(self.expand(&default.text))),
                (None, Some(global)) => (global.default.clone(), Some(global.value.clone())),
                // A declaration without a default leaves the value that is there.
                (None, None) => match known {
                    Some(known) => (known.default.clone(), Some(known.value.clone())),
                    None => (None, None),
                },
            };
            // Builders differ in which of the two counts if ENV came first.
            let over = if self.variable(&name).is_some() { "ENV " } else { "" };
            let decided_by = decided_by
                .map_or(String::new(), |value| format!("={}", value.raw().replace('\u{0}', "\u{1}")));
            let value =
                Value::grown(Value::symbol(&format!("{over}ARG {name}{decided_by}")).raw().to_owned());
            let argument = Argument { name, value, default };
            self.args.set(vec![(argument.name.clone(), argument)]);
        }
    }

    /// A declared build argument.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.args.get(name)
    }

    /// The value of a variable of the environment that ENV sets.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.env.get(name)
    }

    /// What a variable stands for in an instruction: ENV beats ARG, then comes the base image.
    pub fn value(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.variable(name) {
            return Some(value.clone());
        }
        if let Some(argument) = self.argument(name) {
            return Some(argument.value.clone());
        }
        self.has_base.then(|| Value::symbol(&format!("ENV {name}")))
    }

    /// Expands the variables of a word as the builder does.
    pub fn expand(&self, word: &str) -> Value {
        if !word.contains(['$', '\'', '"', self.escape]) {
            return Value::known(word);
        }
        let lookup = |name: &str| match self.value(name) {
            Some(value) => value.text().map_or(Lookup::Unknown, |text| Lookup::Known(text.to_owned())),
            None => Lookup::Unset,
        };
        match expand(word, self.escape, &lookup) {
            Expanded::Known(text) => Value::grown(text),
            Expanded::Unknown if has_only_plain_variables(word) => self.expand_in_place(word),
            Expanded::Unknown => self.symbol_of(word),
        }
    }

    /// Puts symbols in the places of variables.
    fn expand_in_place(&self, word: &str) -> Value {
        let lookup = |name: &str| {
            self.value(name).map_or(Lookup::Unset, |value| Lookup::Known(value.raw().to_owned()))
        };
        match expand(word, self.escape, &lookup) {
            Expanded::Known(raw) => Value::grown(raw),
            Expanded::Unknown => self.symbol_of(word),
        }
    }

    /// What a word will be is decided by the word and by all that it reads.
    fn symbol_of(&self, word: &str) -> Value {
        let read = variables(word, self.escape).into_iter().map(|name| {
            let value =
                self.value(&name).map_or(String::new(), |value| value.raw().replace('\u{0}', "\u{1}"));
            format!("|{name}={value}")
        });
        Value::grown(Value::symbol(&(word.to_owned() + &read.collect::<String>())).raw().to_owned())
    }

    /// Expands a string of the JSON form, in which variables count too.
    pub(crate) fn expand_json(&self, text: &str) -> Value {
        if text.contains('$') { self.expand(text) } else { Value::known(text) }
    }

    /// Expands a word with the defaults of the build arguments; `None` if one has no default.
    pub(crate) fn expand_defaults(&self, word: &str) -> Option<String> {
        let lookup = |name: &str| {
            let known = self.variable(name).and_then(|value| value.text().map(str::to_owned));
            match known.or_else(|| self.argument(name).and_then(|argument| argument.default.clone())) {
                Some(text) => Lookup::Known(text),
                None if self.argument(name).is_some() || self.variable(name).is_some() || self.has_base => {
                    Lookup::Unknown
                }
                None => Lookup::Unset,
            }
        };
        match expand(word, self.escape, &lookup) {
            Expanded::Known(text) => Some(text),
            Expanded::Unknown => None,
        }
    }

    /// Whether commands run as root, as far as the file tells: no USER, or one that names root.
    pub fn is_root(&self) -> bool {
        self.user_of_base || matches!(self.user.text(), Some("root" | "0" | "root:root" | "0:0"))
    }
}

/// Whether every `${` just names a variable.
fn has_only_plain_variables(word: &str) -> bool {
    word.split("${").skip(1).all(|rest| {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        rest.starts_with('}')
    })
}

fn default_shell() -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned()]
}

impl Shell {
    fn of_words(words: Vec<String>) -> Self {
        let program = words.first().map_or("", |word| crate::command::base_name(word));
        if !matches!(program, "sh" | "bash" | "dash" | "ash")
            || !words.last().is_some_and(|word| word.starts_with('-') && word.ends_with('c'))
        {
            return Self::Other;
        }
        if words == ["/bin/sh", "-c"] {
            return Self::Default;
        }
        let errexit = words[1..].iter().any(|word| {
            word == "errexit" || (word.starts_with('-') && !word.starts_with("--") && word.contains('e'))
        });
        Self::Posix { words, errexit }
    }

    /// Whether the shell stops at the first error.
    pub fn errexit(&self) -> bool {
        matches!(self, Self::Posix { errexit: true, .. })
    }
}

fn is_windows(reference: &str) -> bool {
    ["windows", "nanoserver", "servercore"].iter().any(|word| reference.contains(word))
}
