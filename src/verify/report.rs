//! The reports of a comparison: text, JSON, Markdown.

use std::fmt::Write;

use serde_json::{Value, json};

use super::compare::counts;
use super::{Class, Difference, Measures, Spread, Verification};
use crate::palette::Palette;
use crate::pipeline::ReportedFix;
use crate::summary::megabytes;

/// So many differences of a kind are shown.
const SHOWN: usize = 20;

/// `-12.3 MB`
fn change(before: u64, after: u64) -> String {
    format!("{:+.1} MB", (after as f64 - before as f64) / 1e6)
}

fn seconds(spread: &Spread) -> String {
    format!("{:.1} s ({:.1}-{:.1})", spread.median, spread.min, spread.max)
}

/// What a comparison says, in a line.
fn verdict(verification: &Verification) -> String {
    let unexpected = verification.unexpected().count();
    let failed = verification.trials.iter().filter(|trial| trial.differs.is_some()).count();
    match (&verification.broken, unexpected, failed) {
        (Some(_), ..) => "the rewrite does not build".to_owned(),
        (None, 0, 0) => "the rewrite builds, and nothing unexpected differs".to_owned(),
        (None, 0, _) => format!("{failed} of {} smoke tests differ", verification.trials.len()),
        (None, 1, _) => "1 unexpected difference".to_owned(),
        (None, many, _) => format!("{many} unexpected differences"),
    }
}

/// The rows of the table: what, before, after, and the change if it is a number of bytes.
fn rows(verification: &Verification) -> Vec<[String; 4]> {
    let (before, after) = verification.numbers;
    let mut rows = Vec::new();
    let mut bytes = |what: &str, old: u64, new: Option<u64>| {
        let new_text = new.map_or_else(|| "-".to_owned(), |new| megabytes(new as i64));
        let changed = new.map_or_else(String::new, |new| change(old, new));
        rows.push([what.to_owned(), megabytes(old as i64), new_text, changed]);
    };
    bytes("size", before.size, after.map(|it| it.size));
    bytes("wasted", before.wasted, after.map(|it| it.wasted));
    let layers = after.map_or_else(|| "-".to_owned(), |it| it.layers.to_string());
    rows.push(["layers".to_owned(), before.layers.to_string(), layers, String::new()]);
    if let Some(measures) = &verification.measures {
        for (what, spreads) in times(measures) {
            if let Some((old, new)) = spreads {
                rows.push([what.to_owned(), seconds(old), seconds(new), String::new()]);
            }
        }
    }
    rows
}

fn times(measures: &Measures) -> [(&'static str, Option<(&Spread, &Spread)>); 3] {
    [
        ("cold build", measures.cold.as_ref().map(|(old, new)| (old, new))),
        ("rebuild, source", measures.source.as_ref().map(|(old, new)| (old, new))),
        ("rebuild, manifest", measures.manifest.as_ref().map(|(old, new)| (old, new))),
    ]
}

/// The report for a person at a terminal.
pub fn text(path: &str, verification: &Verification, show_layers: bool, palette: &Palette) -> String {
    let mut out = String::new();
    let style = if verification.passed() { palette.added } else { palette.removed };
    let _ = writeln!(out, "{path}: {style}{}{style:#}", verdict(verification));
    let rows = rows(verification);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let (first, second, third) = (width(0), width(1).max(6), width(2).max(5));
    let _ = writeln!(out, "  {:first$}  {:>second$}  {:>third$}", "", "before", "after");
    for [what, before, after, changed] in &rows {
        let line = format!("  {what:first$}  {before:>second$}  {after:>third$}  {changed}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if show_layers {
        for (name, layers) in [("before", &verification.layers.0), ("after", &verification.layers.1)] {
            let _ = writeln!(out, "  layers {name}:");
            for layer in layers {
                let _ =
                    writeln!(out, "    {:>10}  {}", megabytes(layer.size as i64), shorten(&layer.created_by));
            }
        }
    }
    if let Some(said) = &verification.broken {
        let lines: Vec<&str> = said.lines().collect();
        for line in &lines[lines.len().saturating_sub(SHOWN)..] {
            let _ = writeln!(out, "  | {line}");
        }
    }
    for trial in &verification.trials {
        let result =
            trial.differs.as_ref().map_or_else(|| "the same".to_owned(), |it| format!("differs: {it}"));
        let _ = writeln!(out, "  run `{}`: {result}", trial.command);
    }
    for (class, name) in [(Class::Expected, "expected"), (Class::Noise, "noise")] {
        for (why, count) in counts(&verification.differences, class) {
            let _ = writeln!(out, "  {name}: {count} ({why})");
        }
    }
    let mut unexpected: Vec<&Difference> = topmost(verification);
    let more = unexpected.len().saturating_sub(SHOWN);
    unexpected.truncate(SHOWN);
    for difference in unexpected {
        let Difference { place, what, .. } = difference;
        let _ = writeln!(out, "  {}unexpected: {place}: {what}{:#}", palette.removed, palette.removed);
    }
    if more > 0 {
        let _ = writeln!(out, "  and {more} more; --format json has all");
    }
    out
}

/// The unexpected differences without what lies in a folder that is missing or new itself.
fn topmost(verification: &Verification) -> Vec<&Difference> {
    let mut shown: Vec<&Difference> = Vec::new();
    for difference in verification.unexpected() {
        let inside = |other: &&Difference| {
            other.what == difference.what
                && matches!(other.what.as_str(), "missing" | "new")
                && difference.place.strip_prefix(&other.place).is_some_and(|rest| rest.starts_with('/'))
        };
        if !shown.iter().rev().take(1).any(inside) {
            shown.push(difference);
        }
    }
    shown
}

fn shorten(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    if line.chars().count() <= 80 { line } else { line.chars().take(77).chain("...".chars()).collect() }
}

/// The report for programs.
pub fn json(path: &str, verification: &Verification, dropped: &[(ReportedFix, String)]) -> String {
    let fix = |fix: &ReportedFix| json!({"transform": fix.transform, "title": fix.title, "fingerprint": fix.fingerprint, "line": fix.start_line, "saves_bytes": fix.saves});
    let numbers = |numbers: &super::Numbers, layers: &[super::image::Layer]| {
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| json!({"size": layer.size, "created_by": shorten(&layer.created_by)}))
            .collect();
        json!({"size": numbers.size, "wasted": numbers.wasted, "layers": layers})
    };
    let spread = |spread: &Spread| json!({"min": spread.min, "median": spread.median, "max": spread.max});
    let measures = verification.measures.as_ref().map(|measures| {
        let all = times(measures).into_iter().filter_map(|(what, spreads)| {
            let (old, new) = spreads?;
            Some((
                what.replace(", ", "_").replace(' ', "_"),
                json!({"before": spread(old), "after": spread(new)}),
            ))
        });
        Value::Object(all.collect())
    });
    let difference = |it: &Difference| json!({"place": it.place, "what": it.what, "why": it.why});
    let of = |class: Class| -> Vec<Value> {
        verification.differences.iter().filter(|it| it.class == class).map(difference).collect()
    };
    let trials: Vec<Value> = verification
        .trials
        .iter()
        .map(|it| json!({"command": it.command, "before": it.status.0, "after": it.status.1, "differs": it.differs}))
        .collect();
    let value = json!({
        "version": 1,
        "path": path,
        "passed": verification.passed(),
        "fixes": verification.fixes.iter().map(fix).collect::<Vec<_>>(),
        "dropped": dropped
            .iter()
            .map(|(it, evidence)| json!({"fix": fix(it), "evidence": evidence}))
            .collect::<Vec<_>>(),
        "broken": verification.broken,
        "before": numbers(&verification.numbers.0, &verification.layers.0),
        "after": verification.numbers.1.as_ref().map(|it| numbers(it, &verification.layers.1)),
        "unexpected": of(Class::Unexpected),
        "expected": of(Class::Expected),
        "noise": of(Class::Noise),
        "runs": trials,
        "measures": measures,
    });
    format!("{value}\n")
}

/// The report for a pull request.
pub fn markdown(path: &str, verification: &Verification) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "**{path}**: {}\n", verdict(verification));
    let _ = writeln!(out, "| | before | after | |\n|---|---:|---:|---:|");
    for [what, before, after, changed] in rows(verification) {
        let _ = writeln!(out, "| {what} | {before} | {after} | {changed} |");
    }
    let _ = writeln!(out);
    for fix in &verification.fixes {
        let _ = writeln!(out, "- line {}: {} (`{}`)", fix.start_line, fix.title, fix.transform);
    }
    for trial in &verification.trials {
        let result = trial.differs.as_deref().unwrap_or("the same in both images");
        let _ = writeln!(out, "- `{}`: {result}", trial.command);
    }
    for difference in topmost(verification).iter().take(SHOWN) {
        let _ = writeln!(out, "- unexpected: `{}`: {}", difference.place, difference.what);
    }
    for (why, count) in counts(&verification.differences, Class::Expected) {
        let _ = writeln!(out, "- expected: {count} paths ({why})");
    }
    out
}
