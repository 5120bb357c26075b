//! The parts of a script.

use std::borrow::Cow;

use crate::LogicalSpan;

/// Why a script was not read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opaque {
    /// What stands in the way, as a noun phrase: `an unterminated quote`.
    pub reason: &'static str,
    /// The logical offset at which it was met.
    pub offset: usize,
}

/// Pipelines joined by `&&`, `||`, `;`, `&` or line ends, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct List<'t> {
    /// The pipelines; empty only for an empty script or a script of comments.
    pub entries: Vec<Entry<'t>>,
    /// From the first word to the last byte of the last pipeline, or its closing `;` or `&`.
    pub span: LogicalSpan,
    /// The comment (`# ...`) that ends the text, if there is one: nothing may be put behind it.
    pub comment: Option<LogicalSpan>,
}

/// A pipeline of a list and what follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'t> {
    /// The pipeline.
    pub pipeline: Pipeline<'t>,
    /// What stands after it; `None` only for the last entry.
    pub joiner: Option<Joiner>,
}

/// What joins two pipelines, or ends the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joiner {
    /// Which one.
    pub kind: JoinerKind,
    /// Where the operator stands.
    pub span: LogicalSpan,
}

/// The kinds of [`Joiner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinerKind {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`
    Semicolon,
    /// `&`: what is before it runs in the background.
    Background,
    /// A line end.
    Newline,
}

/// Commands connected by `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline<'t> {
    /// From its first byte (the `!`, if there is one) to its last.
    pub span: LogicalSpan,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The commands; never empty.
    pub commands: Vec<Command<'t>>,
}

/// A command of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Command<'t> {
    /// Assignments, words and redirections.
    Simple(Simple<'t>),
    /// A control structure with its redirections.
    Compound(Compound<'t>),
}

/// A simple command.
#[derive(Clone, Debug, PartialEq)]
pub struct Simple<'t> {
    /// From its first byte to its last.
    pub span: LogicalSpan,
    /// `NAME=value` before the first word.
    pub assignments: Vec<Assignment<'t>>,
    /// The name and its arguments; empty for bare assignments or redirections.
    pub words: Vec<Word<'t>>,
    /// The redirections, wherever they stand in the command.
    pub redirections: Vec<Redirection<'t>>,
}

/// `NAME=value` or `NAME+=value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment<'t> {
    /// All of it.
    pub span: LogicalSpan,
    /// The name.
    pub name: &'t str,
    /// Whether it appends (`+=`, bash only).
    pub append: bool,
    /// The value; empty for `NAME=`.
    pub value: Word<'t>,
}

/// `2>&1`, `> file`, `<< EOF` ... A heredoc's body, on the lines that follow, is in no span but those of
/// what surrounds it; nothing that it expands runs a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirection<'t> {
    /// All of it.
    pub span: LogicalSpan,
    /// The digits before the operator, if there are any.
    pub descriptor: Option<u32>,
    /// The operator as written: `>`, `>>`, `<`, `>&`, `<&`, `&>`, `&>>`, `>|`, `<>`, `<<<`, `<<`, `<<-`.
    /// To dash, `&>` is a `&` and a `>`, and `<<<` is an error.
    pub operator: &'t str,
    /// What it names: a file, a descriptor, or a heredoc's delimiter.
    pub target: Word<'t>,
}

/// A control structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Compound<'t> {
    /// From its first byte to its last, redirections included.
    pub span: LogicalSpan,
    /// Which one.
    pub kind: CompoundKind<'t>,
    /// The redirections after it.
    pub redirections: Vec<Redirection<'t>>,
}

/// The kinds of [`Compound`].
#[derive(Clone, Debug, PartialEq)]
pub enum CompoundKind<'t> {
    /// `( list )`
    Subshell(List<'t>),
    /// `{ list; }`
    Group(List<'t>),
    /// `if list; then list; elif list; then list; else list; fi`
    If {
        /// The conditions with what they guard.
        branches: Vec<(List<'t>, List<'t>)>,
        /// What follows `else`.
        otherwise: Option<List<'t>>,
    },
    /// `for name in words; do list; done`
    For {
        /// The loop variable.
        name: &'t str,
        /// What it runs over; `None` when `in` is left out.
        words: Option<Vec<Word<'t>>>,
        /// The body.
        body: List<'t>,
    },
    /// `while list; do list; done` and `until`
    While {
        /// Whether it is `until`.
        until: bool,
        /// The condition.
        condition: List<'t>,
        /// The body.
        body: List<'t>,
    },
    /// `case word in pattern|pattern) list;; esac`
    Case {
        /// What is looked at.
        word: Word<'t>,
        /// The patterns with what they guard.
        arms: Vec<(Vec<Word<'t>>, List<'t>)>,
    },
    /// `name() command`
    Function {
        /// Its name.
        name: &'t str,
        /// Its body.
        body: Box<Command<'t>>,
    },
    /// `[[ ... ]]` (bash, ksh, BusyBox); operators such as `&&` and `<` are words too.
    Test(Vec<Word<'t>>),
    /// `(( ... ))` (bash, ksh)
    Arithmetic(LogicalSpan),
}

/// A word, with quotes and expansions.
#[derive(Clone, Debug, PartialEq)]
pub struct Word<'t> {
    /// All of it, quotes included.
    pub span: LogicalSpan,
    /// What it is made of.
    pub content: Content<'t>,
}

/// What a word is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'t> {
    /// The word stands for exactly this text: nothing in it expands. Quotes and escapes are resolved.
    Literal(Cow<'t, str>),
    /// Something in it expands; the parts are in order.
    Parts(Vec<Part<'t>>),
}

/// A part of a word that expands.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'t> {
    /// Text that stands for itself, quotes and escapes resolved.
    Text(Cow<'t, str>),
    /// `$name`, `${name}`, `${name:-word}` ...
    Parameter {
        /// All of it, from the `$`.
        span: LogicalSpan,
        /// The name, or a special parameter such as `?`, `@` or `1`.
        name: &'t str,
        /// What follows the name within braces, as written: `:-word`; empty for a plain one, and `#`
        /// for the length, `${#name}`. Parameters within it have no part of their own; each command
        /// substitution within it follows as a [`Part::Command`] whose span lies in this one.
        operation: &'t str,
        /// Whether it stands within double quotes.
        quoted: bool,
    },
    /// `$( list )` or a list in backticks; `None` where what is inside was not read.
    Command {
        /// All of it.
        span: LogicalSpan,
        /// The list inside. Never present for backticks with escapes in them.
        list: Option<List<'t>>,
        /// Whether it stands within double quotes.
        quoted: bool,
    },
    /// `$(( ... ))`; command substitutions within it follow, as with [`Part::Parameter`].
    Arithmetic(LogicalSpan),
    /// `*`, `?` or `[...]` outside quotes: file names may take its place.
    Glob(LogicalSpan),
    /// `~` or `~name` at the start, or after a `=` or `:`, where some shells expand it.
    Tilde(LogicalSpan),
    /// `{a,b}` or `{1..3}`, which bash expands and dash does not: from the first brace to the last.
    /// Expansions within it follow as parts of their own; its text doesn't.
    Brace(LogicalSpan),
}

impl<'t> Word<'t> {
    /// The text that the word stands for, if nothing in it expands.
    pub fn literal(&self) -> Option<&str> {
        match &self.content {
            Content::Literal(text) => Some(text),
            Content::Parts(_) => None,
        }
    }
}

impl<'t> Command<'t> {
    /// From its first byte to its last.
    pub fn span(&self) -> LogicalSpan {
        match self {
            Self::Simple(simple) => simple.span,
            Self::Compound(compound) => compound.span,
        }
    }

    /// The simple command, if it is one.
    pub fn simple(&self) -> Option<&Simple<'t>> {
        match self {
            Self::Simple(simple) => Some(simple),
            Self::Compound(_) => None,
        }
    }
}

impl<'t> Pipeline<'t> {
    /// The simple command that the pipeline consists of, if it is just one and not negated.
    pub fn simple(&self) -> Option<&Simple<'t>> {
        match &self.commands[..] {
            [Command::Simple(simple)] if !self.negated => Some(simple),
            _ => None,
        }
    }
}

impl<'t> Simple<'t> {
    /// The literal name of the command, as written (it may be a path).
    pub fn name(&self) -> Option<&str> {
        self.words.first()?.literal()
    }
}
