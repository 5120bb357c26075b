//! `fix --jsonl`.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Folder, output, output_for, program};

const OLD: &str = "FROM debian:12-slim\nENV TOKEN=s3cret77\nRUN apt-get update\nRUN apt-get install -y gcc\n";

fn answers(folder: &Folder, arguments: &[&str], input: &str) -> Vec<Value> {
    let mut command = program(&folder.root());
    command.args(["fix", "--jsonl", "--quiet"]).args(arguments);
    let (code, out, err) = output_for(&mut command, input);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_line_is_answered_in_order() {
    let folder = Folder::with(&[]);
    let mut input = String::new();
    let mut wanted = String::new();
    for at in 0..400 {
        match at % 5 {
            0 => writeln!(input, "{}", json!({ "path": format!("{at}"), "text": OLD, "source": "any" }))
                .unwrap(),
            1 => writeln!(input, "{}", json!({ "text": "FROM a\n", "path": format!("{at}") })).unwrap(),
            2 => {
                writeln!(input, "{}", json!({ "path": format!("{at}"), "text": "FROM a\nFORM b\n" })).unwrap()
            }
            3 => writeln!(input, "{{\"path\":\"{at}\"").unwrap(),
            _ => writeln!(input).unwrap(),
        }
        match at % 5 {
            0 => writeln!(wanted, "{at} true").unwrap(),
            1 => writeln!(wanted, "{at} false").unwrap(),
            2 => writeln!(wanted, "{at}: unknown instruction: FORM (did you mean FROM?) 2 1").unwrap(),
            3 => wanted += "EOF while parsing an object at column 0\n",
            _ => wanted += "EOF while parsing a value at column 0\n",
        }
    }
    for jobs in ["1", "2", "7"] {
        let mut found = String::new();
        for answer in answers(&folder, &["--jobs", jobs], &input) {
            let path = answer["path"].as_str().unwrap_or_default();
            match answer["error"].as_str() {
                Some(error) if path.is_empty() => writeln!(found, "{error}").unwrap(),
                Some(error) => {
                    writeln!(found, "{path}: {error} {} {}", answer["line"], answer["column"]).unwrap();
                }
                None => writeln!(found, "{path} {}", answer["changed"]).unwrap(),
            }
        }
        assert_eq!(found, wanted, "{jobs} jobs");
    }
}

#[test]
fn an_answer_has_the_text_and_the_fixes() {
    let folder = Folder::with(&[]);
    let input = json!({ "path": "a/Dockerfile", "text": OLD, "files": { "app.py": "pass\n" } });
    let [answer] = &answers(&folder, &["--why-not"], &input.to_string())[..] else { panic!("one line") };
    folder.write("Dockerfile", OLD);
    let (_, _, _) = output(program(&folder.root()).args(["fix", "--write"]));
    assert_eq!(answer["text"].as_str().unwrap(), folder.read("Dockerfile"));
    assert_eq!(answer["fixes"][0]["transform"], "merge-run");
    assert!(answer["fixes"].to_string().len() > 300 && !answer["fixes"].to_string().contains("s3cret77"));
    let mut keys: Vec<_> = answer.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["changed", "declined", "fixes", "held_back", "path", "text", "warnings"]);
    let same = json!({ "path": "b", "text": "FROM a\n# dockeropt: nope\n" });
    let [answer] = &answers(&folder, &[], &same.to_string())[..] else { panic!("one line") };
    assert_eq!(answer["warnings"][0]["line"], 2);
    assert_eq!((answer.get("text"), answer.get("declined")), (None, None));
}

#[test]
fn bad_lines_are_told_and_the_run_goes_on() {
    let folder = Folder::with(&[]);
    let long = "#".repeat(17 << 20);
    let lines = [
        "[]".to_owned(),
        "{\"path\":1,\"text\":\"\"}".to_owned(),
        "{\"path\":\"a\"}".to_owned(),
        "{\"path\":\"a\",\"text\":\"FROM a\\u0000\"}".to_owned(),
        "{\"path\":\"a\",\"text\":\"\\ud800\"}".to_owned(),
        json!({ "path": "a", "text": long }).to_string(),
        "{\"path\":\"a\",\"text\":\"FROM \\uf7ff\\r\\n\"}".to_owned(),
    ];
    let answers = answers(&folder, &[], &lines.join("\n"));
    let errors: Vec<_> = answers.iter().map(|answer| answer["error"].as_str().unwrap_or("none")).collect();
    assert!(errors[0].starts_with("invalid length 0, expected struct Input"), "{}", errors[0]);
    assert_eq!(errors[1], "invalid type: integer `1`, expected a string at column 9");
    assert_eq!(errors[2], "missing field `text` at column 12");
    assert_eq!(errors[3], "is a binary file: byte 7 is zero");
    assert!(errors[4].starts_with("unexpected end of hex escape"), "{}", errors[4]);
    assert_eq!(errors[5], "is larger than 16 MiB, which no Dockerfile is");
    assert_eq!(errors[6], "none");
    assert_eq!(answers.len(), 7);
}

/// The result is that of the same files on disk.
#[test]
fn configuration_baseline_and_check_hold() {
    let config =
        "skip = [\"no-recommends\"]\n[[overrides]]\npaths = [\"docker/**\"]\nskip = [\"merge-run\"]\n";
    let folder = Folder::with(&[("dockeropt.toml", config)]);
    let line = |path: &str| json!({ "path": path, "text": OLD }).to_string() + "\n";
    let input = line("Dockerfile") + &line("docker/a/Dockerfile");
    let ids = |arguments: &[&str]| {
        let ids = |answer: &Value| {
            let fixes = answer["fixes"].as_array().unwrap().iter();
            fixes.map(|fix| fix["transform"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        answers(&folder, arguments, &input).iter().map(ids).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), ["merge-run clean-package-cache", ""]);
    assert_eq!(ids(&["--only", "no-recommends"]), ["no-recommends", "no-recommends"]);
    folder.write("Dockerfile", OLD);
    let record = ["fix", "--baseline", "base.json", "--write-baseline", "--isolated", "Dockerfile"];
    assert_eq!(output(program(&folder.root()).args(record)).0, Some(0));
    assert_eq!(ids(&["--baseline", "base.json", "--isolated"])[0], "");
    let (code, _, err) = output_for(program(&folder.root()).args(["fix", "--jsonl", "--check"]), &input);
    assert_eq!(code, Some(1));
    assert_eq!(err, "1 file changed (2 fixes)\n");
    folder.write("dockeropt.toml", "skp = 1\n");
    let (code, out, err) = output_for(program(&folder.root()).args(["fix", "--jsonl"]), &input);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    let (code, _, _) = output_for(program(&folder.root()).args(["fix", "--jsonl", "--write"]), &input);
    assert_eq!(code, Some(2));
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    let folder = Folder::with(&[]);
    for jobs in ["1", "3"] {
        let mut command = program(&folder.root());
        let command = command.args(["fix", "--jsonl", "--quiet", "--jobs", jobs]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for at in 0..20 {
            writeln!(input, "{}", json!({ "path": at.to_string(), "text": OLD })).unwrap();
            let mut answer = String::new();
            output.read_line(&mut answer).unwrap();
            assert!(answer.starts_with(&format!("{{\"path\":\"{at}\"")), "{answer}");
        }
        drop(input);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn it_ends_when_nobody_reads_the_answers() {
    let folder = Folder::with(&[]);
    let mut command = program(&folder.root());
    let mut child = command
        .args(["fix", "--jsonl", "--jobs", "3"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // Standard input stays open.
    writeln!(input, "{}", json!({ "path": "a", "text": OLD })).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Memory does not grow with the number of lines: what is read waits until what was read before is answered.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded() {
    let folder = Folder::with(&[]);
    let mut command = program(&folder.root());
    let mut child = command
        .args(["fix", "--jsonl", "--quiet", "--jobs", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // Not closed, and so quickly answered.
    let line = format!("{{\"path\":\"a\",\"text\":\"{}", "x".repeat(200_000));
    let lines = 1_500;
    let total = line.len() * lines;
    let writer = std::thread::spawn(move || {
        for _ in 0..lines {
            writeln!(input, "{line}").unwrap();
        }
        input
    });
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..lines {
        output.read_line(&mut String::new()).unwrap();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    drop(writer.join().unwrap());
    assert!(total > 250 << 20, "{total}");
    assert!(peak < 80 << 10, "{peak} kB of {} kB", total >> 10);
    child.wait().unwrap();
}
