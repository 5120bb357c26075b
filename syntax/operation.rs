//! Reading keyword, flags and arguments of a logical line.

use crate::json::Json;
use crate::words::is_separator;
use crate::{Keyword, LogicalSpan, Operation, arguments, flags, json};

/// What is wrong with an instruction, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) span: LogicalSpan,
    pub(crate) message: String,
}

/// Reads the instruction in `text[within]` and what its parser refuses. The parser refuses less than
/// [`crate::check`], but of a file with such a fault BuildKit sees nothing at all.
pub(crate) fn read(text: &str, within: LogicalSpan, escape: char) -> (Operation, Option<Problem>) {
    read_nested(text, within, escape, true)
}

fn read_nested(
    text: &str,
    within: LogicalSpan,
    escape: char,
    may_trigger: bool,
) -> (Operation, Option<Problem>) {
    let line = trim(text, within);
    let keyword_end = text[line.range()].find(is_separator).map_or(line.end, |at| line.start + at);
    let keyword_span = LogicalSpan::new(line.start, keyword_end);
    let keyword = Keyword::read(&text[keyword_span.range()]);
    let (flags, start) = flags::read(text, LogicalSpan::new(keyword_end, line.end));
    let arguments = trim(text, LogicalSpan::new(start, line.end));
    let mut operation = Operation { keyword, keyword_span, flags, arguments, json: None, trigger: None };
    let mut problem = None;
    match keyword {
        Keyword::Onbuild => {
            // BuildKit refuses a chain of ONBUILDs in any case, so it need not be read to its end.
            if may_trigger && !arguments.is_empty() {
                let (trigger, fault) = read_nested(text, arguments, escape, false);
                operation.trigger = Some(Box::new(trigger));
                problem = fault;
            }
        }
        Keyword::Env | Keyword::Label => {
            problem = arguments::name_value_fault(&operation, text, escape);
        }
        _ => {
            if let Some(span) = operation.json_part(text) {
                match json::read(text, span) {
                    Json::Words(words) => operation.json = Some(words),
                    Json::OtherValues => {
                        let message =
                            "when using JSON array syntax, arrays must be comprised of strings only";
                        problem = Some(Problem { span, message: message.to_owned() });
                    }
                    Json::No => {}
                }
            }
        }
    }
    (operation, problem)
}

/// The part of `span` without white space at its ends.
fn trim(text: &str, span: LogicalSpan) -> LogicalSpan {
    let part = &text[span.range()];
    let start = span.end - part.trim_start().len();
    LogicalSpan::new(start, start + part.trim().len())
}

impl Operation {
    /// The part of the arguments that may have the JSON form.
    fn json_part(&self, text: &str) -> Option<LogicalSpan> {
        match self.keyword {
            Keyword::Add
            | Keyword::Cmd
            | Keyword::Copy
            | Keyword::Entrypoint
            | Keyword::Run
            | Keyword::Shell
            | Keyword::Volume => Some(self.arguments),
            Keyword::Healthcheck => Some(self.check_parts(text).1),
            _ => None,
        }
    }

    /// The type (`CMD` or `NONE`) of a HEALTHCHECK and what follows it.
    pub(crate) fn check_parts(&self, text: &str) -> (LogicalSpan, LogicalSpan) {
        let LogicalSpan { start, end } = self.arguments;
        let length = text[start..end].find(is_ascii_space).unwrap_or(end - start);
        let kind = LogicalSpan::new(start, start + length);
        let rest = text[kind.end..end].trim_start_matches(is_ascii_space).len();
        (kind, LogicalSpan::new(end - rest, end))
    }

    /// Whether the instruction's heredocs count.
    pub(crate) fn may_open_heredocs(&self) -> bool {
        let operation = self.trigger.as_deref().unwrap_or(self);
        matches!(operation.keyword, Keyword::Add | Keyword::Copy | Keyword::Run) && operation.json.is_none()
    }
}

fn is_ascii_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (&str, Vec<String>, &str) {
        let (operation, _) = read(line, LogicalSpan::new(0, line.len()), '\\');
        let flags = operation.flags.iter().map(|flag| flag.text.clone()).collect();
        (&line[operation.keyword_span.range()], flags, &line[operation.arguments.range()])
    }

    #[test]
    fn a_line_is_split() {
        assert_eq!(parts("RUN --a=b  c d "), ("RUN", vec!["--a=b".to_owned()], "c d"));
        assert_eq!(parts(" from\ta\u{85}"), ("from", vec![], "a"));
        assert_eq!(parts("RUN"), ("RUN", vec![], ""));
        assert_eq!(parts("RUN\u{a0}a"), ("RUN\u{a0}a", vec![], ""));
        assert_eq!(parts(""), ("", vec![], ""));
    }

    #[test]
    fn a_trigger_is_read_one_level_deep() {
        let line = format!("{}RUN x", "ONBUILD ".repeat(20_000));
        let (operation, problem) = read(&line, LogicalSpan::new(0, line.len()), '\\');
        assert_eq!(problem, None);
        let trigger = operation.trigger.unwrap();
        assert_eq!(trigger.keyword, Keyword::Onbuild);
        assert!(trigger.trigger.is_none());
    }
}
