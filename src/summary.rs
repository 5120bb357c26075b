//! The line that closes a run.

use std::fmt;

use crate::discover::{LeftOut, LeftOutCounts};

/// What happened in a run, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were looked at to the end.
    pub files: usize,
    /// Of these, the files that are, or would be, changed.
    pub changed: usize,
    /// Fixes in them.
    pub fixes: usize,
    /// Fixes that need `--unsafe`.
    pub held_back: usize,
    /// Of these, those in files of which it was not found out how many fixes there are with `--unsafe`.
    pub uncounted: usize,
    /// How many more fixes there are with `--unsafe` in the other files. A large one may take the place of
    /// several.
    pub gain: isize,
    /// The bytes that the fixes are expected to save, as far as that is known.
    pub saves: i64,
    /// What was not looked at.
    pub left_out: LeftOutCounts,
    /// Errors.
    pub errors: usize,
    /// Whether the changes were written.
    pub written: bool,
}

impl Summary {
    /// Adds the numbers of one file.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.changed += other.changed;
        self.fixes += other.fixes;
        self.held_back += other.held_back;
        self.uncounted += other.uncounted;
        self.gain += other.gain;
        self.saves += other.saves;
        self.errors += other.errors;
        for (&reason, count) in &other.left_out {
            *self.left_out.entry(reason).or_default() += count;
        }
    }
}

/// Less than this is not worth a word.
const LEAST_SAVED: i64 = 100_000;

/// `12.3 MB`: a megabyte has 1,000,000 bytes, as engines count.
pub fn megabytes(bytes: i64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, what: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { what } else { many })
}

fn files(number: usize) -> String {
    count(number, "file", "files")
}

/// What is said of a reason.
pub(crate) fn name(reason: LeftOut) -> &'static str {
    match reason {
        LeftOut::Generated => "generated",
        LeftOut::Template => "template",
        LeftOut::OutsideLink => "link out of the tree",
        LeftOut::BrokenLink => "broken link",
        LeftOut::OtherLanguage => "not a Dockerfile",
        LeftOut::Dependencies => "vendor, node_modules",
        LeftOut::Submodule => "submodule",
    }
}

impl Summary {
    /// How many fixes there are with `--unsafe`, if that is another number than without and was found out.
    fn with_unsafe(&self) -> Option<usize> {
        let is_known = self.held_back > 0 && self.uncounted == 0;
        is_known.then(|| self.fixes.saturating_add_signed(self.gain)).filter(|all| *all != self.fixes)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fixes = count(self.fixes, "fix", "fixes");
        let with_unsafe = self.with_unsafe().filter(|_| self.changed > 0);
        if let Some(all) = with_unsafe {
            fixes += &format!(", {all} with --unsafe");
        }
        match (self.changed, self.written) {
            (0, _) if self.files == 0 && self.errors == 0 => f.write_str("no Dockerfile found")?,
            (0, _) => write!(f, "nothing to do in {}", files(self.files))?,
            (changed, true) => write!(f, "{} changed ({fixes})", files(changed))?,
            (changed, false) => write!(f, "{} would change ({fixes})", files(changed))?,
        }
        if self.saves >= LEAST_SAVED {
            write!(f, ", about {} less", megabytes(self.saves))?;
        }
        match self.with_unsafe() {
            None if self.held_back > 0 => {
                let need = if self.held_back == 1 { "needs" } else { "need" };
                write!(f, "; {} {need} --unsafe", count(self.held_back, "fix", "fixes"))?;
            }
            Some(all) if self.changed == 0 => {
                write!(f, "; {} with --unsafe", count(all, "fix", "fixes"))?;
            }
            _ => {}
        }
        let folders = |reason: &LeftOut| matches!(reason, LeftOut::Dependencies | LeftOut::Submodule);
        for (is_folder, one, many) in [(false, "file", "files"), (true, "folder", "folders")] {
            let of_kind = || self.left_out.iter().filter(|(reason, _)| folders(reason) == is_folder);
            let number: usize = of_kind().map(|(_, number)| number).sum();
            if number > 0 {
                let reasons: Vec<_> = of_kind().map(|(&reason, _)| name(reason)).collect();
                write!(f, "; {} left out ({})", count(number, one, many), reasons.join(", "))?;
            }
        }
        if self.errors > 0 {
            write!(f, "; {}", count(self.errors, "error", "errors"))?;
        }
        if self.changed > 0 && !self.written {
            f.write_str("; run with --write to apply")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        let mut summary =
            Summary { files: 20, changed: 12, fixes: 31, held_back: 4, gain: 5, ..Summary::default() };
        summary.left_out.insert(LeftOut::Generated, 2);
        summary.left_out.insert(LeftOut::Dependencies, 1);
        assert_eq!(
            summary.to_string(),
            "12 files would change (31 fixes, 36 with --unsafe); 2 files left out (generated); \
             1 folder left out (vendor, node_modules); run with --write to apply"
        );
        summary = Summary { files: 2, held_back: 2, gain: 1, ..Summary::default() };
        assert_eq!(summary.to_string(), "nothing to do in 2 files; 1 fix with --unsafe");
        summary.uncounted = 2;
        assert_eq!(summary.to_string(), "nothing to do in 2 files; 2 fixes need --unsafe");
        summary = Summary { files: 1, changed: 1, fixes: 1, errors: 1, written: true, ..Summary::default() };
        assert_eq!(summary.to_string(), "1 file changed (1 fix); 1 error");
        assert_eq!(Summary::default().to_string(), "no Dockerfile found");
    }
}
