//! BuildKit's idea of shell words: quotes, escapes and variables, in one word or in many.
//!
//! One reader serves two ends. [`crate::expand`] gives a word's value; the search for heredocs
//! splits a line into words and leaves variables, quotes and escapes as they are.

use crate::pattern::{self, Anchor};

/// Deeper nesting of `${a:-${b:-...}}` is refused, so that no input can overflow the stack.
const DEEPEST: usize = 64;

/// What is known about a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It has this value.
    Known(String),
    /// It is certainly not set.
    Unset,
    /// It may have any value, or none.
    Unknown,
}

/// How to read.
#[derive(Clone, Copy)]
pub(crate) struct Mode<'a> {
    pub(crate) escape: char,
    /// Keep quotation marks.
    pub(crate) raw_quotes: bool,
    /// Keep escape characters.
    pub(crate) raw_escapes: bool,
    /// The variables; `None` leaves them all as they are.
    pub(crate) variables: Option<&'a dyn Fn(&str) -> Lookup>,
}

/// Text that was read; `None` if a variable in it is unknown.
pub(crate) type Value = Option<String>;

/// What can't be read, in BuildKit's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid(pub(crate) String);

fn invalid<T>(message: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid(message.into()))
}

/// The value of a whole text, white space kept.
pub(crate) fn value(text: &str, mode: Mode<'_>) -> Result<Value, Invalid> {
    Lexer::new(text, mode).until(None, mode.raw_escapes, None)
}

/// The words of a text, split at white space that is not quoted. Only for a mode without variables.
pub(crate) fn split(text: &str, mode: Mode<'_>) -> Result<Vec<String>, Invalid> {
    let mut words = Words::default();
    Lexer::new(text, mode).until(None, mode.raw_escapes, Some(&mut words))?;
    words.end();
    Ok(words.done)
}

/// Words in the making. As in BuildKit, an empty quotation makes no word.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
}

impl Words {
    fn add(&mut self, character: char) {
        if character.is_whitespace() {
            self.end();
        } else {
            self.word.push(character);
        }
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            self.done.push(std::mem::take(&mut self.word));
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    mode: Mode<'a>,
    depth: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, mode: Mode<'a>) -> Self {
        Self { rest: text, mode, depth: 0 }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    /// Reads up to `stop` and past it, or to the end.
    fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
        mut words: Option<&mut Words>,
    ) -> Result<Value, Invalid> {
        if self.depth > DEEPEST {
            return invalid("variables are nested too deeply");
        }
        let outer = std::mem::replace(&mut self.mode.raw_escapes, raw_escapes);
        let mut value = Some(String::new());
        while let Some(character) = self.peek() {
            if Some(character) == stop {
                self.next();
                self.mode.raw_escapes = outer;
                return Ok(value);
            }
            match character {
                '\'' | '"' => {
                    let quoted = if character == '"' { self.double_quoted()? } else { self.single_quoted()? };
                    if let (Some(words), Some(quoted)) = (&mut words, &quoted) {
                        words.word.push_str(quoted);
                    }
                    append(&mut value, quoted);
                }
                '$' => {
                    let found = self.dollar()?;
                    if let (Some(words), Some(found)) = (&mut words, &found) {
                        found.chars().for_each(|character| words.add(character));
                    }
                    append(&mut value, found);
                }
                '<' => {
                    let found = self.heredoc_operator();
                    if let Some(words) = &mut words {
                        words.word.push_str(found);
                    }
                    append(&mut value, Some(found.to_owned()));
                }
                _ => {
                    self.next();
                    let mut literal = character;
                    let escaped = character == self.mode.escape;
                    if escaped {
                        if self.mode.raw_escapes {
                            push(&mut value, character);
                            if let Some(words) = &mut words {
                                words.word.push(character);
                            }
                        }
                        let Some(next) = self.next() else { break };
                        literal = next;
                    }
                    match &mut words {
                        Some(words) if escaped => words.word.push(literal),
                        Some(words) => words.add(literal),
                        None => {}
                    }
                    push(&mut value, literal);
                }
            }
        }
        self.mode.raw_escapes = outer;
        match stop {
            Some(stop) => invalid(format!("unexpected end of statement while looking for matching {stop}")),
            None => Ok(value),
        }
    }

    /// `<<` takes the white space after it into its word, so that `<< EOF` opens a heredoc.
    fn heredoc_operator(&mut self) -> &'a str {
        let start = self.rest;
        self.next();
        if self.peek() == Some('<') {
            self.rest = self.rest[1..].trim_start();
        }
        &start[..start.len() - self.rest.len()]
    }

    fn single_quoted(&mut self) -> Result<Value, Invalid> {
        let Some(end) = self.rest[1..].find('\'') else {
            return invalid("unexpected end of statement while looking for matching single-quote");
        };
        let (whole, rest) = self.rest.split_at(end + 2);
        self.rest = rest;
        Ok(Some(if self.mode.raw_quotes { whole } else { &whole[1..=end] }.to_owned()))
    }

    fn double_quoted(&mut self) -> Result<Value, Invalid> {
        self.next();
        let mut value = Some(String::new());
        if self.mode.raw_quotes {
            push(&mut value, '"');
        }
        loop {
            match self.peek() {
                None => {
                    return invalid("unexpected end of statement while looking for matching double-quote");
                }
                Some('"') => {
                    self.next();
                    if self.mode.raw_quotes {
                        push(&mut value, '"');
                    }
                    return Ok(value);
                }
                Some('$') => append(&mut value, self.dollar()?),
                Some(character) => {
                    self.next();
                    let mut literal = character;
                    if character == self.mode.escape {
                        if self.mode.raw_escapes {
                            push(&mut value, character);
                        }
                        match self.peek() {
                            None => continue,
                            Some(next) if matches!(next, '"' | '$') || next == self.mode.escape => {
                                self.next();
                                literal = next;
                            }
                            Some(_) => {}
                        }
                    }
                    push(&mut value, literal);
                }
            }
        }
    }

    fn dollar(&mut self) -> Result<Value, Invalid> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(Some("$".to_owned()));
            }
            return Ok(match self.look_up(name) {
                None => Some(format!("${name}")),
                Some(Lookup::Known(value)) => Some(value),
                Some(Lookup::Unset) => Some(String::new()),
                Some(Lookup::Unknown) => None,
            });
        }
        self.next();
        match self.peek() {
            None => return invalid("syntax error: missing '}'"),
            Some('{' | '}' | ':') => return invalid("syntax error: bad substitution"),
            Some(_) => {}
        }
        let name = self.name();
        self.depth += 1;
        let value = match self.next() {
            Some('}') => Ok(match self.look_up(name) {
                None => Some(format!("${{{name}}}")),
                Some(Lookup::Known(value)) => Some(value),
                Some(Lookup::Unset) => Some(String::new()),
                Some(Lookup::Unknown) => None,
            }),
            Some(':') => {
                let modifier = self.next();
                self.modified(name, true, modifier)
            }
            Some(modifier @ ('+' | '-' | '?' | '#' | '%')) => self.modified(name, false, Some(modifier)),
            Some('/') => self.replaced(name),
            modifier => unsupported("", modifier),
        };
        self.depth -= 1;
        value
    }

    /// `${name-word}` and its kin, from after the modifier.
    fn modified(&mut self, name: &str, colon: bool, modifier: Option<char>) -> Result<Value, Invalid> {
        let raw_escapes = matches!(modifier, Some('#' | '%'));
        let word = self.until(Some('}'), raw_escapes, None).map_err(|error| self.unclosed(error, '}'))?;
        let colon_text = if colon { ":" } else { "" };
        let Some(found) = self.look_up(name) else {
            let modifier = modifier.map(String::from).unwrap_or_default();
            return Ok(word.map(|word| format!("${{{name}{colon_text}{modifier}{word}}}")));
        };
        let Some(modifier @ ('-' | '+' | '?' | '#' | '%')) = modifier else {
            return unsupported(colon_text, modifier);
        };
        let value = match found {
            Lookup::Unknown => return Ok(None),
            Lookup::Known(value) if value.is_empty() && colon && matches!(modifier, '-' | '+' | '?') => None,
            Lookup::Known(value) => Some(value),
            Lookup::Unset => None,
        };
        match (modifier, value) {
            ('-', None) => Ok(word),
            ('-' | '?', Some(value)) => Ok(Some(value)),
            ('+', None) => Ok(Some(String::new())),
            ('+', Some(_)) => Ok(word),
            ('?', None) => {
                let message = word.filter(|word| !word.is_empty());
                let message = message.unwrap_or_else(|| "is not allowed to be unset".to_owned());
                invalid(format!("{name}: {message}"))
            }
            (_, value) => {
                let Some(word) = word else { return Ok(None) };
                let (longest, pattern) = match word.strip_prefix(modifier) {
                    Some(pattern) => (true, pattern),
                    None => (false, word.as_str()),
                };
                let anchor = if modifier == '#' { Anchor::Start } else { Anchor::End };
                pattern::trim(&value.unwrap_or_default(), pattern, anchor, longest)
            }
        }
    }

    /// `${name/pattern/replacement}`, from after the first slash.
    fn replaced(&mut self, name: &str) -> Result<Value, Invalid> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let pattern = self.until(Some('/'), true, None).map_err(|error| self.unclosed(error, '/'))?;
        let replacement = self.until(Some('}'), true, None).map_err(|error| self.unclosed(error, '}'))?;
        let Some(found) = self.look_up(name) else {
            // BuildKit loses the second slash here, too.
            return Ok(pattern.zip(replacement).map(|(pattern, new)| format!("${{{name}/{pattern}/{new}}}")));
        };
        let value = match found {
            Lookup::Known(value) => value,
            Lookup::Unset => String::new(),
            Lookup::Unknown => return Ok(None),
        };
        match pattern.zip(replacement) {
            // BuildKit reads `$1` in the replacement of `//` as a group of a regular expression.
            Some((_, replacement)) if all && replacement.contains('$') => Ok(None),
            Some((pattern, replacement)) => pattern::replace(&value, &pattern, &replacement, all),
            None => Ok(None),
        }
    }

    fn unclosed(&self, error: Invalid, closer: char) -> Invalid {
        match (self.rest.is_empty(), closer) {
            (false, _) => error,
            (true, '/') => Invalid("syntax error: missing '/' in ${}".to_owned()),
            (true, _) => Invalid("syntax error: missing '}'".to_owned()),
        }
    }

    fn look_up(&self, name: &str) -> Option<Lookup> {
        self.mode.variables.map(|variables| variables(name))
    }

    /// Reads a variable's name: digits, one special character, or letters, digits and underscores.
    fn name(&mut self) -> &'a str {
        let rest = self.rest;
        let end = match rest.chars().next() {
            Some(first) if first.is_numeric() => rest.find(|character: char| !character.is_numeric()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
            _ => rest.find(|character: char| !character.is_alphanumeric() && character != '_'),
        };
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.rest = rest;
        name
    }
}

fn unsupported<T>(colon: &str, modifier: Option<char>) -> Result<T, Invalid> {
    let modifier = modifier.map(String::from).unwrap_or_default();
    invalid(format!("unsupported modifier ({colon}{modifier}) in substitution"))
}

fn append(value: &mut Value, more: Value) {
    match (value.as_mut(), more) {
        (Some(text), Some(more)) => text.push_str(&more),
        _ => *value = None,
    }
}

fn push(value: &mut Value, character: char) {
    if let Some(text) = value {
        text.push(character);
    }
}
