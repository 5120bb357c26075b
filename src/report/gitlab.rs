//! GitLab's code quality report: a list of issues.

use std::fmt::Write;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Closing, FileReport, Located, Report, append_json, sentence};
use crate::redact::redact;

/// The format.
pub struct Gitlab;

impl Report for Gitlab {
    fn head(&self) -> Vec<u8> {
        b"[".to_vec()
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn print(&self, file: &FileReport<'_>, out: &mut Vec<u8>) {
        let secrets = redact(file.before);
        let path = file.location.shown();
        for (at, fix) in file.fixes().into_iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(self.separator());
            }
            let issue = json!({
                "description": sentence(fix, &secrets),
                "check_name": fix.transform,
                "fingerprint": fingerprint(&path, &fix.fingerprint),
                "severity": if file.is_applied(fix) { "minor" } else { "info" },
                "location": { "path": path, "lines": { "begin": fix.start_line, "end": fix.end_line } },
            });
            append_json(&issue, out);
        }
    }

    fn finish(&self, closing: &Closing<'_>, out: &mut Vec<u8>) {
        let levels = [("major", closing.problems), ("info", closing.warnings)];
        let issues = levels.iter().flat_map(|(level, problems)| problems.iter().map(move |it| (level, it)));
        for (at, (severity, problem)) in issues.enumerate() {
            if at > 0 || closing.begun {
                out.extend_from_slice(self.separator());
            }
            append_json(&error(severity, problem), out);
        }
        out.extend_from_slice(b"]\n");
    }

    fn shows_refusals(&self) -> bool {
        false
    }
}

fn error(severity: &str, Located { problem, location }: &Located<'_>) -> serde_json::Value {
    let path = location.shown();
    let line = problem.place.map_or(1, |(line, _)| line);
    json!({
        "description": problem.message,
        "check_name": "dockeropt",
        "fingerprint": fingerprint(&path, &problem.message),
        "severity": severity,
        "location": { "path": path, "lines": { "begin": line } },
    })
}

/// GitLab tells issues apart by this alone, while the fixes of two equal files have one fingerprint.
fn fingerprint(path: &str, of: &str) -> String {
    let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(of).finalize();
    digest[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
