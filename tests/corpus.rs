//! Real files: `DOCKEROPT_CORPUS` names a gzipped file with one JSON object a line, the file in `text`
//! and its name in `id`.
//!
//! `UPDATE_EXPECT=1` rewrites `corpus.golden.tsv`, which says how often each transform fixed something
//! and for which reasons it held back, so that a change of behaviour shows in review.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "the properties are shared")]

#[path = "support/properties.rs"]
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use dockeropt::pipeline::Outcome;
use dockeropt_syntax::{Keyword, parse};
use flate2::read::GzDecoder;

/// Files that may fail, by id: empty, unless a bug is known and being mended.
const KNOWN_FAILURES: &[&str] = &[];

/// So many failures are printed.
const SHOWN: usize = 20;

/// A file of the corpus and what became of it, with safe fixes and with all.
struct Run {
    id: String,
    text: String,
    outcomes: [Option<Outcome>; 2],
    failures: Vec<String>,
}

/// The files, run through the pipeline; `None` without a corpus.
fn runs() -> Option<&'static [Run]> {
    static RUNS: OnceLock<Option<Vec<Run>>> = OnceLock::new();
    let runs = RUNS.get_or_init(|| {
        let Ok(path) = std::env::var("DOCKEROPT_CORPUS") else {
            println!("skipped: DOCKEROPT_CORPUS is not set");
            return None;
        };
        let lines = BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
        let lines: Vec<String> = lines.map(Result::unwrap).collect();
        let (left, right) = lines.split_at(lines.len() / 2);
        let (mut runs, more) = std::thread::scope(|scope| {
            let right = scope.spawn(|| right.iter().map(|line| run(line)).collect::<Vec<_>>());
            (left.iter().map(|line| run(line)).collect::<Vec<_>>(), right.join().unwrap())
        });
        runs.extend(more);
        Some(runs)
    });
    runs.as_deref()
}

fn run(line: &str) -> Run {
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = entry["text"].as_str().unwrap().to_owned();
    let mut failures: Vec<String> = properties::lossless(text.as_bytes()).err().into_iter().collect();
    let outcomes = properties::both().map(|options| {
        let check = || {
            let outcome = properties::valid(&text, &options)?;
            properties::stable(&outcome, &options).map(|()| outcome)
        };
        let kind = if options.allow_unsafe { "unsafe" } else { "safe" };
        match std::panic::catch_unwind(check) {
            Ok(Ok(outcome)) => Some(outcome),
            Ok(Err(message)) => {
                failures.push(format!("{kind}: {message}"));
                None
            }
            Err(_) => {
                failures.push(format!("{kind}: a panic"));
                None
            }
        }
    });
    Run { id: entry["id"].as_str().unwrap().to_owned(), text, outcomes, failures }
}

#[test]
fn real_files_hold_the_properties() {
    let Some(runs) = runs() else { return };
    let failed = |run: &&Run| !run.failures.is_empty() && !KNOWN_FAILURES.contains(&run.id.as_str());
    let failing: Vec<&Run> = runs.iter().filter(failed).collect();
    let mended: Vec<_> =
        KNOWN_FAILURES.iter().filter(|id| !runs.iter().any(|run| run.id == **id && failed(&run))).collect();
    println!("{} files, {} fail", runs.len(), failing.len());
    let shown = failing.iter().take(SHOWN).map(|run| format!("\n{}: {}", run.id, run.failures.join("; ")));
    assert!(failing.is_empty(), "{} files fail{}", failing.len(), shown.collect::<String>());
    println!("{mended:?} are listed as failing");
}

#[test]
fn fixes_and_refusals_are_as_they_were() {
    let Some(runs) = runs() else { return };
    let table = table(runs);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus.golden.tsv");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (expected.lines().collect(), table.lines().collect());
    let lost = before.difference(&after).map(|line| format!("-{line}\n"));
    let new = after.difference(&before).map(|line| format!("+{line}\n"));
    let changes: String = lost.chain(new).collect();
    assert!(changes.is_empty(), "UPDATE_EXPECT=1 accepts this:\n{changes}");
}

/// How often what happened, with safe fixes and with all.
fn table(runs: &[Run]) -> String {
    let mut counts: BTreeMap<(&str, &str, String), [usize; 2]> = BTreeMap::new();
    for run in runs {
        for (at, outcome) in run.outcomes.iter().enumerate() {
            let Some(outcome) = outcome else { continue };
            let mut count = |who, what, why| counts.entry((who, what, why)).or_default()[at] += 1;
            count("files", "all", String::new());
            if outcome.after != run.text {
                count("files", "changed", String::new());
            }
            if !outcome.diagnostics.is_empty() {
                count("files", "refused", String::new());
            }
            for fix in &outcome.fixes {
                count(fix.transform, "fixed", normal(&fix.title));
            }
            for fix in &outcome.held_back {
                count(fix.transform, "held back", normal(&fix.title));
            }
            for refusal in &outcome.declined {
                count(refusal.transform, "declined", normal(&refusal.reason));
            }
        }
    }
    let mut totals: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    for ((who, what, _), [safe, all]) in counts.iter().filter(|((who, ..), _)| *who != "files") {
        let total = totals.entry((who, what)).or_default();
        *total = [total[0] + safe, total[1] + all];
    }
    let totals = totals.into_iter().map(|((who, what), counts)| ((who, what, "in all".to_owned()), counts));
    let mut rows: Vec<_> = counts.into_iter().chain(totals).collect();
    rows.sort_by(|((a, b, c), counts), ((x, y, z), others)| {
        (a, b, others[0], others[1], c).cmp(&(x, y, counts[0], counts[1], z))
    });
    let mut table = "transform\twhat\twhy\tsafe\tunsafe\n".to_owned();
    for ((who, what, why), [safe, all]) in rows {
        writeln!(table, "{who}\t{what}\t{why}\t{safe}\t{all}").unwrap();
    }
    table
}

/// A reason without what differs from file to file: names, numbers, paths.
fn normal(reason: &str) -> String {
    let parts = reason.split('`').enumerate();
    let text: String = parts.map(|(at, part)| if at % 2 == 0 { part } else { "NAME" }).collect();
    let words = text.split_whitespace().map(|word| match word {
        word if word.contains('/') => "PATH".to_owned(),
        word if word.contains(|c: char| c.is_ascii_digit()) => "N".to_owned(),
        word => word.to_owned(),
    });
    let text = words.collect::<Vec<_>>().join(" ");
    // `it is not known what numpy needs`, `line 3 runs install.sh, which`
    let text = [("what ", " needs"), ("what ", " holds"), ("runs ", ", which"), ("runs ", " when")]
        .iter()
        .fold(text, |text, (before, after)| without_name(&text, before, after));
    match (text.split_once(", adding "), text.split_once(" recommends ")) {
        (Some((what, _)), _) => format!("{what}, adding NAMES"),
        (_, Some((_, what))) => format!("NAME recommends {what}"),
        _ => text,
    }
}

/// A text with one word for what stands between two others.
fn without_name(text: &str, before: &str, after: &str) -> String {
    let Some((start, rest)) = text.split_once(before) else { return text.to_owned() };
    match rest.split_once(after) {
        Some((name, end)) if !name.contains(' ') => format!("{start}{before}NAME{after}{end}"),
        _ => text.to_owned(),
    }
}

/// `bash -n` accepts the new bodies of RUNs in each changed file, if it accepted all that were there.
#[test]
fn bash_reads_what_it_read_before() {
    let Some(runs) = runs() else { return };
    if Command::new("bash").arg("--version").output().is_err() {
        println!("skipped: bash is not installed");
        return;
    }
    let mut new: BTreeMap<String, &Run> = BTreeMap::new();
    for run in runs {
        let before = bodies(&run.text);
        for outcome in run.outcomes.iter().flatten().filter(|outcome| outcome.after != run.text) {
            new.extend(bodies(&outcome.after).difference(&before).map(|body| (body.clone(), run)));
        }
    }
    let refused = refused(&new.keys().map(String::as_str).collect::<Vec<_>>());
    println!("{} new scripts, bash refuses {}", new.len(), refused.len());
    let broken: BTreeSet<&str> = refused
        .into_iter()
        .map(|body| new[body])
        .filter(|run| bodies(&run.text).iter().all(|body| bash_accepts(&[body])))
        .map(|run| run.id.as_str())
        .collect();
    assert!(broken.is_empty(), "{} files: {broken:?}", broken.len());
}

/// The scripts of the RUNs in shell form that can be read alone.
fn bodies(text: &str) -> BTreeSet<String> {
    let file = parse(text);
    let runs = file.instructions().filter(|instruction| {
        let operation = &instruction.operation;
        operation.keyword == Keyword::Run
            && operation.json.is_none()
            && !instruction.arguments().contains("<<")
    });
    runs.map(|instruction| instruction.arguments().to_owned()).collect()
}

/// The scripts that `bash -n` refuses, found by halving.
fn refused<'s>(scripts: &[&'s str]) -> Vec<&'s str> {
    if scripts.is_empty() || bash_accepts(scripts) {
        return Vec::new();
    }
    match scripts.split_at(scripts.len() / 2) {
        ([], _) => scripts.to_vec(),
        (left, right) => [refused(left), refused(right)].concat(),
    }
}

/// Whether `bash -n` accepts all scripts without a warning.
///
/// Each stands in a `case` of its own, so that none can end what another has left open: `;;` is an
/// error within any other construct.
fn bash_accepts(scripts: &[&str]) -> bool {
    let mut bash = Command::new("bash");
    let child = bash.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut input = child.stdin.take().unwrap();
    for script in scripts {
        // Bash stops reading at the first error.
        if write!(input, "case x in x)\n{script}\n;; esac # '\"`\n").is_err() {
            break;
        }
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("warning")
}
