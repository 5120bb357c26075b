//! A conservative reading of shell scripts: the body of a RUN in shell form.
//!
//! What it reads means the same to dash, bash, BusyBox and ksh, but for what the tree marks as
//! some shells' own (`[[ ]]`, `(( ))`, `+=`, `&>`, `<<<`, [`Part::Brace`], the operations of
//! [`Part::Parameter`]); everything else is [`Opaque`] with a reason, and nobody touches it. It never
//! accepts what both `bash -n` and `dash -n` reject.
//!
//! It takes linear time, and nesting is capped.

mod command;
mod compound;
mod expansion;
mod heredoc;
mod list;
mod parse;
mod test;
#[cfg(test)]
mod tests;
mod tree;
mod word;

pub use parse::parse;
pub use tree::*;
