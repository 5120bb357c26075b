//! What commits and requests say: what, why, on what terms, how to check, how to opt out.

use std::collections::BTreeSet;
use std::fmt::Write;

use dockeropt_transforms::{ALL, Meta};

use super::git::quoted;
use super::plan::{Entry, FixEntry};
use super::stack::Part;

/// The width of the lines of a commit message.
const WIDTH: usize = 72;

/// The first line of a commit.
pub(super) fn subject(part: &Part) -> String {
    meta(&part.transform).map_or_else(|| part.transform.clone(), |meta| meta.summary.to_owned())
}

/// The message of a commit.
pub(super) fn message(part: &Part) -> String {
    let mut text = subject(part);
    text.push_str("\n\n");
    if let Some(why) = why(&part.transform) {
        paragraph(&why, "", &mut text);
        text.push('\n');
    }
    for (path, fix) in &part.fixes {
        paragraph(&format!("{path}:{}: {}", fix.start_line, fix.title), "- ", &mut text);
        for note in &fix.notes {
            paragraph(note, "  ", &mut text);
        }
    }
    text.push('\n');
    for (heading, lines) in terms(&part.fixes) {
        paragraph(heading, "", &mut text);
        lines.iter().for_each(|line| paragraph(line, "- ", &mut text));
        text.push('\n');
    }
    let _ = writeln!(text, "Predicted saving: {}", saving(saves(&part.fixes)));
    text.push('\n');
    text.push_str("To check, build both images and compare:\n");
    for command in checks(part.fixes.iter(), "HEAD~1") {
        let _ = writeln!(text, "    {command}");
    }
    text.push('\n');
    paragraph(&opt_out(&part.transform), "", &mut text);
    text
}

/// The text of a request to merge the branch.
pub(super) fn body(entry: &Entry, parts: &[Part], remarks: &[String]) -> String {
    let fixes: usize = parts.iter().map(|part| part.fixes.len()).sum();
    let mut text = String::from("## Smaller images and faster rebuilds\n\n");
    let (fixes, commits) = (counted(fixes, "fix", "fixes"), counted(parts.len(), "commit", "commits"));
    let _ = writeln!(
        text,
        "dockeropt proposes {fixes} in {commits}, one for each kind of change: take those that you like. \
         Each result was compared with the original file.\n"
    );
    text.push_str("| commit | fixes | predicted saving | terms |\n|---|---|---|---|\n");
    for part in parts {
        let safe = part.fixes.iter().all(|(_, fix)| is_safe(fix));
        let terms = if safe { "the image does the same" } else { "see below" };
        let saving = saving(saves(&part.fixes));
        let (subject, fixes) = (subject(part), part.fixes.len());
        let _ = writeln!(text, "| {subject} (`{}`) | {fixes} | {saving} | {terms} |", part.transform);
    }
    for part in parts {
        let _ = writeln!(text, "\n### {}\n", subject(part));
        if let Some(why) = why(&part.transform) {
            let _ = writeln!(text, "{why}\n");
        }
        for (path, fix) in &part.fixes {
            let notes =
                if fix.notes.is_empty() { String::new() } else { format!(" ({})", fix.notes.join("; ")) };
            let _ = writeln!(
                text,
                "- {}, line {}: {}{}",
                code(path),
                fix.start_line,
                escape(&fix.title),
                escape(&notes)
            );
        }
        for (heading, lines) in terms(&part.fixes) {
            let _ = writeln!(text, "\n{heading}");
            for (at, line) in lines.iter().enumerate() {
                let start = if at == 0 { "\n" } else { "" };
                let _ = writeln!(text, "{start}- {}", escape(line));
            }
        }
        let _ = writeln!(text, "\n{}", opt_out(&part.transform));
    }
    let base = entry.commit.as_deref().unwrap_or("HEAD");
    text.push_str("\n### To check\n\nThis builds both images and tells what differs:\n\n```sh\n");
    let all = parts.iter().flat_map(|part| &part.fixes);
    for command in checks(all, base) {
        let _ = writeln!(text, "{command}");
    }
    text.push_str("```\n");
    if !entry.used_by.is_empty() {
        let _ = writeln!(
            text,
            "\nOther repositories start from this one's image: {}.",
            entry.used_by.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
        );
    }
    if !remarks.is_empty() {
        text.push_str("\n### Left out\n\n");
        for remark in remarks {
            let _ = writeln!(text, "- {}", escape(remark));
        }
    }
    text
}

fn meta(transform: &str) -> Option<&'static Meta> {
    ALL.iter().map(|known| known.meta()).find(|meta| meta.id == transform)
}

/// The first paragraph of `## Why` in a transform's documentation.
fn why(transform: &str) -> Option<String> {
    let doc = meta(transform)?.doc();
    let (_, rest) = doc.split_once("## Why\n")?;
    let lines = rest.trim_start().lines().take_while(|line| !line.trim().is_empty());
    Some(lines.collect::<Vec<_>>().join(" "))
}

fn is_safe(fix: &FixEntry) -> bool {
    fix.claims.is_empty() && fix.assumes.is_empty()
}

/// On what terms the fixes stand.
fn terms(fixes: &[(String, FixEntry)]) -> Vec<(&'static str, Vec<String>)> {
    let collect = |of: &dyn Fn(&FixEntry) -> Vec<String>| {
        let mut lines: Vec<String> = Vec::new();
        for line in fixes.iter().flat_map(|(_, fix)| of(fix)) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    };
    let claims = collect(&|fix| fix.claims.clone());
    let assumes = collect(&|fix| fix.assumes.clone());
    if claims.is_empty() && assumes.is_empty() {
        let nothing =
            "The image does the same, and nothing is taken for granted that the file does not show.";
        return vec![(nothing, Vec::new())];
    }
    let all = [("What may differ in the image:", claims), ("What it takes for granted:", assumes)];
    all.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

/// The commands that build and compare the images of some files, as they were in a commit and as they are.
fn checks<'p>(fixes: impl Iterator<Item = &'p (String, FixEntry)> + Clone, commit: &str) -> Vec<String> {
    let option = if fixes.clone().all(|(_, fix)| is_safe(fix)) { "" } else { " --unsafe" };
    let paths: BTreeSet<&str> = fixes.map(|(path, _)| path.as_str()).collect();
    let command = |path: &str| {
        let folder = quoted(path.rsplit_once('/').map_or(".", |(folder, _)| folder));
        let (path, old) = (quoted(path), "/tmp/before.Dockerfile");
        [
            format!("git show {commit}:{path} > {old}"),
            format!("dockeropt verify{option} --context {folder} --against {path} {old}"),
        ]
    };
    paths.into_iter().flat_map(command).collect()
}

fn opt_out(transform: &str) -> String {
    format!(
        "To opt out, write `# dockeropt: skip={transform}` above the instruction, or `skip = [\"{transform}\"]` \
         in dockeropt.toml."
    )
}

/// What fixes are expected to save, as far as there is a basis for it.
fn saves<'p>(fixes: impl IntoIterator<Item = &'p (String, FixEntry)>) -> Option<i64> {
    fixes.into_iter().filter_map(|(_, fix)| fix.saves).reduce(|all, one| all.saturating_add(one))
}

/// A number of bytes, if it is known.
fn saving(saves: Option<i64>) -> String {
    saves.map_or_else(|| "not known".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
}

pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Adds a paragraph; `start` stands before its first line, and as many spaces before the others. Its words
/// are kept whole.
fn paragraph(text: &str, start: &str, out: &mut String) {
    let mut line = start.to_owned();
    let indent = " ".repeat(start.len());
    let mut is_empty = true;
    for word in text.split_whitespace() {
        // Nothing in a message may look like a part of a mail or like an instruction to git.
        let word: String = word.chars().filter(|character| !character.is_control()).collect();
        if !is_empty && line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line.clone_from(&indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    let _ = writeln!(out, "{line}");
}

/// A text in Markdown that is not to be read as such; code in it stays code.
fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_code = false;
    for character in text.chars() {
        match character {
            '`' => in_code = !in_code,
            '<' | '>' | '*' | '_' | '[' | ']' | '|' | '@' | '#' if !in_code => shown.push('\\'),
            '\n' | '\r' => {
                shown.push(' ');
                continue;
            }
            _ => {}
        }
        shown.push(character);
    }
    shown
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> Part {
        let fix = FixEntry {
            transform: "no-recommends".to_owned(),
            title: "Install without recommended packages".to_owned(),
            applicability: "unsafe".to_owned(),
            fingerprint: "0123456789abcdef".to_owned(),
            start_line: 4,
            end_line: 5,
            claims: vec!["no longer installed: a".to_owned()],
            assumes: vec!["nothing needs a\n---\nFrom me".to_owned()],
            notes: vec!["a third is saved".to_owned()],
            saves: Some(12_345_678),
            hunks: Vec::new(),
            only: None,
        };
        Part {
            transform: "no-recommends".to_owned(),
            fixes: vec![("app/Dockerfile".to_owned(), fix)],
            changes: Vec::new(),
        }
    }

    #[test]
    fn a_commit_says_what_why_and_on_what_terms() {
        let text = message(&part());
        for wanted in [
            "- app/Dockerfile:4: Install without",
            "  a third is saved",
            "What may differ in the image:\n- no longer installed: a",
            "What it takes for granted:\n- nothing needs a --- From me",
            "Predicted saving: 12.3 MB",
            "dockeropt verify --unsafe --context app --against app/Dockerfile /tmp/before.Dockerfile",
            "skip=no-recommends",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        let plain = |line: &str| line.starts_with("    ") || line.len() <= WIDTH;
        assert!(text.lines().skip(1).all(plain) && !text.contains("\n---"), "{text}");
    }

    #[test]
    fn the_rows_of_the_table_have_its_columns() {
        let entry = serde_json::json!({"name": "a", "source": "a", "status": "planned"});
        let entry: Entry = serde_json::from_value(entry).unwrap();
        let text = body(&entry, &[part()], &[]);
        let columns: Vec<usize> =
            text.lines().filter(|line| line.starts_with('|')).map(|row| row.matches('|').count()).collect();
        assert_eq!(columns, [5, 5, 5]);
        assert!(text.contains("| 1 | 12.3 MB | see below |"), "{text}");
    }

    #[test]
    fn markdown_is_not_obeyed() {
        assert_eq!(escape("a <b> `c_<d>` @e"), "a \\<b\\> `c_<d>` \\@e");
    }
}
