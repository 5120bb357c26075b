//! What the driver costs beside the transforms.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dockeropt::discover::discover;
use dockeropt::fix::{Streams, run};
use dockeropt::pipeline::Outcome;

use crate::support::settings;

fn unchanged(text: &str) -> Outcome {
    Outcome { after: text.to_owned(), ..Outcome::default() }
}

fn commented(text: &str) -> Outcome {
    Outcome { after: text.replacen("RUN ", "RUN : && ", 1), ..unchanged(text) }
}

/// The processor time that all threads used: other programs don't count.
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Run with `DOCKEROPT_CORPUS=folder cargo test --release -- --ignored --nocapture speed`.
#[test]
#[ignore = "a measurement"]
fn of_discovery_reading_and_printing() {
    let Some(corpus) = std::env::var_os("DOCKEROPT_CORPUS").map(PathBuf::from) else { return };
    for round in 0..3 {
        let start = now();
        let found = discover(std::slice::from_ref(&corpus), 1);
        let files = found.candidates.len();
        let discovery = now() - start;
        println!("round {round}: {files} files; discovery {:?} a file", discovery / files as u32);
        for (name, optimize) in [("read", unchanged as fn(&str) -> Outcome), ("read, diff, print", commented)]
        {
            for jobs in [1, 2] {
                let rewriter: &'static dyn dockeropt::fix::Rewrite =
                    Box::leak(Box::new(move |_: &Path, text: &str| Ok(optimize(text))));
                let settings = settings(&corpus, |settings| {
                    settings.jobs = jobs;
                    settings.rewriter = rewriter;
                });
                let start = now();
                let streams = Streams { out: &mut io::sink(), output: &mut io::sink(), err: &mut io::sink() };
                run(&discover(std::slice::from_ref(&corpus), jobs), &settings, streams).unwrap();
                let time = (now() - start).saturating_sub(discovery);
                println!("  {name}, {jobs} jobs: {:?} a file", time / files as u32);
            }
        }
    }
}
