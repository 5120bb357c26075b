//! Changed files, each with a label: what is different must be rejected, what is equal accepted.
//!
//! The label follows from the kind of change, not from the check.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail")]

mod different;
mod equal;
mod files;

use std::collections::BTreeMap;

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_syntax::parse;
use files::FILES;

/// A change of a file.
pub(crate) struct Mutant {
    /// The kind of change.
    pub(crate) kind: &'static str,
    /// The changed file.
    pub(crate) text: String,
}

fn compare(before: &str, after: &str) -> Result<(), String> {
    let (before, after) = (parse(before), parse(after));
    assert!(before.diagnostics.is_empty(), "{:?}", before.diagnostics);
    check(&Facts::new(&before), &Facts::new(&after), &Licence::default())
        .map_err(|difference| difference.message)
}

/// The lines that only one of two files has.
fn changed_lines(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.split('\n').collect(), after.split('\n').collect());
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let ends = before[start..].iter().rev().zip(after[start..].iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let context = before[..start].last().map(|line| format!("   {line:?}\n")).unwrap_or_default();
    let lost = before[start..before.len() - end].iter().map(|line| format!(" - {line:?}\n"));
    let new = after[start..after.len() - end].iter().map(|line| format!(" + {line:?}\n"));
    context + &lost.chain(new).collect::<String>()
}

/// Checks all mutants of all files; gives how many there were.
fn check_all(mutate: fn(&str) -> Vec<Mutant>, are_equal: bool) -> usize {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in FILES {
        for mutant in mutate(file) {
            if mutant.text == file {
                continue;
            }
            *counts.entry(mutant.kind).or_default() += 1;
            let found = compare(file, &mutant.text);
            if found.is_ok() != are_equal {
                let lines = changed_lines(file, &mutant.text);
                wrong.push(format!("{}: {found:?}\n{lines}", mutant.kind));
            }
        }
    }
    println!("{counts:#?}");
    assert!(wrong.is_empty(), "{} labelled wrongly:\n{}", wrong.len(), wrong.join("\n"));
    counts.values().sum()
}

#[test]
fn different_files_are_rejected() {
    assert!(check_all(different::mutants, false) >= 2_000);
}

#[test]
fn equal_files_are_accepted() {
    assert!(check_all(equal::mutants, true) >= 400);
}
