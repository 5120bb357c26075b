//! What BuildKit refuses in an instruction that its parser has let through (its package
//! `instructions`).

use crate::operation::Problem;
use crate::{Flag, Instruction, Keyword, Logical, LogicalSpan, Operation, duration, heredoc, suggest};

/// Checks the instructions of a file in their order.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    has_stage: bool,
    /// Whether it was said that an instruction stands before the first FROM.
    said_no_stage: bool,
}

impl Checker {
    pub(crate) fn has_stage(&self) -> bool {
        self.has_stage
    }

    /// The first fault of an instruction; `known` is one that its parser has found.
    pub(crate) fn check(
        &mut self,
        instruction: &Instruction<'_>,
        escape: char,
        known: Option<Problem>,
    ) -> Option<Problem> {
        let operation = &instruction.operation;
        let problem = known.or_else(|| {
            let whole = LogicalSpan::new(0, instruction.logical.text.trim_end().len());
            let check = Check { operation, logical: &instruction.logical, escape, whole };
            check.instruction().err()
        });
        self.has_stage |= operation.keyword == Keyword::From;
        let needs_stage = !matches!(operation.keyword, Keyword::Arg | Keyword::Unknown);
        if problem.is_some() || self.has_stage || self.said_no_stage || !needs_stage {
            return problem;
        }
        self.said_no_stage = true;
        let message = "no build stage in current context".to_owned();
        Some(Problem { span: operation.keyword_span, message })
    }
}

/// What a flag may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Text,
    /// A text that may be given more than once.
    Texts,
}

const COPY_FLAGS: &[(&str, Kind)] = &[
    ("chmod", Kind::Text),
    ("chown", Kind::Text),
    ("exclude", Kind::Texts),
    ("from", Kind::Text),
    ("link", Kind::Bool),
    ("parents", Kind::Bool),
];
const ADD_FLAGS: &[(&str, Kind)] = &[
    ("checksum", Kind::Text),
    ("chmod", Kind::Text),
    ("chown", Kind::Text),
    ("exclude", Kind::Texts),
    ("keep-git-dir", Kind::Bool),
    ("link", Kind::Bool),
    ("unpack", Kind::Bool),
];
const RUN_FLAGS: &[(&str, Kind)] =
    &[("device", Kind::Texts), ("mount", Kind::Texts), ("network", Kind::Text), ("security", Kind::Text)];
const HEALTHCHECK_FLAGS: &[(&str, Kind)] = &[
    ("interval", Kind::Text),
    ("retries", Kind::Text),
    ("start-interval", Kind::Text),
    ("start-period", Kind::Text),
    ("timeout", Kind::Text),
];
const FROM_FLAGS: &[(&str, Kind)] = &[("platform", Kind::Text)];

/// One instruction under check.
struct Check<'a> {
    operation: &'a Operation,
    logical: &'a Logical<'a>,
    escape: char,
    whole: LogicalSpan,
}

type Outcome = Result<(), Problem>;

impl Check<'_> {
    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, Problem> {
        Err(Problem { span: self.whole, message: message.into() })
    }

    /// The checks are made in BuildKit's order, as only the first fault is reported.
    fn instruction(&self) -> Outcome {
        let operation = self.operation;
        let name = operation.keyword.name();
        let empty = operation.arguments.is_empty();
        match operation.keyword {
            Keyword::Env | Keyword::Label => {
                self.flags(&[])?;
                let pairs = operation.name_values(self.logical, self.escape);
                if pairs.is_empty() {
                    return self.at_least_one(name);
                }
                self.blank_names(name, pairs.iter().any(|pair| pair.name.text.is_empty()))
            }
            Keyword::Arg => {
                // Flags are not looked at here.
                let declared = operation.declarations(self.logical, self.escape);
                if declared.is_empty() {
                    return self.at_least_one(name);
                }
                self.blank_names(name, declared.iter().any(|argument| argument.name.text.is_empty()))
            }
            Keyword::Maintainer | Keyword::User | Keyword::Workdir if empty => self.exactly_one(name),
            Keyword::Maintainer | Keyword::User | Keyword::Workdir => self.flags(&[]),
            // Flags are not looked at here.
            Keyword::Stopsignal if empty => self.exactly_one(name),
            Keyword::Stopsignal => Ok(()),
            Keyword::Add | Keyword::Copy => self.copy(name),
            Keyword::From => self.from(),
            Keyword::Onbuild => self.onbuild(),
            Keyword::Run => self.run(),
            Keyword::Cmd | Keyword::Entrypoint => self.flags(&[]),
            Keyword::Healthcheck => self.healthcheck(),
            Keyword::Expose if empty => self.at_least_one(name),
            Keyword::Expose => self.flags(&[]),
            Keyword::Volume => self.volume(name),
            Keyword::Shell => {
                self.flags(&[])?;
                match &operation.json {
                    Some(words) if words.is_empty() => self.at_least_one(name),
                    Some(_) => Ok(()),
                    None if empty => self.at_least_one(name),
                    None => self.refuse(format!("{name} requires the arguments to be in JSON form")),
                }
            }
            Keyword::Unknown => {
                let word = self.logical.get(operation.keyword_span);
                let hint = suggest::instruction(word);
                let hint = hint.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
                let message = format!("unknown instruction: {word}{hint}");
                Err(Problem { span: operation.keyword_span, message })
            }
        }
    }

    fn at_least_one(&self, name: &str) -> Outcome {
        self.refuse(format!("{name} requires at least one argument"))
    }

    fn exactly_one(&self, name: &str) -> Outcome {
        self.refuse(format!("{name} requires exactly one argument"))
    }

    fn blank_names(&self, name: &str, found: bool) -> Outcome {
        if found { self.refuse(format!("{name} names can not be blank")) } else { Ok(()) }
    }

    fn copy(&self, name: &str) -> Outcome {
        let words = self.operation.words(self.logical, self.escape);
        let [_, .., destination] = words.as_slice() else {
            return self.refuse(format!(
                "{name} requires at least two arguments, but only one was provided. \
                 Destination could not be determined"
            ));
        };
        self.flags(if self.operation.keyword == Keyword::Copy { COPY_FLAGS } else { ADD_FLAGS })?;
        if let Ok(Some(_)) = heredoc::opening(&destination.text) {
            let message = format!("{name} cannot accept a heredoc as a destination");
            return Err(Problem { span: destination.span, message });
        }
        Ok(())
    }

    fn from(&self) -> Outcome {
        let words = self.operation.words(self.logical, self.escape);
        match words.as_slice() {
            [_] => {}
            [_, word, stage] if word.text.eq_ignore_ascii_case("as") => {
                let mut characters = stage.text.chars().map(|character| character.to_ascii_lowercase());
                let valid = characters.next().is_some_and(|first| first.is_ascii_lowercase())
                    && characters.all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.'));
                if !valid {
                    let message = format!(
                        "invalid name for build stage: {:?}, name can't start with a number or contain symbols",
                        stage.text
                    );
                    return Err(Problem { span: stage.span, message });
                }
            }
            _ => return self.refuse("FROM requires either one or three arguments"),
        }
        self.flags(FROM_FLAGS)
    }

    fn onbuild(&self) -> Outcome {
        let Some(trigger) = &self.operation.trigger else { return self.at_least_one("ONBUILD") };
        self.flags(&[])?;
        let message = match trigger.keyword {
            Keyword::Onbuild => "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            Keyword::Maintainer => "MAINTAINER isn't allowed as an ONBUILD trigger",
            Keyword::From => "FROM isn't allowed as an ONBUILD trigger",
            // Anything else is looked at when an image is built from this one.
            _ => return Ok(()),
        };
        Err(Problem { span: trigger.keyword_span, message: message.to_owned() })
    }

    fn run(&self) -> Outcome {
        self.flags(RUN_FLAGS)?;
        for flag in &self.operation.flags {
            let value = flag.value().unwrap_or_default();
            let valid = match flag.name() {
                "network" => matches!(value, "" | "default" | "none" | "host"),
                "security" => matches!(value, "" | "sandbox" | "insecure"),
                _ => true,
            };
            if !valid {
                let message = format!("{} {value:?} is not valid", flag.name());
                return Err(Problem { span: flag.span, message });
            }
        }
        Ok(())
    }

    fn healthcheck(&self) -> Outcome {
        let operation = self.operation;
        if operation.arguments.is_empty() {
            return self.at_least_one("HEALTHCHECK");
        }
        let (kind, rest) = operation.check_parts(&self.logical.text);
        let no_command = operation.json.as_ref().map_or(rest.is_empty(), Vec::is_empty);
        let kind = self.logical.get(kind);
        if kind.eq_ignore_ascii_case("NONE") {
            // Flags are not looked at here.
            if !no_command {
                return self.refuse("HEALTHCHECK NONE takes no arguments");
            }
            return Ok(());
        }
        self.flags(HEALTHCHECK_FLAGS)?;
        if !kind.eq_ignore_ascii_case("CMD") {
            return self.refuse(format!("Unknown type {:?} in HEALTHCHECK (try CMD)", kind.to_uppercase()));
        }
        if no_command {
            return self.refuse("Missing command after HEALTHCHECK CMD");
        }
        for flag in &operation.flags {
            let value = flag.value().unwrap_or_default();
            let fault = match flag.name() {
                _ if value.is_empty() => None,
                "retries" => match value.parse::<i32>() {
                    Ok(count) if count < 0 => Some(format!("--retries cannot be negative ({count})")),
                    Ok(_) => None,
                    Err(_) => Some(format!("--retries is not a number: {value:?}")),
                },
                name => duration::fault(name, value),
            };
            if let Some(message) = fault {
                return Err(Problem { span: flag.span, message });
            }
        }
        Ok(())
    }

    fn volume(&self, name: &str) -> Outcome {
        let words = self.operation.words(self.logical, self.escape);
        if words.is_empty() {
            return self.at_least_one(name);
        }
        self.flags(&[])?;
        match words.iter().find(|word| word.text.trim().is_empty()) {
            Some(word) => {
                let message = "VOLUME specified can not be an empty string".to_owned();
                Err(Problem { span: word.span, message })
            }
            None => Ok(()),
        }
    }

    fn flags(&self, known: &[(&str, Kind)]) -> Outcome {
        let mut used = Vec::new();
        for flag in &self.operation.flags {
            if let Some(message) = flag_fault(flag, known, &mut used) {
                return Err(Problem { span: flag.span, message });
            }
        }
        Ok(())
    }
}

fn flag_fault<'f>(flag: &'f Flag, known: &[(&str, Kind)], used: &mut Vec<&'f str>) -> Option<String> {
    let text = flag.text.strip_prefix("--").unwrap_or(&flag.text);
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let Some(&(_, kind)) = known.iter().find(|(known, _)| *known == name) else {
        return Some(format!("Unknown flag: {name}"));
    };
    if kind != Kind::Texts {
        if used.contains(&name) {
            return Some(format!("Duplicate flag specified: {name}"));
        }
        used.push(name);
    }
    match (kind, value) {
        (Kind::Bool, None) => None,
        (Kind::Bool, Some("")) | (Kind::Text | Kind::Texts, None) => {
            Some(format!("Missing a value on flag: {name}"))
        }
        (Kind::Bool, Some(value)) => {
            let valid = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
            (!valid).then(|| format!("Expecting boolean value for flag {name}, not: {value}"))
        }
        (Kind::Text | Kind::Texts, Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[track_caller]
    fn refused(line: &str, message: &str) {
        let text = format!("FROM a\n{line}\n");
        let file = parse(&text);
        let found: Vec<_> = file.diagnostics.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert!(found[0].contains(message), "{line}: {found:?}");
        assert!(file.diagnostics[0].span.start >= 7, "{line}: {:?}", file.diagnostics);
    }

    #[track_caller]
    fn accepted(line: &str) {
        let text = format!("FROM a\n{line}\n");
        assert_eq!(parse(&text).diagnostics, [], "{line}");
    }

    #[test]
    fn what_buildkit_refuses_is_refused() {
        for (line, message) in [
            ("FOO x", "unknown instruction: FOO (did you mean FROM?)"),
            ("\\", "unknown instruction: "),
            ("ENV", "ENV requires at least one argument"),
            ("ENV a", "ENV must have two arguments"),
            ("ENV a=1 b", "can't find ="),
            ("ENV =x", "ENV names can not be blank"),
            ("ENV --a b=c", "Unknown flag: a"),
            ("LABEL", "LABEL requires at least one argument"),
            ("ARG", "ARG requires at least one argument"),
            ("ARG =x", "ARG names can not be blank"),
            ("MAINTAINER", "exactly one"),
            ("USER", "exactly one"),
            ("WORKDIR", "exactly one"),
            ("STOPSIGNAL", "exactly one"),
            ("COPY a", "COPY requires at least two arguments"),
            ("COPY [\"a\"]", "COPY requires at least two arguments"),
            ("ADD []", "ADD requires at least two arguments"),
            ("COPY --frm=x a b", "Unknown flag: frm"),
            ("COPY --from a b", "Missing a value on flag: from"),
            ("COPY --link= a b", "Missing a value on flag: link"),
            ("COPY --link=1 a b", "Expecting boolean value for flag link, not: 1"),
            ("COPY --from=a --from=b a b", "Duplicate flag specified: from"),
            ("ADD --from=x a b", "Unknown flag: from"),
            ("ADD [\"a\", \"<<EOF\"]", "ADD cannot accept a heredoc as a destination"),
            ("FROM", "one or three"),
            ("FROM a b", "one or three"),
            ("FROM a AS 1b", "invalid name for build stage: \"1b\""),
            ("FROM --x=y a", "Unknown flag: x"),
            ("ONBUILD", "ONBUILD requires at least one argument"),
            ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD"),
            ("ONBUILD FROM x", "FROM isn't allowed"),
            ("onbuild maintainer x", "MAINTAINER isn't allowed"),
            ("ONBUILD ENV a", "ENV must have two arguments"),
            ("RUN --foo=x y", "Unknown flag: foo"),
            ("RUN --network=x y", "network \"x\" is not valid"),
            ("CMD --x y", "Unknown flag: x"),
            ("HEALTHCHECK", "at least one"),
            ("HEALTHCHECK NONE x", "takes no arguments"),
            ("HEALTHCHECK foo", "Unknown type \"FOO\""),
            ("HEALTHCHECK CMD", "Missing command"),
            ("HEALTHCHECK CMD []", "Missing command"),
            ("HEALTHCHECK --interval=5 CMD x", "missing unit"),
            ("HEALTHCHECK --interval=5us CMD x", "cannot be less than 1ms"),
            ("HEALTHCHECK --retries=x CMD x", "not a number"),
            ("HEALTHCHECK --retries=-1 CMD x", "negative"),
            ("EXPOSE", "at least one"),
            ("VOLUME", "at least one"),
            ("VOLUME []", "at least one"),
            ("VOLUME [\"/a\", \" \"]", "empty string"),
            ("SHELL", "at least one"),
            ("SHELL []", "at least one"),
            ("SHELL bash", "JSON form"),
            ("CMD [1]", "strings only"),
            ("HEALTHCHECK NONE [1]", "strings only"),
            ("RUN <<EOF", "unterminated heredoc"),
        ] {
            refused(line, message);
        }
    }

    #[test]
    fn what_buildkit_accepts_is_accepted() {
        for line in [
            "RUN",
            "CMD",
            "ENTRYPOINT []",
            "ARG --whatever a",
            "STOPSIGNAL --x y",
            "HEALTHCHECK --x NONE",
            "HEALTHCHECK --interval=0 --timeout=1h2m3.5s --retries=3 CMD [\"x\"]",
            "ONBUILD FOO x",
            "ONBUILD RUN",
            "COPY --link --parents=TRUE --exclude=a --exclude=b a b",
            "ADD --keep-git-dir=true --checksum=x --unpack a b",
            "RUN --mount=type=cache,target=/a --mount=type=tmpfs,target=/b --network=none x",
            "FROM --platform=linux/amd64 a As b-C_1.0",
            "USER a b",
            "WORKDIR /a b",
            "VOLUME a b",
        ] {
            accepted(line);
        }
    }

    #[test]
    fn a_stage_must_come_first() {
        let file = parse("ARG a\nRUN x\nRUN y\nFROM a\n");
        assert_eq!(file.diagnostics.len(), 1);
        assert_eq!(file.diagnostics[0].message, "no build stage in current context");
        assert_eq!(parse("ARG a\n").diagnostics[0].message, "dockerfile contains no stages to build");
        assert_eq!(parse("").diagnostics[0].message, "file with no instructions");
    }
}
