//! What holds for every text.

use proptest::prelude::*;

use crate::LogicalSpan;
use crate::shell::*;

/// Checks that spans nest and are ordered.
struct Places<'t>(&'t str);

impl Places<'_> {
    fn within(&self, outer: LogicalSpan, spans: impl IntoIterator<Item = LogicalSpan>) {
        let mut at = outer.start;
        for span in spans {
            assert!(span.start >= at && outer.contains(span), "{span:?} in {outer:?} of {:?}", self.0);
            assert!(self.0.get(span.range()).is_some(), "{span:?} cuts a character of {:?}", self.0);
            at = span.end;
        }
    }

    fn list(&self, outer: LogicalSpan, list: &List<'_>) {
        self.within(outer, std::iter::once(list.span).chain(list.comment));
        let last = list.entries.len().wrapping_sub(1);
        let mut at = list.span.start;
        for (index, entry) in list.entries.iter().enumerate() {
            self.within(LogicalSpan::new(at, list.span.end), [entry.pipeline.span]);
            at = entry.pipeline.span.end;
            if let Some(joiner) = entry.joiner {
                assert!(joiner.span.start >= at, "{joiner:?} of {:?}", self.0);
                assert!(self.0.get(joiner.span.range()).is_some());
                at = joiner.span.end;
            } else {
                assert_eq!(index, last);
            }
            self.within(entry.pipeline.span, entry.pipeline.commands.iter().map(Command::span));
            entry.pipeline.commands.iter().for_each(|command| self.command(command));
        }
    }

    fn command(&self, command: &Command<'_>) {
        let outer = command.span();
        assert!(!outer.is_empty());
        let redirections = match command {
            Command::Simple(simple) => {
                self.within(outer, simple.assignments.iter().map(|assignment| assignment.span));
                self.words(outer, &simple.words);
                for assignment in &simple.assignments {
                    self.words(assignment.span, std::slice::from_ref(&assignment.value));
                }
                &simple.redirections
            }
            Command::Compound(compound) => {
                self.compound(outer, &compound.kind);
                &compound.redirections
            }
        };
        self.within(outer, redirections.iter().map(|redirection| redirection.span));
        for redirection in redirections {
            self.words(redirection.span, std::slice::from_ref(&redirection.target));
        }
    }

    fn compound(&self, outer: LogicalSpan, kind: &CompoundKind<'_>) {
        match kind {
            CompoundKind::Subshell(list) | CompoundKind::Group(list) => self.list(outer, list),
            CompoundKind::If { branches, otherwise } => {
                let lists = branches.iter().flat_map(|(a, b)| [a, b]).chain(otherwise);
                self.within(outer, lists.clone().map(|list| list.span));
                lists.for_each(|list| self.list(outer, list));
            }
            CompoundKind::For { words, body, .. } => {
                self.words(outer, words.as_deref().unwrap_or_default());
                self.list(outer, body);
            }
            CompoundKind::While { condition, body, .. } => {
                self.within(outer, [condition.span, body.span]);
                self.list(outer, condition);
                self.list(outer, body);
            }
            CompoundKind::Case { word, arms } => {
                self.words(outer, std::slice::from_ref(word));
                for (patterns, list) in arms {
                    self.words(outer, patterns);
                    self.list(outer, list);
                }
            }
            CompoundKind::Function { body, .. } => {
                self.within(outer, [body.span()]);
                self.command(body);
            }
            CompoundKind::Test(words) => self.words(outer, words),
            CompoundKind::Arithmetic(span) => self.within(outer, [*span]),
        }
    }

    fn words(&self, outer: LogicalSpan, words: &[Word<'_>]) {
        self.within(outer, words.iter().map(|word| word.span));
        for word in words {
            let Content::Parts(parts) = &word.content else { continue };
            assert!(!parts.is_empty());
            let mut at = word.span.start;
            for part in parts {
                let span = match part {
                    Part::Text(_) => continue,
                    Part::Parameter { span, .. } | Part::Command { span, .. } => *span,
                    Part::Arithmetic(span) | Part::Glob(span) | Part::Tilde(span) | Part::Brace(span) => {
                        *span
                    }
                };
                self.within(word.span, [span]);
                // Commands within an expansion follow it, so that only the starts are in order.
                assert!(span.start >= at, "{part:?} of {:?}", self.0);
                at = span.start;
                if let Part::Command { span, list: Some(list), .. } = part {
                    self.list(*span, list);
                }
            }
        }
    }
}

fn check(text: &str) {
    let whole = LogicalSpan::new(0, text.len());
    match parse(text, whole) {
        Ok(list) => Places(text).list(whole, &list),
        Err(opaque) => assert!(opaque.offset <= text.len()),
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b ",
        " ",
        "\n",
        "\\\n",
        "\\",
        ";",
        ";;",
        "&",
        "&&",
        "|",
        "||",
        "(",
        ")",
        "((",
        "))",
        "{ ",
        " }",
        "}",
        "'",
        "\"",
        "`",
        "$",
        "$x",
        "${",
        "${x",
        ":-",
        "$(",
        "$((",
        "<",
        ">",
        "<<E",
        "\nE\n",
        "2>",
        "#",
        "! ",
        "~",
        "*",
        "[",
        "]",
        "[[ ",
        " ]]",
        "if ",
        "then ",
        "else ",
        "fi ",
        "for x in ",
        "do ",
        "done ",
        "while ",
        "case x in ",
        "esac ",
        "f()",
        "x=",
        "{a,",
        "é",
        ",",
        "..",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn never_panics_and_spans_nest(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn never_panics_and_spans_nest_in_shell_like_texts(text in pieces()) {
        check(&text);
    }

    #[test]
    fn reads_a_part_like_a_text(text in pieces(), before in "[é&' ]{0,4}", after in "[é)' ]{0,4}") {
        let whole = format!("{before}{text}{after}");
        let span = LogicalSpan::new(before.len(), before.len() + text.len());
        match (parse(&text, LogicalSpan::new(0, text.len())), parse(&whole, span)) {
            (Ok(_), Ok(list)) => Places(&whole).list(span, &list),
            (Err(alone), Err(part)) => {
                prop_assert_eq!((alone.reason, alone.offset + before.len()), (part.reason, part.offset));
            }
            (alone, part) => prop_assert!(false, "{:?} but {:?}", alone, part),
        }
    }
}

#[test]
fn hostile_texts_take_little_time() {
    let started = std::time::Instant::now();
    let units = [
        "(",
        "( ",
        "$(",
        "$( ",
        "${a:-",
        "\"${a:-",
        "\"$(",
        "`",
        "$((",
        "((",
        "{ ",
        "{",
        "{a,",
        "{a,b}",
        "}",
        "[",
        "*",
        "'",
        "\"",
        "\\",
        "!",
        "! ",
        "if ",
        "case x in a) ",
        "a() ",
        "a(",
        "[[ ",
        "~",
        "<<E ",
        "<<E\n",
        "\\\n",
        "a=",
        "#",
        "`a` ",
        "&&",
        ";",
        "\n",
        "a;",
        "a|",
        "a ",
        "''",
        "\"\"",
        "$x",
        "$(a)",
        "é",
        "{..",
        "while ",
        "for x in ",
    ];
    for unit in units {
        check(&unit.repeat(300_000 / unit.len()));
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
