//! The words of an atom, for comparing.

use dockeropt_syntax::LogicalSpan;
use dockeropt_syntax::shell::{
    self, Command, CompoundKind, Entry, JoinerKind, List, Pipeline, Redirection, Simple, Word,
};

use crate::bases::Bottom;
use crate::command::{Managed, call};
use crate::tables::{Manager, Verb};
use crate::trace::{Atom, Code};

/// The words of an atom in a form in which what does not matter is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) words: Vec<Token>,
    /// The manager, if all of the atom is one install call of packages by name.
    pub(crate) install: Option<Manager>,
}

impl Tokens {
    /// A single word that stands for itself.
    pub(crate) fn of_text(text: &str) -> Self {
        let word = Token { text: text.to_owned(), package: false, may_be_new: false };
        Self { words: vec![word], install: None }
    }
}

/// A word of an atom, or a sign that joins words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Whether it names a package to install.
    pub(crate) package: bool,
    /// Whether a claim allows it to be there without having been there.
    pub(crate) may_be_new: bool,
}

/// What may be left out of the words.
pub(crate) struct Erasure<'c> {
    /// Recommended packages need not be installed, and these may be installed by name.
    pub(crate) without_recommends: Option<&'c [String]>,
    /// What lies below all stages: its release may be too old for an option.
    pub(crate) bottom: Bottom,
}

/// The words of an atom.
pub(crate) fn tokens(atom: &Atom<'_>, erasure: &Erasure<'_>) -> Tokens {
    let mut out = Tokens::default();
    match &atom.code {
        Code::Pipeline(pipeline) => Writer { text: atom.text, erasure, out: &mut out }.pipeline(pipeline),
        Code::Script(entries) => Writer { text: atom.text, erasure, out: &mut out }.entries(entries),
        Code::Exec(words) => {
            let mut writer = Writer { text: atom.text, erasure, out: &mut out };
            writer.put("\u{0}exec");
            words.iter().for_each(|word| writer.put(word));
        }
        Code::Raw(raw, _) => Writer { text: atom.text, erasure, out: &mut out }.put(raw),
    }
    out.install = match &atom.code {
        Code::Pipeline(pipeline) => pipeline.simple().and_then(named_install),
        _ => None,
    };
    out
}

/// The words of a command that is given as text, as [`tokens`] gives those of an atom.
pub(crate) fn words_of_command(text: &str, bottom: Bottom) -> Option<Vec<String>> {
    let list = shell::parse(text, LogicalSpan::new(0, text.len())).ok()?;
    let [entry] = &list.entries[..] else { return None };
    let mut out = Tokens::default();
    let erasure = Erasure { without_recommends: None, bottom };
    Writer { text, erasure: &erasure, out: &mut out }.pipeline(&entry.pipeline);
    Some(out.words.into_iter().map(|word| word.text).collect())
}

/// The manager of a call that installs packages by literal names, not from files.
fn named_install(simple: &Simple<'_>) -> Option<Manager> {
    let managed = call(simple)?.managed?;
    let by_name = |at: &usize| simple.words[*at].literal().is_some_and(|word| !word.contains(['/', '*']));
    let installs = managed.verb == Verb::Install && managed.operands.iter().all(by_name);
    installs.then_some(managed.manager)
}

struct Writer<'w, 'c> {
    text: &'w str,
    erasure: &'w Erasure<'c>,
    out: &'w mut Tokens,
}

impl Writer<'_, '_> {
    fn put(&mut self, word: &str) {
        self.push(word.to_owned(), false, false);
    }

    fn push(&mut self, text: String, package: bool, may_be_new: bool) {
        self.out.words.push(Token { text, package, may_be_new });
    }

    fn raw(&mut self, span: LogicalSpan) {
        self.push(self.text[span.range()].to_owned(), false, false);
    }

    fn word(&mut self, word: &Word<'_>) {
        self.raw(word.span);
    }

    fn entries(&mut self, entries: &[Entry<'_>]) {
        for (at, entry) in entries.iter().enumerate() {
            self.pipeline(&entry.pipeline);
            let last = at + 1 == entries.len();
            match entry.joiner.map(|joiner| joiner.kind) {
                // The `&&` behind the last one joins it to the next atom.
                Some(JoinerKind::And) if !last => self.put("&&"),
                Some(JoinerKind::Or) => self.put("||"),
                Some(JoinerKind::Background) => self.put("&"),
                Some(JoinerKind::Semicolon | JoinerKind::Newline) if !last => self.put(";"),
                _ => {}
            }
        }
    }

    fn list(&mut self, list: &List<'_>) {
        self.entries(&list.entries);
    }

    fn pipeline(&mut self, pipeline: &Pipeline<'_>) {
        if pipeline.negated {
            self.put("!");
        }
        for (at, command) in pipeline.commands.iter().enumerate() {
            if at > 0 {
                self.put("|");
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command<'_>) {
        let compound = match command {
            Command::Simple(simple) => return self.simple(simple),
            Command::Compound(compound) => compound,
        };
        match &compound.kind {
            CompoundKind::Subshell(list) => self.wrapped("(", list, ")"),
            CompoundKind::Group(list) => self.wrapped("{", list, "}"),
            CompoundKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.wrapped("if", condition, "then");
                    self.list(body);
                }
                if let Some(body) = otherwise {
                    self.wrapped("else", body, "");
                }
                self.put("fi");
            }
            CompoundKind::For { name, words, body } => {
                self.put("for");
                self.put(name);
                if let Some(words) = words {
                    self.put("in");
                    words.iter().for_each(|word| self.word(word));
                }
                self.wrapped("do", body, "done");
            }
            CompoundKind::While { until, condition, body } => {
                self.wrapped(if *until { "until" } else { "while" }, condition, "do");
                self.list(body);
                self.put("done");
            }
            CompoundKind::Case { word, arms } => {
                self.put("case");
                self.word(word);
                for (patterns, body) in arms {
                    patterns.iter().for_each(|pattern| self.word(pattern));
                    self.wrapped(")", body, ";;");
                }
                self.put("esac");
            }
            CompoundKind::Function { name, body } => {
                self.put(name);
                self.put("()");
                self.command(body);
            }
            CompoundKind::Test(words) => {
                self.put("[[");
                words.iter().for_each(|word| self.word(word));
                self.put("]]");
            }
            CompoundKind::Arithmetic(span) => self.raw(*span),
        }
        self.redirections(&compound.redirections);
    }

    fn wrapped(&mut self, before: &str, list: &List<'_>, after: &str) {
        self.put(before);
        self.list(list);
        self.put(after);
    }

    fn redirections(&mut self, redirections: &[Redirection<'_>]) {
        for redirection in redirections {
            let descriptor = redirection.descriptor.map_or(String::new(), |number| number.to_string());
            self.put(&(descriptor + redirection.operator));
            self.word(&redirection.target);
        }
    }

    fn simple(&mut self, simple: &Simple<'_>) {
        for assignment in &simple.assignments {
            self.raw(assignment.span);
        }
        let managed = call(simple).and_then(|call| call.managed);
        let erased = managed.as_ref().map(|managed| self.erased(simple, managed)).unwrap_or_default();
        for (at, word) in simple.words.iter().enumerate() {
            if erased.left_out.binary_search(&at).is_err() {
                let package =
                    managed.as_ref().is_some_and(|managed| managed.operands.binary_search(&at).is_ok());
                let text = self.text[word.span.range()].to_owned();
                self.push(text, package, erased.may_be_new.binary_search(&at).is_ok());
            }
        }
        self.redirections(&simple.redirections);
    }

    /// The words of a package manager's call that do not matter.
    fn erased(&mut self, simple: &Simple<'_>, managed: &Managed) -> Erased {
        let literal = |at: usize| simple.words[at].literal().unwrap_or_default();
        let mut erased = Erased::default();
        let too_old = self.erasure.bottom.may_lack_option(managed.grammar);
        if matches!(managed.verb, Verb::Install | Verb::Upgrade) && !too_old {
            let options = managed.options.iter().map(|&(at, _)| at);
            erased.left_out.extend(options.filter(|&at| managed.grammar.no_cache.contains(&literal(at))));
        }
        let named = self.erasure.without_recommends;
        if let Some(named) =
            named.filter(|_| managed.manager == Manager::Apt && managed.verb == Verb::Install)
        {
            for &(at, value) in &managed.options {
                let setting = value.map_or("", literal).strip_prefix("APT::Install-Recommends=");
                if literal(at) == "--no-install-recommends" {
                    erased.may_be_new.push(at);
                } else if matches!(setting, Some("false" | "0" | "no" | "off")) {
                    erased.may_be_new.extend([Some(at), value].into_iter().flatten());
                }
            }
            if !erased.may_be_new.is_empty() {
                let operands = managed.operands.iter().copied();
                erased.may_be_new.extend(operands.filter(|&at| named.iter().any(|name| name == literal(at))));
                erased.may_be_new.sort_unstable();
            }
        }
        erased
    }
}

/// Places of words, sorted.
#[derive(Default)]
struct Erased {
    left_out: Vec<usize>,
    may_be_new: Vec<usize>,
}
