//! What a Dockerfile does: its stages and steps, the state in force at each, the commands that run
//! and what they read and write; and the check that two files do the same.
//!
//! Pure: no files are read, nothing is printed, no process is started.

pub mod apk_index;
pub mod base_contents;
pub mod bases;
pub mod builds;
pub mod check;
pub mod claim;
pub mod command;
mod configuration;
pub mod context_check;
mod deletions;
pub mod dev_runtime;
pub mod development;
pub mod effects;
mod facts;
pub mod ignore;
pub mod image_configuration;
pub mod junk;
pub mod knowledge;
pub mod liveness;
pub mod manifest_first;
pub mod manifests;
pub mod naming;
pub mod native;
pub mod node_lock;
pub mod node_manifest;
pub mod observers;
pub mod order;
pub mod packages;
pub mod project;
pub mod rebuilds;
pub mod recommends;
pub mod remembered;
pub mod requirements;
pub mod reshape;
pub mod ruby_lock;
pub mod rust_lock;
pub mod shell_state;
mod sorted;
mod stage;
pub mod started;
mod state;
pub mod tables;
mod text;
mod tokens;
mod trace;
mod unsplit;
pub mod usage;
mod value;
mod variables;
pub mod variants;
mod version;

pub use facts::{Action, Body, Copy, Facts, Mount, Run, Step};
pub use knowledge::Knowledge;
pub use project::Project;
pub use stage::{Base, Stage};
pub use state::{Argument, Shell, State};
pub use value::{Value, absolute, clean};
pub use variables::Variables;
