//! What is wrong with a file.

use crate::Span;

/// Something for which BuildKit refuses a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it is; may be empty.
    pub span: Span,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
}
