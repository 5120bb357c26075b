//! Comments for programs, which are about the next instruction.

/// How they begin.
const STARTS: [&str; 12] = [
    "checkov:",
    "dockerfile_lint",
    "dockeropt:",
    "hadolint",
    "kics-scan",
    "nosemgrep",
    "semgrep",
    "shellcheck",
    "skipcq",
    "snyk",
    "tfsec:",
    "trivy:",
];

/// Whether a comment, with its `#`, is one for a program.
pub fn is_pragma(comment: &str) -> bool {
    let text = comment.trim_start_matches(['#', ' ', '\t']);
    STARTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pragmas_are_told_by_their_start() {
        assert!(is_pragma("# hadolint ignore=DL3008") && is_pragma("#checkov:skip=CKV_DOCKER_2"));
        assert!(!is_pragma("# as hadolint says") && !is_pragma("#"));
    }
}
