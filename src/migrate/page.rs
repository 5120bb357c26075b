//! The review page: one file that works without a network.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use super::chain::chain;
use super::folder::{Folder, write};
use super::plan::{Choice, Entry, FileEntry, Head, Status, VERSION};
use super::present::Secrets;
use super::stack::Original;
use crate::pipeline::Outcome;

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

fn page(mut plan: impl Read, mut decisions: impl Read, out: &mut dyn Write) -> io::Result<()> {
    for part in PAGE.split("<!--") {
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

/// What is known of a file of one project.
pub(crate) struct Looked {
    /// Its path.
    pub(crate) path: String,
    /// What was read.
    pub(crate) before: String,
    /// What was made of it.
    pub(crate) outcome: Outcome,
    /// With what.
    pub(crate) options: crate::pipeline::Options,
}

/// Writes the page of one project, of that `name`.
pub(crate) fn of_project(name: &str, files: Vec<Looked>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for Looked { path, before, outcome, options } in files {
        let secrets = Secrets::of(&before);
        let declined = outcome.declined.iter().map(|declined| secrets.declined(declined)).collect();
        let fixes: Vec<_> = outcome.fixes.into_iter().chain(outcome.held_back).collect();
        let options = crate::pipeline::Options { allow_unsafe: true, ..options };
        let original = Original { path: path.clone(), text: before.clone(), options };
        let fixes = chain(&original, &fixes).map_err(anyhow::Error::msg)?;
        entries.push(FileEntry { path, bases: Vec::new(), fixes, declined });
    }
    let head =
        Head { version: VERSION, tool: env!("CARGO_PKG_VERSION").to_owned(), choice: Choice::default() };
    let entry = Entry {
        name: name.to_owned(),
        source: name.to_owned(),
        reference: None,
        status: Status::Planned,
        failure: None,
        commit: None,
        date: None,
        branch: None,
        images: Vec::new(),
        used_by: Vec::new(),
        warnings: Vec::new(),
        left_out: std::collections::BTreeMap::new(),
        errors: Vec::new(),
        files: entries,
    };
    let mut plan = serde_json::to_value(&head)?;
    plan["repositories"] = serde_json::json!([entry]);
    page(serde_json::to_vec(&plan)?.as_slice(), &b"null"[..], out)?;
    Ok(out.flush()?)
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
