//! Trees as one line, for expectations.

use crate::shell::*;

/// What a script was read as, or why it wasn't.
pub(super) fn read(text: &str) -> String {
    match parse(text, crate::LogicalSpan::new(0, text.len())) {
        Ok(tree) => {
            let comment = tree.comment.map_or(String::new(), |span| format!(" {}", &text[span.range()]));
            list(&tree) + &comment
        }
        Err(opaque) => format!("{} at {}", opaque.reason, opaque.offset),
    }
}

fn list(list: &List<'_>) -> String {
    let entries = list.entries.iter().map(|entry| {
        let joiner = entry.joiner.map_or("", |joiner| match joiner.kind {
            JoinerKind::And => " &&",
            JoinerKind::Or => " ||",
            JoinerKind::Semicolon => ";",
            JoinerKind::Background => " &",
            JoinerKind::Newline => " NL",
        });
        pipeline(&entry.pipeline) + joiner
    });
    entries.collect::<Vec<_>>().join(" ")
}

fn pipeline(pipeline: &Pipeline<'_>) -> String {
    let commands = pipeline.commands.iter().map(command).collect::<Vec<_>>().join(" | ");
    format!("{}{commands}", if pipeline.negated { "! " } else { "" })
}

fn command(command: &Command<'_>) -> String {
    let (inner, redirections) = match command {
        Command::Simple(simple) => {
            let assignments = simple.assignments.iter().map(|assignment| {
                let operator = if assignment.append { "+=" } else { "=" };
                format!("{}{operator}{}", assignment.name, word(&assignment.value))
            });
            let words: Vec<_> = assignments.chain(simple.words.iter().map(word)).collect();
            (words.join(" "), &simple.redirections)
        }
        Command::Compound(compound) => (compound_kind(&compound.kind), &compound.redirections),
    };
    let redirections = redirections.iter().map(|redirection| {
        let descriptor = redirection.descriptor.map_or(String::new(), |number| number.to_string());
        format!(" {descriptor}{}{}", redirection.operator, word(&redirection.target))
    });
    format!("[{}]", inner + &redirections.collect::<String>())
}

fn compound_kind(kind: &CompoundKind<'_>) -> String {
    match kind {
        CompoundKind::Subshell(body) => format!("subshell {}", list(body)),
        CompoundKind::Group(body) => format!("group {}", list(body)),
        CompoundKind::If { branches, otherwise } => {
            let branches = branches.iter().map(|(a, b)| format!("if {} then {}", list(a), list(b)));
            let otherwise = otherwise.as_ref().map_or(String::new(), |body| format!(" else {}", list(body)));
            branches.collect::<Vec<_>>().join(" ") + &otherwise
        }
        CompoundKind::For { name, words: over, body } => {
            let over = over.as_ref().map_or(String::new(), |over| format!(" in ({})", words(over)));
            format!("for {name}{over} do {}", list(body))
        }
        CompoundKind::While { until, condition, body } => {
            format!("{} {} do {}", if *until { "until" } else { "while" }, list(condition), list(body))
        }
        CompoundKind::Case { word: subject, arms } => {
            let arms = arms.iter().map(|(patterns, body)| format!(" ({}) {}", words(patterns), list(body)));
            format!("case {}{}", word(subject), arms.collect::<String>())
        }
        CompoundKind::Function { name, body } => format!("function {name} {}", command(body)),
        CompoundKind::Test(test) => format!("test {}", words(test)),
        CompoundKind::Arithmetic(_) => "arithmetic".to_owned(),
    }
}

fn words(all: &[Word<'_>]) -> String {
    all.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn literal(text: &str) -> String {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "'\"\\$`;&|()<>*?#{}".contains(c)) {
        format!("{text:?}")
    } else {
        text.to_owned()
    }
}

fn word(word: &Word<'_>) -> String {
    match &word.content {
        Content::Literal(text) => literal(text),
        Content::Parts(parts) => format!("<{}>", parts.iter().map(part).collect::<Vec<_>>().join(" ")),
    }
}

fn part(part: &Part<'_>) -> String {
    let quote = |quoted: &bool, text: String| if *quoted { format!("q{text}") } else { text };
    match part {
        Part::Text(text) => literal(text),
        Part::Parameter { name, operation: "", quoted, .. } => quote(quoted, format!("${name}")),
        Part::Parameter { name, operation, quoted, .. } => quote(quoted, format!("${{{name} {operation}}}")),
        Part::Command { list: Some(inner), quoted, .. } => quote(quoted, format!("$({})", list(inner))),
        Part::Command { list: None, quoted, .. } => quote(quoted, "$(unread)".to_owned()),
        Part::Arithmetic(_) => "ARITHMETIC".to_owned(),
        Part::Glob(span) => format!("GLOB{}", span.len()),
        Part::Tilde(span) => format!("TILDE{}", span.len()),
        Part::Brace(span) => format!("BRACE{}", span.len()),
    }
}
