//! How the transforms work together: `tests/cases/NAME/Dockerfile` becomes `expected.Dockerfile` with
//! all fixes, and `report.txt` says which they were and what was left alone. A folder `context` is the
//! build context.
//!
//! `enable` names transforms that are off by default.
//!
//! With `UPDATE_EXPECT=1` in the environment the expectations are written anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dockeropt::pipeline::{Applicability, Options, Outcome, ReportedFix, optimize_in};
use dockeropt::project::Contexts;
use dockeropt_transforms::{ALL, Surroundings};
use similar::TextDiff;

#[test]
fn cases() {
    let mut failures = String::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"))
        .expect("tests/cases can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    let mut touched = BTreeSet::new();
    for folder in folders {
        let text = read(&folder.join("Dockerfile"));
        let dockerfile = folder.join("Dockerfile");
        let contexts = Contexts { named: Some(folder.join("context")), ..Contexts::default() };
        let surroundings = || match folder.join("context").is_dir() {
            true => contexts.around(&dockerfile),
            false => Surroundings::unknown(),
        };
        let enable = enabled(&folder);
        let safe = Options { enable: enable.clone(), ..Options::default() };
        let safe = optimize_in(&text, &safe, &surroundings());
        let options = Options { allow_unsafe: true, enable, ..Options::default() };
        let all = optimize_in(&text, &options, &surroundings());
        for outcome in [&safe, &all] {
            assert_eq!((&outcome.bugs, &outcome.diagnostics), (&vec![], &vec![]), "{}", folder.display());
        }
        touched.extend(pairs(&all));
        expect(&folder.join("expected.Dockerfile"), &all.after, &mut failures);
        expect(&folder.join("report.txt"), &report(&safe, &all), &mut failures);
    }
    assert!(failures.is_empty(), "{failures}");
    let ids: Vec<&str> = ALL.iter().map(|transform| transform.meta().id).collect();
    let mut missing = Vec::new();
    for (at, one) in ids.iter().enumerate() {
        for other in &ids[at + 1..] {
            let pair = [*one, *other];
            match (touched.contains(&pair), apart(pair)) {
                (false, None) => missing.push(pair.join(" and ")),
                (true, Some(why)) => missing.push(format!("{}, though {why}", pair.join(" and "))),
                _ => {}
            }
        }
    }
    assert!(missing.is_empty(), "no case has both: {missing:#?}");
}

/// The transforms that a case asks for.
fn enabled(folder: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join("enable")).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Why two transforms never work on the same file.
fn apart(pair: [&str; 2]) -> Option<&'static str> {
    match pair {
        ["development-stage", "split-stages"] => Some("both are for a file with one stage"),
        _ => None,
    }
}

/// The transforms that work on one file together, in the order in which they run.
fn pairs(outcome: &Outcome) -> BTreeSet<[&'static str; 2]> {
    let place = |id: &str| ALL.iter().position(|transform| transform.meta().id == id);
    let mut found = BTreeSet::new();
    for one in &outcome.fixes {
        for other in &outcome.fixes {
            if place(one.transform) < place(other.transform) {
                found.insert([one.transform, other.transform]);
            }
        }
    }
    found
}

/// What was done and what was not, the safe fixes apart from the others.
fn report(safe: &Outcome, all: &Outcome) -> String {
    let mut report = String::new();
    let (unsafe_fixes, safe_fixes): (Vec<_>, Vec<_>) =
        all.fixes.iter().partition(|fix| fix.applicability == Applicability::Unsafe);
    for fix in safe_fixes.into_iter().chain(unsafe_fixes) {
        describe(fix, &mut report);
    }
    for declined in &all.declined {
        writeln!(report, "declined {} at {}: {}", declined.transform, declined.line, declined.reason)
            .expect("a string can be written to");
    }
    if safe.after != all.after {
        let without = TextDiff::from_lines(&all.after, &safe.after);
        write!(report, "\nwithout --unsafe:\n{}", without.unified_diff().context_radius(0))
            .expect("a string can be written to");
    }
    report
}

fn describe(fix: &ReportedFix, report: &mut String) {
    let kind = if fix.applicability == Applicability::Safe { "safe" } else { "unsafe" };
    let lines = if fix.start_line == fix.end_line {
        format!("{}", fix.start_line)
    } else {
        format!("{} to {}", fix.start_line, fix.end_line)
    };
    writeln!(report, "{kind} {} at {lines}: {}", fix.transform, fix.title)
        .expect("a string can be written to");
    for claim in &fix.claims {
        writeln!(report, "  claims {claim}").expect("a string can be written to");
    }
    for assumption in &fix.assumes {
        writeln!(report, "  assumes {assumption}").expect("a string can be written to");
    }
}

fn expect(path: &Path, found: &str, failures: &mut String) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(path, found).expect("an expectation can be written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != found {
        let diff = TextDiff::from_lines(expected.as_str(), found);
        let diff = diff.unified_diff().context_radius(10).to_string();
        *failures += &format!("{} (- expected, + found)\n{diff}\n", path.display());
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
