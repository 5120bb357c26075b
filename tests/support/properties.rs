//! What holds for every text; shared by the tests and the fuzz targets.

use dockeropt::pipeline::{Options, Outcome, optimize};
use dockeropt_syntax::shell::{self, Command, List};
use dockeropt_syntax::{Dockerfile, Item, LogicalSpan, Text, Trivia, parse};

/// The options under which everything is checked: with safe fixes only, and with all.
pub fn both() -> [Options; 2] {
    [Options::default(), Options { allow_unsafe: true, ..Options::default() }]
}

/// Bytes come back as they were, and the items of a file tile its text.
pub fn lossless(bytes: &[u8]) -> Result<(), String> {
    let text = Text::decode(bytes.to_vec());
    if Text::encode(text.as_str()).as_ref() != bytes {
        return Err("the bytes differ after decoding and encoding".to_owned());
    }
    let file = parse(text.as_str());
    if file.print() != text.as_str() {
        return Err("the text differs after reading and printing".to_owned());
    }
    let mut at = 0;
    for span in file.items.iter().map(Item::span) {
        if span.start != at || span.end < at {
            return Err(format!("the item at {span:?} does not follow the one that ends at {at}"));
        }
        at = span.end;
    }
    Ok(())
}

/// The result is accepted if the text was, it keeps every comment, and the check found no bug.
pub fn valid(text: &str, options: &Options) -> Result<Outcome, String> {
    let outcome = optimize(text, options);
    if let Some(bug) = outcome.bugs.first() {
        return Err(format!("{}: {}", bug.transform.unwrap_or("bug"), bug.message));
    }
    // Who names one must not get another.
    let mut names: Vec<&str> = outcome.held_back.iter().map(|fix| fix.fingerprint.as_str()).collect();
    names.extend(outcome.fixes.iter().map(|fix| fix.fingerprint.as_str()));
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two fixes are called {}", pair[0]));
    }
    let before = parse(text);
    if !before.diagnostics.is_empty() {
        return same(text, &outcome.after, "a file that is refused was changed").map(|()| outcome);
    }
    let after = parse(&outcome.after);
    if let Some(diagnostic) = after.diagnostics.first() {
        return Err(format!("the result is refused: {}", diagnostic.message));
    }
    let mut kept = comments(&after);
    for comment in comments(&before) {
        let Some(at) = kept.iter().position(|other| *other == comment) else {
            return Err(format!("the comment `{comment}` is lost"));
        };
        kept.swap_remove(at);
    }
    Ok(outcome)
}

/// A second run changes nothing.
pub fn stable(outcome: &Outcome, options: &Options) -> Result<(), String> {
    let again = optimize(&outcome.after, options);
    let what = again.fixes.first().map_or("a second run changes more", |fix| fix.title.as_str());
    same(&outcome.after, &again.after, what)
}

/// A script is read without a panic, and its commands stand in order, within each other.
pub fn script(text: &str) -> Result<(), String> {
    let whole = LogicalSpan::new(0, text.len());
    match shell::parse(text, whole) {
        Ok(list) => in_order(text, whole, &list),
        Err(opaque) if opaque.offset > text.len() => Err("an offset outside the text".to_owned()),
        Err(_) => Ok(()),
    }
}

fn in_order(text: &str, outer: LogicalSpan, list: &List<'_>) -> Result<(), String> {
    let mut at = outer.start;
    let mut follows = |span: LogicalSpan| {
        let right = at <= span.start && span.end <= outer.end && text.get(span.range()).is_some();
        at = span.end;
        if right { Ok(()) } else { Err(format!("{span:?} is out of order")) }
    };
    for entry in &list.entries {
        follows(entry.pipeline.span)?;
        if let Some(joiner) = entry.joiner {
            follows(joiner.span)?;
        }
    }
    for command in list.entries.iter().flat_map(|entry| &entry.pipeline.commands) {
        let Command::Simple(simple) = command else { continue };
        let mut at = simple.span.start;
        for word in &simple.words {
            if word.span.start < at || word.span.end > simple.span.end {
                return Err(format!("the word at {:?} is out of order", word.span));
            }
            at = word.span.end;
        }
    }
    Ok(())
}

/// The comments of a file, also those between continuation lines, without surrounding white space.
pub fn comments<'t>(file: &Dockerfile<'t>) -> Vec<&'t str> {
    let mut spans = Vec::new();
    for item in &file.items {
        match item {
            Item::Comment(span) => spans.push(*span),
            Item::Instruction(instruction) => {
                spans.extend(instruction.trivia.iter().filter_map(|trivia| match trivia {
                    Trivia::Comment(span) => Some(*span),
                    Trivia::Empty(_) => None,
                }));
            }
            _ => {}
        }
    }
    spans.into_iter().map(|span| file.text[span.range()].trim()).collect()
}

fn same(expected: &str, found: &str, what: &str) -> Result<(), String> {
    let Some(line) = expected.lines().zip(found.lines()).position(|(a, b)| a != b) else {
        let equal = expected == found;
        return if equal { Ok(()) } else { Err(format!("{what}: an end differs")) };
    };
    Err(format!("{what}: line {} is now `{}`", line + 1, found.lines().nth(line).unwrap_or_default()))
}
