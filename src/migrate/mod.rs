//! `migrate`: the same rewrites for many repositories, planned, reviewed, and applied.
//!
//! A repository is read from git's objects: nothing is checked out, no hook runs, and no symlink of it
//! is followed by the file system. What was done is in a journal, so that a run that was killed goes on
//! where it was.

mod accept;
mod apply;
pub mod arguments;
mod branch;
mod cache;
mod chain;
mod choice;
mod command;
mod commit;
mod context;
mod decisions;
mod folder;
mod git;
mod graph;
mod journal;
mod lock;
mod merge;
mod message;
mod names;
mod page;
mod patch;
mod plan;
mod planner;
mod present;
mod repository;
mod sources;
mod stack;
mod status;
mod survey;
mod tree;

pub(crate) use command::run;
pub(crate) use page::Html;
