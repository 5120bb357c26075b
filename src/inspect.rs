//! `inspect`: what a Dockerfile says, as JSON.

mod stages;

use dockeropt_facts::Facts;
use dockeropt_syntax::{Dockerfile, Instruction, Keyword, Operation, Span};
use serde_json::{Map, Value, json};

use crate::redact::{HIDDEN, Redacted, is_reference, is_secret, is_secret_option, redact};

/// The instructions of a file: `cmd`, `start`, `end` (lines), `flags`, `json`, `args` and
/// `heredocs` as BuildKit's parser has them, and `span`, the bytes that the instruction covers.
/// The instruction that an ONBUILD defers is given by `sub` and `subflags`.
///
/// `stages` has what is known of each stage; see the module `stages`. It is empty for a file that
/// BuildKit refuses.
///
/// Values that look secret are replaced by `***`.
///
/// Spans are byte offsets in the file's text; for a file that is not UTF-8, in that text as
/// [`dockeropt_syntax::Text`] holds it.
pub fn json(file: &Dockerfile<'_>) -> Value {
    let stages = if file.diagnostics.is_empty() { stages::json(&Facts::new(file)) } else { json!([]) };
    let mut value = json!({
        "escape": file.escape.to_string(),
        "instructions": file.instructions().map(|i| instruction(file, i)).collect::<Vec<_>>(),
        "stages": stages,
    });
    hide_secrets(&mut value, &redact(file.text));
    value
}

/// Hides the secrets in all texts of a value.
fn hide_secrets(value: &mut Value, secrets: &Redacted<'_>) {
    match value {
        Value::String(text) => *text = redact(&secrets.scrub(text)).text.into_owned(),
        Value::Array(values) => values.iter_mut().for_each(|value| hide_secrets(value, secrets)),
        Value::Object(map) => {
            for (key, value) in map {
                hide_secrets(value, secrets);
                hide_if_secret(key, value);
            }
        }
        _ => {}
    }
}

/// Hides the value of a variable with that name, if it looks secret.
fn hide_if_secret(name: &str, value: &mut Value) {
    if is_secret(name) {
        hide(value);
    }
}

/// Hides a value that is not just a reference to a variable.
fn hide(value: &mut Value) {
    if value.as_str().is_some_and(|value| !value.is_empty() && !is_reference(value)) {
        *value = json!(HIDDEN);
    }
}

fn instruction(file: &Dockerfile<'_>, instruction: &Instruction<'_>) -> Value {
    let (text, escape) = (file.text, file.escape);
    let operation = &instruction.operation;
    let effective = operation.trigger.as_deref().unwrap_or(operation);
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("cmd", json!(name(instruction, operation)));
    if let Some(trigger) = &operation.trigger {
        set("sub", json!(name(instruction, trigger)));
    }
    set("start", json!(instruction.start_line));
    set("end", json!(instruction.end_line));
    set("span", span(instruction.span));
    set("flags", flags(operation));
    if operation.trigger.as_ref().is_some_and(|trigger| !trigger.flags.is_empty()) {
        set("subflags", flags(effective));
    }
    set("json", json!(effective.json.is_some()));
    let mut arguments: Vec<_> =
        arguments(instruction, effective, escape).into_iter().map(Value::from).collect();
    if matches!(effective.keyword, Keyword::Env | Keyword::Label) {
        // Each variable is a name, its value and the sign between them.
        for variable in arguments.chunks_exact_mut(3) {
            if let [Value::String(name), value, _] = variable {
                hide_if_secret(name, value);
            }
        }
    }
    if effective.json.is_some() {
        for at in 1..arguments.len() {
            let is_value = !arguments[at].as_str().is_none_or(|word| word.starts_with("--"));
            if is_value && arguments[at - 1].as_str().is_some_and(is_secret_option) {
                hide(&mut arguments[at]);
            }
        }
    }
    set("args", Value::Array(arguments));
    if !instruction.heredocs.is_empty() {
        set("heredocs", heredocs(text, instruction));
    }
    Value::Object(object)
}

/// The keyword in capitals.
fn name(instruction: &Instruction<'_>, operation: &Operation) -> String {
    let known = Keyword::ALL.iter().find(|(keyword, _)| *keyword == operation.keyword);
    known.map_or_else(
        || instruction.logical.get(operation.keyword_span).to_ascii_uppercase(),
        |(_, name)| (*name).to_owned(),
    )
}

fn flags(operation: &Operation) -> Value {
    operation.flags.iter().map(|flag| flag.text.as_str()).collect()
}

/// The arguments as BuildKit's parser splits them.
fn arguments(instruction: &Instruction<'_>, operation: &Operation, escape: char) -> Vec<String> {
    operation.buildkit_args(&instruction.logical, escape)
}

fn heredocs(text: &str, instruction: &Instruction<'_>) -> Value {
    let heredocs = instruction.heredocs.iter().map(|heredoc| {
        json!({
            "name": heredoc.name,
            "fd": heredoc.file_descriptor,
            "expand": heredoc.expand,
            "chomp": heredoc.chomp,
            "content": text[heredoc.body.range()],
            "span": span(heredoc.body),
        })
    });
    heredocs.collect()
}

fn span(span: Span) -> Value {
    json!([span.start, span.end])
}
