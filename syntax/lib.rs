//! What a Dockerfile says: a lossless reading of its text, of the shell scripts in it, and the
//! edits that change it.
//!
//! Reading never fails and never loses a byte: what can't be understood becomes an
//! [`Item::Error`] with a [`Diagnostic`]. BuildKit's parser is the reference for what an
//! instruction is. This crate does no input or output.

mod arguments;
mod check;
mod diagnostic;
mod directives;
mod duration;
mod edits;
mod expand;
mod file;
mod flags;
mod heredoc;
mod instruction;
mod json;
pub mod layout;
mod lexer;
mod lines;
mod logical;
mod operation;
mod parse;
mod pattern;
pub mod pragma;
pub mod rewriter;
mod run_plan;
pub mod shell;
mod span;
mod suggest;
mod text;
mod words;

pub use arguments::{ArgDeclaration, ArgumentWord, NameValue};
pub use diagnostic::Diagnostic;
pub use edits::{Edit, Edits, Origins, Overlap};
pub use expand::{Expanded, expand, variables};
pub use file::{Directive, Dockerfile, Item};
pub use instruction::{Flag, Heredoc, Instruction, JsonWord, Keyword, Operation, Trivia};
pub use json::json_words;
pub use lexer::Lookup;
pub use logical::Logical;
pub use parse::parse;
pub use run_plan::{JoinLayout, LINE_WIDTH, PlanError, RunPlan};
pub use span::{LineIndex, LogicalSpan, Position, Span};
pub use suggest::nearest;
pub use text::Text;
