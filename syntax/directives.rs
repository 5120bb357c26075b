//! Parser directives: `# name=value` lines at the very top of a file.

use crate::{Directive, Span};

/// The space of Go's regular expressions, in which BuildKit's rule is written.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// What a line at the top of the file is.
#[derive(Debug)]
pub(crate) enum Top<'t> {
    /// A directive in force.
    Directive(Directive<'t>),
    /// A directive that can't be obeyed, and why.
    Refused(String),
    /// Not a directive: this line and all that follow are read as usual.
    Other,
}

/// Reads the directives, line by line from the first.
#[derive(Debug)]
pub(crate) struct Directives {
    seen: Vec<&'static str>,
    done: bool,
    pub(crate) escape: char,
}

impl Directives {
    pub(crate) fn new() -> Self {
        Self { seen: Vec::new(), done: false, escape: '\\' }
    }

    /// Reads a line without its line end and without leading white space.
    pub(crate) fn read<'t>(&mut self, span: Span, content: &'t str) -> Top<'t> {
        if self.done {
            return Top::Other;
        }
        let Some((name, known, value)) = name_and_value(content) else {
            self.done = true;
            return Top::Other;
        };
        if self.seen.contains(&known) {
            return Top::Refused(format!("only one {known} parser directive can be used"));
        }
        self.seen.push(known);
        if known == "escape" {
            match value {
                "\\" => self.escape = '\\',
                "`" => self.escape = '`',
                _ => return Top::Refused(format!("invalid escape token '{value}' does not match ` or \\")),
            }
        }
        Top::Directive(Directive { span, name, value })
    }
}

/// The name as written and as known, and the value.
fn name_and_value(content: &str) -> Option<(&str, &'static str, &str)> {
    let comment = content.strip_prefix('#')?.trim_start();
    let (name, value) = comment.split_once('=')?;
    let name = name.trim_end_matches(is_space);
    let known = ["syntax", "escape", "check"].into_iter().find(|known| name.eq_ignore_ascii_case(known))?;
    let trimmed = value.trim_matches(is_space);
    if !trimmed.is_empty() {
        return Some((name, known, trimmed));
    }
    // BuildKit's pattern wants a character and takes the last blank when there is nothing else.
    let last = value.len().checked_sub(1)?;
    Some((name, known, &value[last..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Option<&str> {
        name_and_value(line).map(|(_, _, value)| value)
    }

    #[test]
    fn directives_are_recognised() {
        assert_eq!(value("# syntax=docker/dockerfile:1"), Some("docker/dockerfile:1"));
        assert_eq!(value("#\u{a0}Check = skip=A,B \t"), Some("skip=A,B"));
        assert_eq!(value("#escape= "), Some(" "));
        assert_eq!(value("#escape="), None);
        assert_eq!(value("# escapes=`"), None);
        assert_eq!(value("# hi"), None);
        assert_eq!(value("syntax=x"), None);
    }
}
