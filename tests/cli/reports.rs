//! What is printed.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use dockeropt::cli::Format;
use dockeropt::discover::discover;
use dockeropt::fix::{Settings, Streams, run, run_on_text};
use dockeropt::pipeline::ReportedFix;
use dockeropt_syntax::Text;

use crate::support::{Folder, run_in, settings, stand_in};

const TEXT: &str = "FROM a\nENV API_TOKEN=abcdef\nRUN old abcdef\nRUN risky\nRUN never\n";

/// Streams of which only the report is looked at.
fn quiet(out: &mut dyn Write) -> Streams<'_> {
    // Sinks are the same everywhere.
    Streams { out, output: Box::leak(Box::new(io::sink())), err: Box::leak(Box::new(io::sink())) }
}

fn git_apply(folder: &Path, diff: &[u8], arguments: &[&str]) {
    let mut child = Command::new("git")
        .arg("apply")
        .args(arguments)
        .current_dir(folder)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(diff).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn git_applies_the_diff() {
    for in_git in [true, false] {
        let folder = Folder::with(&[
            ("Dockerfile", "FROM a\nRUN old"),
            ("crlf/Dockerfile", "FROM a\r\nRUN old\r\nRUN x\ry\r\n"),
            ("with space/Dockerfile", "FROM old\n"),
            ("with \"quotes\"/Dockerfile", "FROM old\n"),
            ("sub/sub/Dockerfile", "FROM old\n"),
            ("same/Dockerfile", "FROM a\n"),
        ]);
        folder.write("latin/Dockerfile", b"# caf\xe9\nFROM old\n# \xff\n");
        if in_git {
            folder.git(&["init", "-q"]);
        }
        let mut diff = Vec::new();
        run(&discover(&[folder.root()], 2), &settings(&folder.root(), |_| ()), quiet(&mut diff)).unwrap();
        git_apply(&folder.root(), &diff, &["--check", "--whitespace=nowarn"]);
        git_apply(&folder.root(), &diff, &["--whitespace=nowarn"]);
        assert_eq!(folder.read("crlf/Dockerfile"), "FROM a\r\nRUN new\r\nRUN x\ry\r\n");
        assert_eq!(folder.read("Dockerfile"), "FROM a\nRUN new");
        assert_eq!(std::fs::read(folder.path("latin/Dockerfile")).unwrap(), b"# caf\xe9\nFROM new\n# \xff\n");
        assert!(run_in(&folder, |_| ()).out.is_empty());
    }
}

#[test]
fn the_summary_and_the_refusals_go_to_standard_error() {
    let folder = Folder::with(&[("Dockerfile", TEXT)]);
    let ran = run_in(&folder, |settings| settings.why_not = true);
    assert_eq!(
        ran.err,
        "Dockerfile:5: renew: it never is\n\
         1 file would change (1 fix); 1 fix needs --unsafe; run with --write to apply\n"
    );
    assert!(ran.out.contains("ENV API_TOKEN=abcdef"));
    let quiet = run_in(&folder, |settings| settings.quiet = true);
    assert_eq!(quiet.err, "");
}

#[test]
fn the_text_has_lines_and_reasons_and_no_secrets() {
    let folder = Folder::with(&[("Dockerfile", TEXT)]);
    let ran = run_in(&folder, |settings| {
        settings.format = Format::Text;
        settings.why_not = true;
    });
    assert_eq!(
        ran.out,
        "Dockerfile:3: renew: replace old by new\n    \
             3 | RUN old abcdef\n      = why: new is newer\n      = fix: 0000000000000003\n\n\
         Dockerfile:4: renew: replace old by new (unsafe)\n    \
             4 | RUN risky\n      = why: new is newer\n      = assumes: nobody looks\n      \
               = fix: 0000000000000004\n\n\
         Dockerfile:5: renew: left alone\n    5 | RUN never\n      = because: it never is\n\n"
            .replace("abcdef", "***")
    );
}

#[test]
fn the_text_shows_what_each_fix_makes_of_the_lines() {
    let before = "FROM alpine\nENV TOKEN a\\\n  b1\nRUN apk add x --password \\\n    s3 \\\n  && y s3cret\r\n"
        .to_owned()
        + &"# many\n".repeat(20) + "ARG S3_TOKEN=s3cret\nRUN old\n";
    let middle = before.replace("apk add x", "apk add --no-cache x");
    let step = |text: &str, from: &str, to: &str| {
        let mut edits = dockeropt_syntax::Edits::new();
        let at = text.find(from).unwrap();
        edits.replace(dockeropt_syntax::Span::new(at, at + from.len()), to).unwrap();
        Some(dockeropt::pipeline::Step { before: text.into(), edits })
    };
    let many = "# many\n".repeat(20);
    let steps = [
        step(&before, "apk add x --password \\\n    s3", "apk add --no-cache x --password \\\n      s3"),
        step(&middle, "x --password", "z --password"),
        step(&before, &many, ""),
        step(&before, "b1", "b1\n# c"),
    ];
    let rewrite = |_: &Path, text: &str| {
        let mut outcome = stand_in(text);
        let fix = outcome.fixes[0].clone();
        outcome.fixes = steps.iter().map(|step| ReportedFix { step: step.clone(), ..fix.clone() }).collect();
        Ok(outcome)
    };
    let mut out = Vec::new();
    let settings = Settings { format: Format::Text, ..Settings::silent(&rewrite, Path::new("/")) };
    run_on_text(&Text::decode(before.clone().into_bytes()), None, &settings, quiet(&mut out)).unwrap();
    let found = String::from_utf8(out).unwrap();
    let notes = "      = why: new is newer\n      = fix: 000000000000001c\n\n";
    let head = "-:28: renew: replace old by new\n";
    let wanted = [
        "    4 - RUN apk add x --password \\\n    5 -     *** \\\n      \
         + RUN apk add --no-cache x --password \\\n      +       *** \\\n",
        "      - RUN apk add --no-cache x --password \\\n      + RUN apk add --no-cache z --password \\\n",
        "    7 - # many\n    8 - # many\n    9 - # many\n   10 - # many\n   11 - # many\n   12 - # many\n  \
         ... - 8 more lines\n   21 - # many\n   22 - # many\n   23 - # many\n   24 - # many\n   25 - # many\n   \
         26 - # many\n",
        "      + # c\n",
    ];
    assert_eq!(found, wanted.map(|lines| format!("{head}{lines}{notes}")).concat());
}

#[test]
fn control_characters_are_shown_and_not_obeyed() {
    let folder = Folder::with(&[
        ("a\u{1b}[31m/Dockerfile", "FROM old\u{1b}[2J\nRUN never\n"),
        ("b\n/Dockerfile", "FORM\n"),
    ]);
    for format in [Format::Diff, Format::Text] {
        let ran = run_in(&folder, |settings| {
            settings.format = format;
            settings.why_not = true;
        });
        assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
        assert!(ran.err.contains("b\\012/Dockerfile\":1:1: unknown instruction"), "{}", ran.err);
        if format == Format::Text {
            assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
            assert!(ran.out.contains("a\\033[31m/Dockerfile\":1: renew"), "{}", ran.out);
            assert!(ran.out.contains("| FROM old\\033[2J\n"), "{}", ran.out);
        }
    }
}

#[test]
fn json_has_its_shape() {
    let folder =
        Folder::with(&[("a/Dockerfile", TEXT), ("b/Dockerfile", "FORM\n"), ("c/Dockerfile", "FROM a\n")]);
    let ran = run_in(&folder, |settings| settings.format = Format::Json);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["version"], 1);
    let file = &report["files"][0];
    assert_eq!(file["path"], "a/Dockerfile");
    assert_eq!(file["changed"], true);
    let expected = serde_json::json!({
        "transform": "renew", "title": "replace old by new", "applicability": "safe",
        "fingerprint": "0000000000000003", "start_line": 3, "end_line": 3, "claims": [], "assumes": [],
        "notes": ["new is newer"],
    });
    assert_eq!(file["fixes"], serde_json::json!([expected]));
    assert_eq!(file["held_back"][0]["applicability"], "unsafe");
    let declined = serde_json::json!([{ "transform": "renew", "line": 5, "reason": "it never is" }]);
    assert_eq!(file["declined"], declined);
    assert!(file["diff"].as_str().unwrap().contains(" ENV API_TOKEN=***\n"));
    assert_eq!(file["redacted"], true);
    assert_eq!(report["files"][1]["changed"], false);
    let errors = serde_json::json!([
        { "path": "b/Dockerfile", "message": "unknown instruction: FORM", "line": 1, "column": 1 }
    ]);
    assert_eq!(report["errors"], errors);
    let empty = run_in(&Folder::with(&[]), |settings| settings.format = Format::Json);
    assert!(empty.out.starts_with("{\"version\":1,\"files\":[],\"errors\":[],\"tables\":["), "{}", empty.out);
    let report: serde_json::Value = serde_json::from_str(&empty.out).unwrap();
    let tables = &report["tables"];
    let bookworm =
        tables.as_array().unwrap().iter().find(|it| it["table"] == "packages-bookworm.tsv").unwrap();
    assert_eq!((&bookworm["architecture"], &bookworm["releases"][0]), (&"amd64".into(), &"bookworm".into()));
    assert!(!ran.out.contains("abcdef"), "{}", ran.out);
}

#[test]
fn standard_input_gives_a_diff_or_the_text() {
    let text = Text::decode(b"FROM old\n".to_vec());
    let here = Path::new("/");
    let mut out = Vec::new();
    run_on_text(&text, None, &settings(here, |_| ()), quiet(&mut out)).unwrap();
    assert!(out.ends_with(b"+++ b/Dockerfile\n@@ -1 +1 @@\n-FROM old\n+FROM new\n"));
    let mut out = Vec::new();
    run_on_text(&text, None, &settings(here, |settings| settings.write = true), quiet(&mut out)).unwrap();
    assert_eq!(out, b"FROM new\n");
    let bad = Text::decode(b"FORM old\n".to_vec());
    let mut out = Vec::new();
    let ending =
        run_on_text(&bad, None, &settings(here, |settings| settings.write = true), quiet(&mut out)).unwrap();
    assert_eq!((out.len(), ending.summary.errors), (0, 1));
}

/// A reader that goes away, or a disk that is full.
struct Fails(io::ErrorKind);

impl Write for Fails {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_leaves_ends_the_report_but_not_the_writing() {
    let folder = Folder::with(&[("a/Dockerfile", "FROM old\n"), ("b/Dockerfile", "FROM old\n")]);
    let found = || discover(&[folder.root()], 2);
    let gone = || Fails(io::ErrorKind::BrokenPipe);
    let mut err = Vec::new();
    let streams = Streams { out: &mut gone(), output: &mut io::sink(), err: &mut err };
    let ending = run(&found(), &settings(&folder.root(), |_| ()), streams).unwrap();
    assert!(ending.reader_left);
    assert_eq!(err, b"");
    let mut full = Fails(io::ErrorKind::StorageFull);
    assert!(run(&found(), &settings(&folder.root(), |_| ()), quiet(&mut full)).is_err());
    let write = settings(&folder.root(), |settings| settings.write = true);
    run(&found(), &write, quiet(&mut gone())).unwrap();
    assert_eq!(folder.read("a/Dockerfile"), "FROM new\n");
    assert_eq!(folder.read("b/Dockerfile"), "FROM new\n");
}
