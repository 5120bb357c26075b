//! What a word with variables in it stands for, as BuildKit expands it in ADD, COPY, ENV, EXPOSE,
//! FROM, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::lexer::{self, Lookup, Mode};

/// The value of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expanded {
    /// Quotes and escapes removed, variables replaced.
    Known(String),
    /// A variable that matters is unknown, or BuildKit refuses the word.
    Unknown,
}

impl Expanded {
    /// The value, if it is known.
    pub fn known(self) -> Option<String> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }
}

/// Expands `word`, as written and with its quotes, in a file whose escape character is `escape`.
/// `lookup` gives a variable's value by its name.
pub fn expand(word: &str, escape: char, lookup: &dyn Fn(&str) -> Lookup) -> Expanded {
    let mode = Mode { escape, raw_quotes: false, raw_escapes: false, variables: Some(lookup) };
    match lexer::value(word, mode) {
        Ok(Some(value)) => Expanded::Known(value),
        Ok(None) | Err(_) => Expanded::Unknown,
    }
}

/// The names of all variables that `word` reads, each once, in the order in which BuildKit
/// looks them up; also those in a default that may not be used. For a word that BuildKit refuses, those up to the fault.
pub fn variables(word: &str, escape: char) -> Vec<String> {
    let names = RefCell::new((Vec::new(), BTreeSet::new()));
    let note = |name: &str| {
        let (names, seen) = &mut *names.borrow_mut();
        if seen.insert(name.to_owned()) {
            names.push(name.to_owned());
        }
        Lookup::Unknown
    };
    expand(word, escape, &note);
    names.into_inner().0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(name: &str) -> Lookup {
        match name {
            "v" => Lookup::Known("value.tar.gz".into()),
            "empty" => Lookup::Known(String::new()),
            "spaced" => Lookup::Known("a  b".into()),
            "star" => Lookup::Known("a*b".into()),
            "unknown" => Lookup::Unknown,
            _ => Lookup::Unset,
        }
    }

    #[track_caller]
    fn check(word: &str, expected: &str) {
        assert_eq!(expand(word, '\\', &look_up), Expanded::Known(expected.into()), "{word}");
    }

    #[track_caller]
    fn unknown(word: &str) {
        assert_eq!(expand(word, '\\', &look_up), Expanded::Unknown, "{word}");
    }

    #[test]
    fn quotes_and_escapes_are_removed() {
        check("plain", "plain");
        check("a'b c'\"d \\\" e\"\\ f", "ab cd \" e f");
        check("'$v' \"$v\" \\$v", "$v value.tar.gz $v");
        check("\"a\\nb\\\\\"", "a\\nb\\");
        check("end\\", "end");
        check("a<b <<c", "a<b <<c");
        assert_eq!(expand("C:\\x`$v", '`', &look_up), Expanded::Known("C:\\x$v".into()));
        unknown("'open");
        unknown("\"open");
    }

    #[test]
    fn variables_are_replaced() {
        check("$v-${v}x$none${none}", "value.tar.gz-value.tar.gzx");
        check("${spaced}", "a  b");
        check("$ $. a$", "$ $. a$");
        check("$1$@x", "x");
        unknown("$unknown");
        unknown("${");
        unknown("${}");
        unknown("${{x}");
        unknown("${x");
        unknown("${x^^}");
    }

    #[test]
    fn modifiers_work() {
        check("${none:-d e}${empty:-e}${empty-e}${v:-f}", "d eevalue.tar.gz");
        check("${none:+d}${empty:+e}${empty+e}${v:+f}", "ef");
        check("${v:?m}${empty?m}", "value.tar.gz");
        check("${none:-${v:-x}}", "value.tar.gz");
        check("${none:-\"}\"}", "}");
        unknown("${none:?m}");
        unknown("${empty:?m}");
        unknown("${v:=x}");
        check("${v:-$unknown}", "value.tar.gz");
        unknown("${none:-$unknown}");
        unknown("${unknown:-a}");
    }

    #[test]
    fn patterns_work() {
        check("${v#*a}${v##*a}", "lue.tar.gzr.gz");
        check("${v%.*}${v%%.*}", "value.tarvalue");
        check("${v#x}${v%?z}", "value.tar.gzvalue.tar.");
        check("${star#a\\*}", "b");
        check("${star%\\*b}", "a");
        check("${v/a/A}${v//a/A}", "vAlue.tar.gzvAlue.tAr.gz");
        check("${v//./}", "valuetargz");
        check("${v/.*/}", "value");
        check("${empty//*/x}${v//*/x}", "xx");
        check("${v/\\//}", "value.tar.gz");
        unknown("${v#\\a}");
        unknown("${v/a}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        unknown(&("${a:-".repeat(1_000_000) + &"}".repeat(1_000_000)));
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(variables("$a/${b:-$c}/'$d'/\"${a}\"/${e#f}", '\\'), ["a", "c", "b", "e"]);
    }
}
