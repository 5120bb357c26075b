//! The answers of BuildKit's parser to small files. `DOCKEROPT_CONFORMANCE` names the file with them:
//! one JSON object a line, with `input` and BuildKit's answer.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail")]

use dockeropt_syntax::{Dockerfile, Instruction, Item, Operation, parse};
use serde_json::{Value, json};

#[test]
fn buildkit_agrees() {
    let Ok(path) = std::env::var("DOCKEROPT_CONFORMANCE") else {
        println!("skipped: DOCKEROPT_CONFORMANCE is not set");
        return;
    };
    let cases = std::fs::read_to_string(path).unwrap();
    let mut failures = Vec::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let input = case["input"].as_str().unwrap();
        let file = parse(input);
        assert_eq!(file.print(), input);
        if let Err(difference) = compare(&file, &case["buildkit"]) {
            failures.push(format!("{} {}: {input:?}\n{difference}", case["group"], case["name"]));
        }
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn compare(file: &Dockerfile<'_>, answer: &Value) -> Result<(), String> {
    let accepted = answer["instr_ok"] == true;
    if accepted != file.diagnostics.is_empty() {
        return Err(format!("diagnostics {:?}, BuildKit: {answer}", file.diagnostics));
    }
    let message = [&answer["err"], &answer["instr_err"]].into_iter().find_map(Value::as_str);
    if let Some(message) = message {
        let fault = &file.diagnostics[0];
        if !message.ends_with(&fault.message) {
            return Err(format!("{:?}, BuildKit: {message:?}", fault.message));
        }
        let line = file.text[..fault.span.start].matches('\n').count() + 1;
        if message.contains("on line") && !message.contains(&format!("on line {line}:")) {
            return Err(format!("line {line}, BuildKit: {message:?}"));
        }
    }
    if answer["ok"] != true {
        return Ok(());
    }
    if answer["escape"] != file.escape.to_string() {
        return Err(format!("escape {:?}", file.escape));
    }
    if has_empty_continuation(file) != (answer["warn"] != 0) {
        return Err("empty continuation lines".to_owned());
    }
    let nodes = answer["nodes"].as_array().unwrap();
    let instructions: Vec<_> = file.instructions().collect();
    if nodes.len() != instructions.len() {
        return Err(format!("{} instructions, BuildKit: {}", instructions.len(), nodes.len()));
    }
    for (instruction, node) in instructions.into_iter().zip(nodes) {
        let (mut found, mut expected) = (node_of(instruction, file), node.clone());
        // What is absent, null and empty is told apart by the answers, but not by the parser.
        for value in [&mut found, &mut expected] {
            value.as_object_mut().unwrap().retain(|_, value| {
                !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
            });
        }
        if found != expected {
            return Err(format!("found    {found}\nBuildKit {expected}"));
        }
    }
    Ok(())
}

fn has_empty_continuation(file: &Dockerfile<'_>) -> bool {
    let is_empty = |trivia: &dockeropt_syntax::Trivia| matches!(trivia, dockeropt_syntax::Trivia::Empty(_));
    file.items.iter().filter_map(Item::instruction).any(|found| found.trivia.iter().any(is_empty))
}

fn node_of(instruction: &Instruction<'_>, file: &Dockerfile<'_>) -> Value {
    let operation = &instruction.operation;
    // The answers have all keywords in capitals.
    let keyword = |operation: &Operation| instruction.logical.get(operation.keyword_span).to_uppercase();
    let flags = |operation: &Operation| -> Vec<String> {
        operation.flags.iter().map(|flag| flag.text.clone()).collect()
    };
    let inner = operation.trigger.as_deref();
    let heredocs = instruction.heredocs.iter().map(|heredoc| {
        json!({
            "name": heredoc.name,
            "fd": heredoc.file_descriptor,
            "expand": heredoc.expand,
            "chomp": heredoc.chomp,
            "content": &file.text[heredoc.body.range()],
        })
    });
    json!({
        "cmd": keyword(operation),
        "sub": inner.map(keyword),
        "start": instruction.start_line,
        "end": instruction.end_line,
        "flags": flags(operation),
        "subflags": inner.map(flags),
        "json": inner.unwrap_or(operation).json.is_some(),
        "args": operation.buildkit_args(&instruction.logical, file.escape),
        "original": &*instruction.logical.text,
        "heredocs": heredocs.collect::<Vec<_>>(),
    })
}
