//! Tests of the command line: through the library with a stand-in for the transforms, and through
//! the program.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, helpers included")]
#![cfg(unix)]

mod bad_input;
mod baseline;
mod configuration;
mod discovery;
mod formats;
mod ignores;
mod jsonl;
mod program;
mod reports;
mod speed;
mod support;
mod writing;
