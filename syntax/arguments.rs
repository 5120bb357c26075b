//! The arguments of an instruction, read by the rules of its keyword.

use crate::operation::Problem;
use crate::{Keyword, Logical, LogicalSpan, Operation, words};

/// A word of the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentWord {
    /// Where it stands; a string of the JSON form with its quotes.
    pub span: LogicalSpan,
    /// What BuildKit takes it for before it expands variables: quotes and escapes are still there,
    /// but those of a string of the JSON form are resolved.
    pub text: String,
}

/// A pair of an ENV or LABEL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameValue {
    /// The name, raw.
    pub name: ArgumentWord,
    /// The value, raw; may be empty.
    pub value: ArgumentWord,
    /// Whether it has the form without an equals sign: `ENV name value`.
    pub legacy: bool,
}

/// A variable that an ARG declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgDeclaration {
    /// The name, raw.
    pub name: ArgumentWord,
    /// The default, raw: `None` for `ARG name`, empty for `ARG name=`.
    pub default: Option<ArgumentWord>,
}

impl ArgumentWord {
    fn new(text: &str, span: LogicalSpan) -> Self {
        Self { span, text: text[span.range()].to_owned() }
    }
}

impl NameValue {
    /// The whole pair.
    pub fn span(&self) -> LogicalSpan {
        self.name.span.to(self.value.span)
    }
}

impl ArgDeclaration {
    /// The whole declaration.
    pub fn span(&self) -> LogicalSpan {
        self.default.as_ref().map_or(self.name.span, |default| self.name.span.to(default.span))
    }
}

impl Operation {
    /// The words of the arguments.
    ///
    /// For the JSON form its strings. Else FROM, COPY, ADD, EXPOSE and VOLUME are split at blanks,
    /// ENV, LABEL and ARG at white space that is not quoted; HEALTHCHECK has its type and what
    /// follows; the others have all of the arguments as one word, ONBUILD too. `escape` is the
    /// file's escape character.
    pub fn words(&self, logical: &Logical<'_>, escape: char) -> Vec<ArgumentWord> {
        let text = &*logical.text;
        let word = |span| ArgumentWord::new(text, span);
        let one = |span: LogicalSpan| (!span.is_empty()).then(|| word(span));
        let strings = self.json.iter().flatten();
        let strings = strings.map(|string| ArgumentWord { span: string.span, text: string.value.clone() });
        match self.keyword {
            Keyword::Healthcheck => {
                let (kind, rest) = self.check_parts(text);
                let rest = one(rest).filter(|_| self.json.is_none());
                one(kind).into_iter().chain(rest).chain(strings).collect()
            }
            _ if self.json.is_some() => strings.collect(),
            Keyword::Add | Keyword::Copy | Keyword::Expose | Keyword::From | Keyword::Volume => {
                words::between_blanks(text, self.arguments).map(word).collect()
            }
            Keyword::Arg | Keyword::Env | Keyword::Label => {
                words::quoted(text, self.arguments, escape).map(word).collect()
            }
            _ => one(self.arguments).into_iter().collect(),
        }
    }

    /// The pairs of an ENV or LABEL; none for another instruction, or when BuildKit refuses them.
    /// `escape` is the file's escape character.
    pub fn name_values(&self, logical: &Logical<'_>, escape: char) -> Vec<NameValue> {
        read_name_values(self, &logical.text, escape).unwrap_or_default()
    }

    /// The variables that an ARG declares; none for another instruction. `escape` is the file's
    /// escape character.
    pub fn declarations(&self, logical: &Logical<'_>, escape: char) -> Vec<ArgDeclaration> {
        if self.keyword != Keyword::Arg {
            return Vec::new();
        }
        let text = &*logical.text;
        words::quoted(text, self.arguments, escape)
            .map(|span| match cut(text, span) {
                Some((name, value)) => ArgDeclaration {
                    name: ArgumentWord::new(text, name),
                    default: Some(ArgumentWord::new(text, value)),
                },
                None => ArgDeclaration { name: ArgumentWord::new(text, span), default: None },
            })
            .collect()
    }

    /// The arguments as BuildKit's parser reports them: for ENV and LABEL name, value and `=` (or
    /// nothing, for the form without it) of each pair; for ONBUILD those of its trigger. `escape` is
    /// the file's escape character.
    pub fn buildkit_args(&self, logical: &Logical<'_>, escape: char) -> Vec<String> {
        match self.keyword {
            Keyword::Env | Keyword::Label => {
                let pairs = self.name_values(logical, escape).into_iter();
                let separator = |legacy: bool| if legacy { "" } else { "=" }.to_owned();
                pairs.flat_map(|pair| [pair.name.text, pair.value.text, separator(pair.legacy)]).collect()
            }
            Keyword::Onbuild => match &self.trigger {
                Some(trigger) if trigger.keyword == Keyword::Onbuild => Vec::new(),
                Some(trigger) => trigger.buildkit_args(logical, escape),
                None => Vec::new(),
            },
            Keyword::Unknown => vec![String::new()],
            _ => self.words(logical, escape).into_iter().map(|word| word.text).collect(),
        }
    }
}

/// Why BuildKit's parser refuses the pairs of an ENV or LABEL, if it does.
pub(crate) fn name_value_fault(operation: &Operation, text: &str, escape: char) -> Option<Problem> {
    read_name_values(operation, text, escape).err()
}

fn read_name_values(operation: &Operation, text: &str, escape: char) -> Result<Vec<NameValue>, Problem> {
    let keyword = match operation.keyword {
        Keyword::Env => "ENV",
        Keyword::Label => "LABEL",
        _ => return Ok(Vec::new()),
    };
    let mut words = words::quoted(text, operation.arguments, escape).peekable();
    let Some(first) = words.peek() else { return Ok(Vec::new()) };
    if !text[first.range()].contains('=') {
        return legacy_pair(operation.arguments, text, keyword).map(|pair| vec![pair]);
    }
    words
        .map(|span| match cut(text, span) {
            Some((name, value)) => Ok(NameValue {
                name: ArgumentWord::new(text, name),
                value: ArgumentWord::new(text, value),
                legacy: false,
            }),
            None => {
                let word = &text[span.range()];
                let message =
                    format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value");
                Err(Problem { span, message })
            }
        })
        .collect()
}

/// `name value`: the value is all that follows the first blanks, whatever is quoted.
fn legacy_pair(arguments: LogicalSpan, text: &str, keyword: &str) -> Result<NameValue, Problem> {
    let all = &text[arguments.range()];
    let Some(length) = all.find(words::is_separator) else {
        return Err(Problem { span: arguments, message: format!("{keyword} must have two arguments") });
    };
    let name = LogicalSpan::new(arguments.start, arguments.start + length);
    let value = all[length..].trim_start_matches(words::is_separator).len();
    let value = LogicalSpan::new(arguments.end - value, arguments.end);
    Ok(NameValue { name: ArgumentWord::new(text, name), value: ArgumentWord::new(text, value), legacy: true })
}

/// The parts before and after the first equals sign.
fn cut(text: &str, span: LogicalSpan) -> Option<(LogicalSpan, LogicalSpan)> {
    let at = span.start + text[span.range()].find('=')?;
    Some((LogicalSpan::new(span.start, at), LogicalSpan::new(at + 1, span.end)))
}
