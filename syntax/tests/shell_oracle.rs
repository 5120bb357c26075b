//! The shell reader against the shells themselves: it never accepts what both `bash -n` and
//! `dash -n` reject, and it accepts nearly all that people write.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use dockeropt_syntax::shell::{self, Content};
use dockeropt_syntax::{Keyword, LogicalSpan};

/// Scripts that must be read.
const VALID: &str = include_str!("shell_valid.txt");
/// Scripts that must be refused; a shell may accept some.
const INVALID: &str = include_str!("shell_invalid.txt");

fn snippets(table: &'static str) -> Vec<String> {
    table.split("\n%%\n").map(|snippet| snippet.trim_end_matches('\n').to_owned()).collect()
}

fn accepts(text: &str) -> bool {
    shell::parse(text, LogicalSpan::new(0, text.len())).is_ok()
}

fn has_shells() -> bool {
    let runs = |shell: &str| Command::new(shell).args(["-c", ":"]).status().is_ok_and(|s| s.success());
    let both = runs("bash") && runs("dash");
    if !both {
        println!("skipped: bash and dash are not both on PATH");
    }
    both
}

/// Which scripts no shell of `shells` (a shell condition on the file `$f`) accepts, by one process.
fn rejected(texts: &[String], condition: &str) -> Vec<usize> {
    let folder = tempfile::tempdir().unwrap();
    for (index, text) in texts.iter().enumerate() {
        std::fs::write(folder.path().join(index.to_string()), text).unwrap();
    }
    let script = format!("for f in *; do {condition} || echo $f; done");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    listed.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Fails if a script that was accepted is rejected by both shells.
#[track_caller]
fn assert_a_shell_accepts(texts: &[String]) {
    let wrong = rejected(texts, "dash -n $f || bash -n $f");
    let wrong: Vec<_> = wrong.into_iter().take(20).map(|index| &texts[index]).collect();
    assert!(wrong.is_empty(), "accepted, but neither shell accepts: {wrong:#?}");
}

#[test]
fn table() {
    let (valid, invalid) = (snippets(VALID), snippets(INVALID));
    assert!(valid.len() + invalid.len() >= 200, "{} + {}", valid.len(), invalid.len());
    let refused: Vec<_> = valid.iter().filter(|text| !accepts(text)).collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
    let accepted: Vec<_> = invalid.iter().filter(|text| accepts(text)).collect();
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
    if has_shells() {
        assert_a_shell_accepts(&valid);
    }
}

#[test]
fn literal_words_are_what_both_shells_pass() {
    if !has_shells() {
        return;
    }
    let words = r#"a 'a b' "a b" a\ b a'b'"c"d \n \; '\n' "\n" "\$x\"\\\`" "a\b" '' "" x'' {} {a} a{b a} =a a=b
        -o=x A::b="--c" [ ] a[ a] [] a]b [[ ^a$ $ $/ a$ "$" '$x' \$x é \é "é\é" a~b '~' \~ "~" \* '*' "?" \[a\] '[a]' a#b '#'
        \#a 1..3 {1..3 a,b {a}{b} ! % @ + , - . / : _ ]] 'it'\''s' "it's" \\ '\' "'" '"' a\'b \"\" {a},b "{a,b}" {a\ b}"#;
    let mut checked = 0;
    let command = format!("printf '<%s>' {}", words.replace('\n', " "));
    let list = shell::parse(&command, LogicalSpan::new(0, command.len())).unwrap();
    let simple = list.entries[0].pipeline.simple().unwrap();
    for word in &simple.words[2..] {
        let raw = &command[word.span.range()];
        let Content::Literal(text) = &word.content else { continue };
        for shell in ["bash", "dash"] {
            let script = format!("printf '<%s>' {raw}");
            let output = Command::new(shell).args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("<{text}>"), "{shell}: {raw}");
        }
        checked += 1;
    }
    assert!(checked > 70, "{checked}");
}

/// The different RUN bodies of the corpus that `DOCKEROPT_CORPUS` names.
fn corpus_bodies() -> Option<Vec<String>> {
    let Some(path) = std::env::var_os("DOCKEROPT_CORPUS") else {
        println!("skipped: DOCKEROPT_CORPUS is not set");
        return None;
    };
    let mut lines = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(Path::new(&path)).unwrap())
        .read_to_string(&mut lines)
        .unwrap();
    let mut bodies = std::collections::BTreeSet::new();
    for line in lines.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = dockeropt_syntax::parse(record["text"].as_str().unwrap());
        for instruction in file.instructions() {
            if instruction.keyword() == Keyword::Run
                && instruction.operation.json.is_none()
                && instruction.heredocs.is_empty()
            {
                bodies.insert(instruction.arguments().to_owned());
            }
        }
    }
    Some(bodies.into_iter().filter(|body| !body.contains('\0')).collect())
}

/// Every tenth body, so that the shells take seconds.
#[test]
fn corpus() {
    let Some(bodies) = corpus_bodies() else { return };
    if !has_shells() {
        return;
    }
    let sample: Vec<_> = bodies.into_iter().step_by(10).collect();
    let rejected = rejected(&sample, "bash -n $f");
    let of_bash = sample.len() - rejected.len();
    let (read, refused): (Vec<_>, Vec<_>) = sample.into_iter().partition(|body| accepts(body));
    assert_a_shell_accepts(&read);
    println!("read {} of {of_bash} bodies that bash accepts", read.len());
    assert!(read.len() * 100 >= of_bash * 98, "refused: {refused:#?}");
}

/// A small generator of reproducible numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn place(&mut self, text: &str) -> usize {
        let place = self.below(text.len() + 1);
        (0..=place).rev().find(|&place| text.is_char_boundary(place)).unwrap()
    }
}

const INSERTED: [&str; 62] = [
    ";", "&", "|", "(", ")", "{", "}", "'", "\"", "`", "$", "$(", "${", "\\", "\n", " ", "<", ">", "!", "#",
    "[", "]", "[[ ", " ]]", " then ", " fi ", " do ", " done ", "; ", " } ", " { ", " esac ", " if ", " in ",
    ";;", "case ", "for ", "while ", "~", "*", "=", "a=", "$((", "))", "((", "<<E", "else ", "2>", "&>",
    "<(", "f() ", "! ", "-f ", "&&", "||", "\\\n", "time ", "a() { ", "\nE\n", "<<<", "until ", "elif ",
];

#[test]
fn mutants() {
    if !has_shells() {
        return;
    }
    let seeds = snippets(VALID);
    let mut random = Random(88_172_645_463_325_252);
    let mut accepted = std::collections::BTreeSet::new();
    while accepted.len() < 4_000 {
        let mut text = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(3) {
            let start = random.place(&text);
            if random.below(2) == 0 {
                let end = text.floor_char_boundary((start + 1 + random.below(10)).min(text.len()));
                text.replace_range(start..end.max(start), "");
            } else {
                text.insert_str(start, INSERTED[random.below(INSERTED.len())]);
            }
        }
        if accepts(&text) {
            accepted.insert(text);
        }
    }
    assert_a_shell_accepts(&accepted.into_iter().collect::<Vec<_>>());
}
