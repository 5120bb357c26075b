//! How many files and bytes a second are read, understood and rewritten: `cargo bench`.
//!
//! Each measurement is made on the files beside this one, and on those of `DOCKEROPT_CORPUS` (a gzipped
//! file with one JSON object a line, the file in `text`) if that is set.

#![allow(clippy::unwrap_used, reason = "a measurement may fail")]

use std::io::{BufRead, BufReader};
use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use dockeropt::pipeline::{Options, optimize};
use dockeropt_facts::Facts;
use dockeropt_syntax::parse;
use flate2::read::GzDecoder;

fn main() {
    divan::main();
}

/// A set of files.
#[derive(Clone, Copy, Debug)]
enum Files {
    /// Those beside this file.
    Own,
    /// Real ones.
    Corpus,
}

static OWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/files")).unwrap();
    folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
});

static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = std::env::var("DOCKEROPT_CORPUS").unwrap();
    let lines = BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    let entries = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    entries.map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
});

fn sets() -> Vec<Files> {
    let mut sets = vec![Files::Own];
    if std::env::var_os("DOCKEROPT_CORPUS").is_some() {
        sets.push(Files::Corpus);
    }
    sets
}

/// Measures what is done to each file of a set.
fn measure(bencher: Bencher<'_, '_>, files: Files, work: impl Fn(&str) + Sync) {
    let texts = match files {
        Files::Own => &*OWN,
        Files::Corpus => &*CORPUS,
    };
    bencher
        .counter(ItemsCount::new(texts.len()))
        .counter(BytesCount::new(texts.iter().map(String::len).sum::<usize>()))
        .bench(|| texts.iter().for_each(|text| work(black_box(text))));
}

#[divan::bench(args = sets(), max_time = 5)]
fn read(bencher: Bencher<'_, '_>, files: Files) {
    measure(bencher, files, |text| drop(black_box(parse(text))));
}

#[divan::bench(args = sets(), max_time = 5)]
fn read_and_understand(bencher: Bencher<'_, '_>, files: Files) {
    measure(bencher, files, |text| {
        let file = parse(text);
        if file.diagnostics.is_empty() {
            drop(black_box(Facts::new(&file)));
        }
    });
}

#[divan::bench(args = sets(), max_time = 10)]
fn rewrite(bencher: Bencher<'_, '_>, files: Files) {
    let options = Options::default();
    measure(bencher, files, |text| drop(black_box(optimize(text, &options))));
}
