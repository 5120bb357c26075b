//! The review page: one file that works without a network.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::folder::{Folder, write};
use super::plan::{FileEntry, FileError, FixEntry, VERSION};
use super::present::{Secrets, entry, shown};
use super::stack::Change;
use crate::pipeline::ReportedFix;
use crate::report::{Closing, FileReport, Located, Report};

/// The page, with marks where its parts go.
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page of a plan, which has the plan and what was decided before in it.
pub(super) fn write_page(folder: &Folder) -> io::Result<()> {
    write(&folder.path("report.html"), |out| {
        let plan = BufReader::new(File::open(folder.path("plan.json"))?);
        let decisions: Box<dyn Read> = match File::open(folder.path("decisions.json")) {
            Ok(file) => Box::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Box::new(&b"null"[..]),
            Err(error) => return Err(error),
        };
        page(plan, decisions, out)
    })
}

fn page(plan: impl Read, decisions: impl Read, out: &mut dyn Write) -> io::Result<()> {
    fill(PAGE, plan, decisions, out)
}

/// Writes a part of the page with what its marks stand for.
fn fill(
    template: &str,
    mut plan: impl Read,
    mut decisions: impl Read,
    out: &mut dyn Write,
) -> io::Result<()> {
    for part in template.split("<!--") {
        let (mark, rest) = part.split_once("-->").unwrap_or(("", part));
        match mark {
            "STYLE" => out.write_all(STYLE.as_bytes())?,
            "SCRIPT" => out.write_all(SCRIPT.as_bytes())?,
            "PLAN" => embed(&mut plan, out)?,
            "DECISIONS" => embed(&mut decisions, out)?,
            _ => {}
        }
        out.write_all(rest.as_bytes())?;
    }
    Ok(())
}

/// Writes JSON into an element `script`. An angle bracket, which could end that, is written as an escape;
/// in JSON it stands in texts only.
fn embed(json: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = [0; 64 << 10];
    loop {
        let count = json.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        for (at, part) in buffer[..count].split(|&byte| byte == b'<').enumerate() {
            if at > 0 {
                out.write_all(b"\\u003c")?;
            }
            out.write_all(part)?;
        }
    }
}

/// The page up to the plan, and what comes after it, for a page without decisions.
fn around() -> io::Result<(Vec<u8>, Vec<u8>)> {
    const HERE: &str = "<!--PLAN-->";
    let (before, after) = PAGE.split_once(HERE).unwrap_or((PAGE, ""));
    let whole = |part: &str| {
        let mut out = Vec::new();
        fill(part, &b""[..], &b"null"[..], &mut out)?;
        Ok::<_, io::Error>(out)
    };
    Ok((whole(before)?, whole(after)?))
}

/// The page of one project: `fix --format html`.
#[derive(Debug)]
pub(crate) struct Html {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Html {
    /// The page of the current folder.
    pub(crate) fn new() -> Self {
        let folder = std::env::current_dir().ok();
        let name =
            folder.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let name = serde_json::json!(name.unwrap_or_else(|| "project".to_owned()));
        // Writing to memory does not fail.
        let (mut before, mut after) = around().unwrap_or_default();
        let (version, tool) = (VERSION, env!("CARGO_PKG_VERSION"));
        let head = format!(
            "{{\"version\":{version},\"tool\":\"{tool}\",\"project\":true,\"repositories\":[{{\"name\":{name},\
             \"source\":{name},\"status\":\"planned\",\"files\":["
        );
        let _ = embed(&mut head.as_bytes(), &mut before);
        after.splice(..0, *b"]}");
        Self { before, after }
    }
}

impl Report for Html {
    fn head(&self) -> Vec<u8> {
        self.before.clone()
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let outcome = file.outcome;
        if outcome.fixes.is_empty() && outcome.held_back.is_empty() && outcome.declined.is_empty() {
            return;
        }
        let secrets = Secrets::of(file.before);
        let fix = |fix: &ReportedFix| {
            let hunks = fix.step.as_ref().map(|step| {
                let (path, after) = (file.path.to_owned(), step.edits.apply(&step.before));
                shown(&[Change { path, before: Some(step.before.to_string()), after }], file.path)
            });
            FixEntry { hunks: hunks.unwrap_or_default(), ..entry(secrets.clean(fix)) }
        };
        let fixes = outcome.fixes.iter().chain(&outcome.held_back).map(fix).collect();
        let declined = outcome.declined.iter().map(|declined| secrets.declined(declined)).collect();
        let entry = FileEntry { path: file.path.to_owned(), bases: Vec::new(), fixes, declined };
        if let Ok(json) = serde_json::to_vec(&entry) {
            let _ = embed(&mut json.as_slice(), out);
        }
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        let error = |Located { problem, .. }: &Located<'_>| FileError {
            path: problem.path.clone(),
            message: problem.message.clone(),
            line: problem.place.map(|(line, _)| line),
            column: problem.place.map(|(_, column)| column),
        };
        let errors: Vec<FileError> = closing.problems.iter().map(error).collect();
        out.extend_from_slice(b"],\"errors\":");
        if let Ok(json) = serde_json::to_vec(&errors) {
            let _ = embed(&mut json.as_slice(), out);
        }
        out.extend_from_slice(b"}");
        out.extend_from_slice(&self.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_cant_end_its_element() {
        let mut out = Vec::new();
        let plan = br#"{"a":"</script><script>alert(1)</script><!--"}"#;
        page(&plan[..], &b"null"[..], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(r"\u003c/script>\u003cscript>alert(1)"), "{text}");
        assert!(!text.contains("alert(1)</script>"));
    }
}
