//! What holds for any text at all.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail")]

use std::time::{Duration, Instant};

use dockeropt_syntax::{Instruction, Item, LogicalSpan, Operation, Text, parse};
use proptest::prelude::*;

/// Checks one text: nothing lost, no gap, all spans inside.
fn check(text: &str) {
    let file = parse(text);
    assert_eq!(file.print(), text);
    let mut at = 0;
    for item in &file.items {
        assert_eq!(item.span().start, at, "{text:?}");
        assert!(!item.span().is_empty(), "{text:?}");
        at = item.span().end;
        if let Item::Instruction(instruction) = item {
            check_instruction(instruction, text, file.escape);
        }
    }
    assert_eq!(at, text.len());
    for diagnostic in &file.diagnostics {
        assert!(text.get(diagnostic.span.range()).is_some(), "{text:?}: {diagnostic:?}");
    }
}

fn check_instruction(instruction: &Instruction<'_>, text: &str, escape: char) {
    let logical = &instruction.logical;
    let inside = |span: LogicalSpan| {
        assert!(logical.text.get(span.range()).is_some(), "{text:?}: {span:?}");
        let source = logical.source_span(span);
        assert!(text.get(source.range()).is_some(), "{text:?}: {source:?}");
        assert!(instruction.span.contains(source), "{text:?}: {source:?}");
        if logical.on_one_line(span) {
            assert_eq!(logical.get(span), &text[source.range()]);
        }
    };
    let mut operations: Vec<&Operation> = vec![&instruction.operation];
    operations.extend(instruction.operation.trigger.as_deref());
    for operation in operations {
        inside(operation.keyword_span);
        inside(operation.arguments);
        operation.flags.iter().for_each(|flag| inside(flag.span));
        operation.json.iter().flatten().for_each(|word| inside(word.span));
        operation.words(logical, escape).iter().for_each(|word| inside(word.span));
        operation.name_values(logical, escape).iter().for_each(|pair| inside(pair.span()));
        operation.declarations(logical, escape).iter().for_each(|declared| inside(declared.span()));
        operation.buildkit_args(logical, escape);
    }
    let (start, end) = (instruction.start_line, instruction.end_line);
    let lines = text[instruction.span.range()].lines().count().max(1);
    assert_eq!(lines, end - start + 1, "{text:?}");
}

fn fragment() -> impl Strategy<Value = String> {
    const FRAGMENTS: &[&str] = &[
        "FROM a",
        "RUN ",
        "run",
        "COPY ",
        "ADD ",
        "ENV ",
        "LABEL",
        "ARG ",
        "ONBUILD ",
        "CMD ",
        "HEALTHCHECK ",
        "VOLUME ",
        "SHELL ",
        "EXPOSE 80",
        "USER ",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\\\n",
        "\\\n",
        "`\n",
        " ",
        "\t",
        "# ",
        "#",
        "# escape=`\n",
        "# escape=\\\n",
        "# syntax=x",
        "# check=",
        "\\",
        "`",
        "<<EOF",
        "EOF\n",
        "<<-'A B' ",
        "A B",
        "<< EOF",
        "3<<E",
        "[",
        "]",
        "[\"a\", \"b\"]",
        "\"",
        "'",
        ",",
        "\\u12",
        "--a=b ",
        "--",
        "--from=x ",
        "=",
        "a=b ",
        "${x",
        "${x:-",
        "}",
        "$",
        "\u{feff}",
        "\u{a0}",
        "\u{85}",
        "\u{2003}",
        "é",
        "漢",
        "\u{f7e9}",
        "\u{b}",
        "\u{c}",
        "\r",
        "&& x",
        "\0",
        "NONE",
        "CMD [\"x\"]",
    ];
    prop_oneof![
        20 => proptest::sample::select(FRAGMENTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn nothing_is_lost(fragments in proptest::collection::vec(fragment(), 0..30)) {
        check(&fragments.concat());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let text = Text::decode(bytes.clone());
        check(text.as_str());
        let printed = parse(text.as_str()).print();
        prop_assert_eq!(&*Text::encode(&printed), &bytes[..]);
    }
}

#[test]
fn hostile_files_are_read_in_linear_time() {
    let line = "RUN apt-get update && apt-get install -y curl # and more of the same\n";
    for text in [
        format!("FROM a\n{}RUN x\n", "ONBUILD ".repeat(20_000)),
        format!("FROM a\n{}", "ONBUILD \\\n".repeat(100_000)),
        format!("FROM a\nRUN x{}\n", " \\\n  y".repeat(100_000)),
        format!("FROM a\nRUN x \\\n{}", "# c\n\n".repeat(200_000)),
        format!("FROM a\nRUN {}\n", "x".repeat(1_000_000)),
        format!("FROM a\nRUN [{}\n", "\\\n[".repeat(300_000)),
        format!("FROM a\nRUN << a {}\n", "${a:-\\\n".repeat(300_000)),
        format!("FROM a\nRUN {}\n", "<<A \\\n".repeat(100_000)),
        format!("FROM a\nENV {}\n", "a=\"$b\" \\\n".repeat(100_000)),
        format!("FROM a\nCOPY {} x\n", "--exclude=a \\\n".repeat(100_000)),
        format!("FROM a\nCOPY {} x\n", "--a \\\n".repeat(100_000)),
        "RUN x\n".repeat(100_000),
        "\\\n".repeat(500_000),
        format!("FROM a\n{}", line.repeat(10_000_000 / line.len())),
    ] {
        let start = Instant::now();
        let file = parse(&text);
        let taken = start.elapsed();
        assert!(file.print() == text);
        // Generous, for slow machines: a quadratic reading of these takes minutes.
        assert!(taken < Duration::from_secs(20), "{:?}... took {taken:?}", text.get(..40));
    }
}
