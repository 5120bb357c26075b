//! dockeropt rewrites Dockerfiles so that images get smaller and rebuilds get faster, and only makes
//! a change that it can defend.

pub mod baseline;
pub mod choices;
pub mod cli;
pub mod config;
pub mod diff;
pub mod discover;
pub mod fix;
pub mod git;
pub mod ignores;
pub mod inspect;
pub mod interrupt;
mod jsonl;
pub mod list;
mod lsp;
pub mod migrate;
pub mod names;
pub mod ordered;
pub mod palette;
pub mod pipeline;
pub mod problem;
pub mod process;
mod progress;
pub mod project;
pub mod read;
mod recording;
pub mod redact;
pub mod report;
mod rewriting;
pub mod run;
pub mod summary;
pub mod verification;
pub mod verify;
pub mod write;
