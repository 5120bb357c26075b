//! The reports for other programs: each is what its reader wants, and none tells a secret.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use dockeropt::cli::Format;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::support::{Folder, output, program, run_in};

/// Two RUNs that are joined and cleaned up, a move, and a secret beside them.
const TEXT: &str = "FROM debian:12\nENV API_TOKEN=abcdefgh\nCOPY . /app\nRUN apt-get update\n\
                    RUN apt-get install -y gcc && x --password abcdefgh\nRUN curl http://x:abcdefgh@h";

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/sarif-2.1.0.json");
        let schema = fs::read_to_string(path).unwrap();
        // A pattern for languages has a bracket that is never opened, which not every reader of patterns
        // takes.
        assert_eq!(schema.matches(PATTERN).count(), 2);
        let schema: Value = serde_json::from_str(&schema.replace(PATTERN, "^[a-zA-Z]{2}")).unwrap();
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    })
}

/// What the schema has for the language of a report.
const PATTERN: &str = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";

fn sarif(text: &str) -> Value {
    let report: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = schema().iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    report
}

/// Does what a reader of SARIF does with the replacements of a fix.
fn apply(text: &str, fix: &Value) -> String {
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let offset = |line: &Value, column: &Value| {
        let start = starts[line.as_u64().unwrap() as usize - 1];
        let column = column.as_u64().unwrap() as usize - 1;
        start + text[start..].char_indices().nth(column).map_or(text[start..].len(), |(at, _)| at)
    };
    let mut result = text.to_owned();
    let changes = fix["artifactChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    for replacement in changes[0]["replacements"].as_array().unwrap().iter().rev() {
        let region = &replacement["deletedRegion"];
        let start = offset(&region["startLine"], &region["startColumn"]);
        let end = offset(&region["endLine"], &region["endColumn"]);
        let inserted = replacement["insertedContent"]["text"].as_str().unwrap_or_default();
        result.replace_range(start..end, inserted);
    }
    result
}

#[test]
fn sarif_is_valid_whatever_is_in_it() {
    for files in [
        &[][..],
        &[("a b/é,:%/Dockerfile", TEXT), ("b/Dockerfile", "FORM\n"), ("c/Dockerfile", "FROM a\n")],
        &[("Dockerfile", "# dockeropt: nope\nFROM a\n")],
    ] {
        let folder = Folder::with(files);
        let arguments = ["fix", "--unsafe", "--why-not", "--format", "sarif"];
        let (_, out, _) = output(program(&folder.root()).args(arguments));
        let report = sarif(&out);
        let run = &report["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), dockeropt_transforms::ALL.len());
        let results = run["results"].as_array().unwrap();
        for result in results {
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
        }
        if files.len() == 3 {
            let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            assert_eq!(uri, "a%20b/%C3%A9%2C%3A%25/Dockerfile");
            assert_eq!(run["invocations"][0]["executionSuccessful"], false);
            let notes = &run["invocations"][0]["toolExecutionNotifications"];
            assert_eq!(notes[0]["message"]["text"], "unknown instruction: FORM (did you mean FROM?)");
        }
        if files.len() == 1 {
            let notes = &run["invocations"][0]["toolExecutionNotifications"];
            assert_eq!(notes[0]["level"], "warning");
        }
    }
}

#[test]
fn each_fix_in_sarif_can_be_applied_by_itself() {
    let mut fixes = 0;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let Ok(before) = fs::read_to_string(entry.unwrap().path().join("Dockerfile")) else { continue };
        for text in [before.clone(), before.trim_end().to_owned(), before.replace('\n', "\r\n")] {
            let folder = Folder::with(&[("Dockerfile", &text)]);
            let fix = |arguments: &[&str]| {
                let (code, out, err) = output(program(&folder.root()).arg("fix").args(arguments));
                assert_eq!(code, Some(0), "{err}");
                out
            };
            let report = sarif(&fix(&["--unsafe", "--format", "sarif"]));
            for result in report["runs"][0]["results"].as_array().unwrap() {
                let (fix, message) = (&result["fixes"][0], &result["message"]["text"]);
                assert!(fix.is_object(), "no change for {message}");
                let after = apply(&text, fix);
                assert_ne!(after, text);
                folder.write("after/Dockerfile", &after);
                let fingerprint = result["partialFingerprints"]["dockeropt/v1"].as_str().unwrap();
                let alone = dockeropt::pipeline::Options {
                    fingerprints: [fingerprint.to_owned()].into(),
                    ..Default::default()
                };
                // A fix that needs no other one gives just what --fix gives.
                let contexts = dockeropt::project::Contexts::default();
                let path = folder.path("Dockerfile");
                let around = contexts.around(&path);
                let outcome = dockeropt::pipeline::optimize_in(&text, &alone, &around);
                if !outcome.fixes.is_empty() {
                    assert_eq!(after, outcome.after, "{message}");
                }
                assert!(dockeropt_syntax::parse(&after).diagnostics.is_empty());
                fixes += 1;
            }
        }
    }
    assert!(fixes > 30, "{fixes}");
}

#[test]
fn a_change_that_has_a_secret_is_not_in_sarif() {
    let folder = Folder::with(&[("Dockerfile", TEXT)]);
    let (_, out, _) = output(program(&folder.root()).args(["fix", "--unsafe", "--format", "sarif"]));
    let report = sarif(&out);
    let results = report["runs"][0]["results"].as_array().unwrap();
    let with_fix = |id: &str| results.iter().find(|it| it["ruleId"] == id).unwrap()["fixes"].is_array();
    assert!(!with_fix("merge-run"), "the joined RUN has the password");
}

#[test]
fn no_format_tells_a_secret() {
    let folder = Folder::with(&[("Dockerfile", TEXT)]);
    for format in ["text", "json", "sarif", "github", "gitlab", "markdown", "junit"] {
        let arguments = ["fix", "--unsafe", "--why-not", "--format", format];
        let (code, out, err) = output(program(&folder.root()).args(arguments));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("merge-run"), "{format}: {out}");
        assert!(!out.contains("abcdefgh") && !err.contains("abcdefgh"), "{format}: {out}{err}");
    }
}

#[test]
fn github_has_a_line_for_each_fix() {
    let folder =
        Folder::with(&[("a,b:c%/Dockerfile", "FROM a\nRUN old\nRUN risky\n"), ("d\n/Dockerfile", "FORM\n")]);
    let ran = run_in(&folder, |settings| settings.format = Format::Github);
    assert_eq!(
        ran.out,
        "::warning file=a%2Cb%3Ac%25/Dockerfile,line=2,endLine=2,title=renew::replace old by new: new is newer\n\
         ::notice file=a%2Cb%3Ac%25/Dockerfile,line=3,endLine=3,title=renew::replace old by new: new is newer; \
         assumes: nobody looks\n\
         ::error file=d%0A/Dockerfile,line=1,col=1,title=dockeropt::unknown instruction: FORM\n"
    );
}

/// Where the repository is and where the program runs are not the same.
#[test]
fn paths_count_from_the_work_tree() {
    let folder = Folder::with(&[("a/b/Dockerfile", TEXT), ("a/c/Dockerfile", "FORM\n"), (".git/HEAD", "")]);
    for (format, fixed, wrong) in [
        ("github", "::warning file=a/b/Dockerfile,", "::error file=a/c/Dockerfile,"),
        ("gitlab", "\"path\":\"a/b/Dockerfile\"", "\"path\":\"a/c/Dockerfile\""),
        ("sarif", "\"uri\":\"a/b/Dockerfile\"", "\"uri\":\"a/c/Dockerfile\""),
        ("markdown", "#### `a/b/Dockerfile`", "- error: `a/c/Dockerfile`"),
        ("junit", "<testsuite name=\"a/b/Dockerfile\"", "<testsuite name=\"a/c/Dockerfile\""),
        ("json", "\"path\":\"b/Dockerfile\"", "\"path\":\"c/Dockerfile\""),
    ] {
        let (code, out, _) = output(program(&folder.path("a")).args(["fix", "--format", format]));
        assert_eq!(code, Some(2));
        assert!(out.contains(fixed) && out.contains(wrong), "{format}: {out}");
    }
}

#[test]
fn gitlab_has_issues_that_are_told_apart() {
    let files = [("a/Dockerfile", "FROM old\n"), ("b/Dockerfile", "FROM old\n"), ("c/Dockerfile", "FORM\n")];
    let ran = run_in(&Folder::with(&files), |settings| settings.format = Format::Gitlab);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let issues = report.as_array().unwrap();
    let fingerprints: BTreeSet<_> =
        issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!((issues.len(), fingerprints.len()), (3, 3));
    assert_eq!(issues[1]["location"], json!({ "path": "b/Dockerfile", "lines": { "begin": 1, "end": 1 } }));
    assert_eq!(issues[1]["severity"], "minor");
    assert_eq!(issues[2]["severity"], "major");
    let bad = run_in(&Folder::with(&[("Dockerfile", "FORM\n")]), |settings| settings.format = Format::Gitlab);
    assert_eq!(serde_json::from_str::<Value>(&bad.out).unwrap().as_array().unwrap().len(), 1);
    let empty = run_in(&Folder::with(&[]), |settings| settings.format = Format::Gitlab);
    assert_eq!(empty.out, "[]\n");
}

#[test]
fn markdown_shows_fixes_and_diff_and_tells_nobody() {
    let text = "FROM old/@team/<b>\n# ````\nRUN risky\n";
    let folder = Folder::with(&[("a`b/Dockerfile", text), ("b/Dockerfile", "FORM\n")]);
    let ran = run_in(&folder, |settings| settings.format = Format::Markdown);
    assert_eq!(
        ran.out,
        "#### ``a`b/Dockerfile``\n\n\
         - line 1: **renew**: replace old by new: new is newer\n\
         - line 3: **renew** (with `--unsafe`): replace old by new: new is newer; assumes: nobody looks\n\n\
         <details><summary>Diff</summary>\n\n`````diff\n\
         diff --git a/a`b/Dockerfile b/a`b/Dockerfile\n--- a/a`b/Dockerfile\n+++ b/a`b/Dockerfile\n\
         @@ -1,3 +1,3 @@\n-FROM old/@team/<b>\n+FROM new/@team/<b>\n # ````\n RUN risky\n`````\n\n</details>\n\n\
         - error: `b/Dockerfile` line 1: unknown instruction: FORM\n\n\
         dockeropt: 1 file would change (1 fix); 1 fix needs --unsafe; 1 error; run with --write to apply\n"
    );
}

#[test]
fn markdown_stays_short_enough_for_a_comment() {
    let long = format!("FROM old\n{}", "# and so on and on\n".repeat(3));
    let names: Vec<String> = (0..400).map(|at| format!("{at:03}/Dockerfile")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
    let ran = run_in(&Folder::with(&files), |settings| settings.format = Format::Markdown);
    assert!(ran.out.len() < 65_536, "{}", ran.out.len());
    assert!(ran.out.contains(" more files are left out here"), "{}", &ran.out[59_000..]);
    assert!(ran.out.ends_with("400 files would change (400 fixes); run with --write to apply\n"));
}

#[test]
fn junit_is_xml_with_a_suite_for_each_file() {
    let files = [
        ("a&\"/Dockerfile", "FROM old\u{1}\nRUN risky\n"),
        ("b/Dockerfile", "FROM a\n"),
        ("c/Dockerfile", "FORM\n"),
    ];
    let ran = run_in(&Folder::with(&files), |settings| settings.format = Format::Junit);
    let mut reader = Reader::from_str(&ran.out);
    reader.config_mut().check_end_names = true;
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(Result::unwrap);
                let shown: Vec<String> =
                    attributes.map(|it| format!("{}={}", it.key.into_inner(), it.value)).collect();
                found.push(format!("{} {}", tag.name().into_inner(), shown.join(" ")));
            }
            _ => {}
        }
    }
    assert_eq!(
        found,
        [
            "testsuites name=dockeropt",
            "testsuite name=a&amp;&quot;/Dockerfile tests=2 failures=1 errors=0 skipped=1",
            "testcase classname=a&amp;&quot;/Dockerfile name=renew:1 file=a&amp;&quot;/Dockerfile",
            "failure message=replace old by new: new is newer",
            "testcase classname=a&amp;&quot;/Dockerfile name=renew:2 file=a&amp;&quot;/Dockerfile",
            "skipped message=replace old by new: new is newer; assumes: nobody looks",
            "testsuite name=b/Dockerfile tests=1 failures=0 errors=0 skipped=0",
            "testcase classname=b/Dockerfile name=dockeropt file=b/Dockerfile",
            "testsuite name=c/Dockerfile tests=1 failures=0 errors=1 skipped=0",
            "testcase classname=c/Dockerfile name=dockeropt file=c/Dockerfile",
            "error message=unknown instruction: FORM",
        ]
    );
}

#[test]
fn a_report_goes_to_a_file_beside_the_diff() {
    let folder = Folder::with(&[("Dockerfile", TEXT)]);
    let fix = |arguments: &[&str]| {
        output(program(&folder.root()).args(["fix", "--unsafe", "--quiet"]).args(arguments))
    };
    let (_, diff, _) = fix(&[]);
    for (name, arguments, start) in [
        ("r.sarif", &[][..], "{\"$schema\""),
        ("r.json", &[], "{\"version\":1"),
        ("R.XML", &[], "<?xml"),
        ("r.md", &[], "#### `Dockerfile`"),
        ("r.patch", &[], "diff --git"),
        ("r.txt", &[], "Dockerfile:"),
        ("gl-code-quality-report.json", &[], "[{"),
        ("summary", &["--output-format", "github"], "::warning file"),
        ("b.json", &["--output-format", "sarif"], "{\"$schema\""),
    ] {
        let (code, out, err) = fix(&[&["--output", name], arguments].concat());
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert_eq!(out, diff, "{name}");
        assert!(folder.read(name).starts_with(start), "{name}: {}", folder.read(name));
    }
    for (arguments, message) in [
        (&["-o", "r.pdf"][..], "does not tell the format of the report; add --output-format"),
        (&["-o", "no/such/r.md"], "no/such/r.md: no such file"),
        (&["-o", "x/Dockerfile", "--output-format", "diff"], "has the name of a Dockerfile"),
        (&["--output-format", "json"], "--output"),
    ] {
        let (code, out, err) = fix(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(message), "{err}");
    }
    let rewritten = fix(&["--write", "-o", "w.sarif"]);
    assert_eq!(rewritten.0, Some(0));
    assert!(sarif(&folder.read("w.sarif"))["runs"][0]["results"][0].is_object());
}
