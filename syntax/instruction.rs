//! Instructions and their parts.

use crate::{Logical, LogicalSpan, Span};

/// One instruction with its continuation lines and heredocs.
#[derive(Clone, Debug)]
pub struct Instruction<'t> {
    /// The whole lines, heredocs and the last line's ending included.
    pub span: Span,
    /// The first line, from 1.
    pub start_line: usize,
    /// The last line, from 1; with heredocs the line of the last terminator.
    pub end_line: usize,
    /// The text as the builder sees it. All logical spans of the instruction are places in it.
    pub logical: Logical<'t>,
    /// What the logical line says.
    pub operation: Operation,
    /// The heredocs, in the order in which their bodies follow.
    pub heredocs: Vec<Heredoc>,
    /// The comments and empty lines between the continuation lines, in order.
    pub trivia: Vec<Trivia>,
}

/// Keyword, flags and arguments: an instruction, or what follows `ONBUILD`.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which instruction it is.
    pub keyword: Keyword,
    /// Where the keyword stands.
    pub keyword_span: LogicalSpan,
    /// The builder flags (`--mount=...`), in order. None for `ONBUILD` itself.
    pub flags: Vec<Flag>,
    /// What follows keyword and flags, without surrounding white space.
    pub arguments: LogicalSpan,
    /// The arguments, if they have the JSON form (exec form) and the instruction knows it.
    pub json: Option<Vec<JsonWord>>,
    /// The instruction that an `ONBUILD` defers.
    pub trigger: Option<Box<Operation>>,
}

/// A builder flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Where it stands, from its `--`.
    pub span: LogicalSpan,
    /// The text with quotes and escapes resolved, as BuildKit reports it: `--from=build`.
    pub text: String,
}

/// A string of a JSON array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonWord {
    /// Where it stands, quotes included.
    pub span: LogicalSpan,
    /// The string itself.
    pub value: String,
}

/// A heredoc of a RUN, COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, without quotes.
    pub name: String,
    /// The number before `<<`; 0 if there is none.
    pub file_descriptor: u32,
    /// Whether nothing of the delimiter is quoted.
    pub expand: bool,
    /// Whether it was opened by `<<-`.
    pub chomp: bool,
    /// Whether white space stands between `<<` and the name: older builders read no heredoc then.
    pub spaced: bool,
    /// The lines of its body, line ends included; may be empty.
    pub body: Span,
    /// The line that ends it, with its line end.
    pub terminator: Span,
}

/// A line between continuation lines that the builder drops; the span covers the line end too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trivia {
    /// A comment line.
    Comment(Span),
    /// A line of white space.
    Empty(Span),
}

/// The name of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are the instructions' names")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// Not an instruction of the Dockerfile format.
    Unknown,
}

impl Keyword {
    /// Every known instruction with its name in capitals, in alphabetical order.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Add, "ADD"),
        (Self::Arg, "ARG"),
        (Self::Cmd, "CMD"),
        (Self::Copy, "COPY"),
        (Self::Entrypoint, "ENTRYPOINT"),
        (Self::Env, "ENV"),
        (Self::Expose, "EXPOSE"),
        (Self::From, "FROM"),
        (Self::Healthcheck, "HEALTHCHECK"),
        (Self::Label, "LABEL"),
        (Self::Maintainer, "MAINTAINER"),
        (Self::Onbuild, "ONBUILD"),
        (Self::Run, "RUN"),
        (Self::Shell, "SHELL"),
        (Self::Stopsignal, "STOPSIGNAL"),
        (Self::User, "USER"),
        (Self::Volume, "VOLUME"),
        (Self::Workdir, "WORKDIR"),
    ];

    /// Reads a keyword in any letter case.
    pub fn read(word: &str) -> Self {
        Self::ALL
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(word))
            .map_or(Self::Unknown, |&(keyword, _)| keyword)
    }

    /// The name in capitals; empty for [`Keyword::Unknown`].
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|&&(keyword, _)| keyword == self).map_or("", |&(_, name)| name)
    }
}

impl Flag {
    /// The name without the dashes: `from` for `--from=build`.
    pub fn name(&self) -> &str {
        let text = self.text.trim_start_matches("--");
        text.split_once('=').map_or(text, |(name, _)| name)
    }

    /// The value: `build` for `--from=build`; `None` without an equals sign.
    pub fn value(&self) -> Option<&str> {
        self.text.split_once('=').map(|(_, value)| value)
    }
}

impl Operation {
    /// The value of the last flag of that name; an empty string for a flag without a value.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|flag| flag.name() == name).map(|flag| flag.value().unwrap_or_default())
    }
}

impl<'t> Instruction<'t> {
    /// Which instruction it is.
    pub fn keyword(&self) -> Keyword {
        self.operation.keyword
    }

    /// The text of the arguments in the logical line.
    pub fn arguments(&self) -> &str {
        self.logical.get(self.operation.arguments)
    }
}
