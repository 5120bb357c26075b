//! JUnit's XML: a suite for each file, in which a fix is a failed test.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::{Closing, FileReport, Located, Report, sentence};
use crate::problem::printable;
use crate::redact::redact;

/// The format.
pub struct Junit;

impl Report for Junit {
    fn head(&self) -> Vec<u8> {
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dockeropt\">\n".to_vec()
    }

    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let secrets = redact(file.before);
        let path = file.location.shown();
        let mut cases: Vec<_> = file
            .fixes()
            .into_iter()
            .map(|fix| Case {
                name: format!("{}:{}", fix.transform, fix.start_line),
                verdict: if file.is_applied(fix) { Verdict::Failed } else { Verdict::Skipped },
                text: sentence(fix, &secrets),
                place: format!("{path}:{}", fix.start_line),
            })
            .collect();
        if cases.is_empty() {
            let text = String::new();
            cases.push(Case {
                name: "dockeropt".into(),
                verdict: Verdict::Passed,
                text,
                place: path.clone(),
            });
        }
        suite(&path, &cases, out);
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        for problem in closing.problems {
            suite(&problem.location.shown(), &[case(problem)], out);
        }
        out.extend_from_slice(b"</testsuites>\n");
    }

    fn shows_refusals(&self) -> bool {
        false
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    Skipped,
    Broken,
}

struct Case {
    name: String,
    verdict: Verdict,
    text: String,
    place: String,
}

fn case(Located { problem, location }: &Located<'_>) -> Case {
    let place = problem.place.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
    Case {
        name: "dockeropt".to_owned(),
        verdict: Verdict::Broken,
        text: problem.message.clone(),
        place: format!("{}{place}", location.shown()),
    }
}

fn suite(path: &str, cases: &[Case], out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = try_suite(path, cases, out);
    out.push(b'\n');
}

fn try_suite(path: &str, cases: &[Case], out: &mut Vec<u8>) -> io::Result<()> {
    let count = |verdict| cases.iter().filter(|case| case.verdict == verdict).count().to_string();
    let path = legal(path);
    let mut writer = Writer::new_with_indent(out, b' ', 2);
    let suite = writer.create_element("testsuite").with_attributes([
        ("name", path.as_str()),
        ("tests", &cases.len().to_string()),
        ("failures", &count(Verdict::Failed)),
        ("errors", &count(Verdict::Broken)),
        ("skipped", &count(Verdict::Skipped)),
    ]);
    suite.write_inner_content(|writer| {
        for case in cases {
            write_case(writer, &path, case)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_case(writer: &mut Writer<&mut Vec<u8>>, path: &str, case: &Case) -> io::Result<()> {
    let name = legal(&case.name);
    let element = writer.create_element("testcase");
    let element = element.with_attributes([("classname", path), ("name", &name), ("file", path)]);
    let kind = match case.verdict {
        Verdict::Passed => return element.write_empty().map(drop),
        Verdict::Failed => "failure",
        Verdict::Skipped => "skipped",
        Verdict::Broken => "error",
    };
    let (text, place) = (legal(&case.text), legal(&case.place));
    element
        .write_inner_content(|writer| {
            let message =
                writer.create_element(kind).with_attribute(("message", text.replace('\n', " ").as_str()));
            message.write_text_content(BytesText::new(&format!("{place}: {text}"))).map(drop)
        })
        .map(drop)
}

/// A text of characters that XML knows.
fn legal(text: &str) -> String {
    printable(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
