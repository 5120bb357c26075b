//! How new instructions are written.

use dockeropt_facts::Step;
use dockeropt_syntax::LINE_WIDTH;

/// A RUN that installs packages of Debian: update, no recommended packages, the list removed.
pub(crate) fn install(packages: &[String], escape: char, newline: &str) -> String {
    let head = "RUN apt-get update && apt-get install -y --no-install-recommends";
    let tail = "&& rm -rf /var/lib/apt/lists/*";
    let names = packages.join(" ");
    if head.len() + names.len() + 3 < LINE_WIDTH {
        return format!("{head} {names} {escape}{newline}    {tail}{newline}");
    }
    let names: String = packages.iter().map(|name| format!("    {name} {escape}{newline}")).collect();
    format!("{head} {escape}{newline}{names}    {tail}{newline}")
}

/// Lines to insert behind a step, which may be the last line of a file and have no newline.
pub(crate) fn line_behind(text: &str, step: &Step<'_>, lines: &str, newline: &str) -> String {
    if text[..step.instruction.span.end].ends_with('\n') {
        return lines.to_owned();
    }
    format!("{newline}{}", lines.trim_end_matches(['\r', '\n']))
}
