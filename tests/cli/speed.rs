//! What the driver costs beside the transforms.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use dockeropt::discover::discover;
use dockeropt::fix::run;
use dockeropt::pipeline::Outcome;

use crate::support::settings;

fn unchanged(text: &str) -> Outcome {
    let empty = (vec![], vec![], vec![], vec![], vec![]);
    let (fixes, held_back, declined, diagnostics, bugs) = empty;
    Outcome { after: text.to_owned(), fixes, held_back, declined, diagnostics, bugs, ..Outcome::default() }
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
                let optimize: &'static (dyn Fn(&str) -> Outcome + Sync) = Box::leak(Box::new(optimize));
                let settings = settings(&corpus, |settings| {
                    settings.jobs = jobs;
                    settings.optimize = optimize;
                });
                let start = now();
                run(discover(std::slice::from_ref(&corpus), jobs), &settings, io::sink(), io::sink())
                    .unwrap();
                let time = (now() - start).saturating_sub(discovery);
                println!("  {name}, {jobs} jobs: {:?} a file", time / files as u32);
            }
        }
    }
}
