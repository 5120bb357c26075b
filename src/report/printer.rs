//! Writing a report while the files are done.

use std::io::{self, Write};

use super::{Closing, Located, Report};
use crate::summary::Summary;

/// Writes the reports of the files, with what stands around them.
pub struct Printer<'r, 'w> {
    report: &'r dyn Report,
    out: &'w mut dyn Write,
    /// Whether each file is shown at once.
    interactive: bool,
    begun: bool,
    bytes: usize,
    left_out: usize,
    reader_left: bool,
}

impl<'r, 'w> Printer<'r, 'w> {
    /// Nothing is written yet.
    pub fn new(report: &'r dyn Report, out: &'w mut dyn Write, interactive: bool) -> Self {
        Self { report, out, interactive, begun: false, bytes: 0, left_out: 0, reader_left: false }
    }

    /// Writes what is to be said of a file.
    ///
    /// # Errors
    /// If that fails for another reason than that the reader went away.
    pub fn print(&mut self, report: &[u8]) -> io::Result<()> {
        if report.is_empty() || self.reader_left {
            return Ok(());
        }
        if self.report.limit().is_some_and(|limit| self.bytes + report.len() > limit) {
            self.left_out += 1;
            return Ok(());
        }
        let before = if self.begun { self.report.separator().to_vec() } else { self.report.head() };
        self.begun = true;
        self.bytes += report.len();
        let result = self.out.write_all(&before).and_then(|()| self.out.write_all(report));
        let result = if self.interactive { result.and_then(|()| self.out.flush()) } else { result };
        self.forgive(result)
    }

    /// Ends the report.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub fn finish(
        &mut self,
        summary: &Summary,
        problems: &[Located<'_>],
        warnings: &[Located<'_>],
    ) -> io::Result<()> {
        if self.reader_left {
            return Ok(());
        }
        let mut end = if self.begun { Vec::new() } else { self.report.head() };
        let closing = Closing { summary, problems, warnings, begun: self.begun, left_out: self.left_out };
        self.report.finish(&closing, &mut end);
        let result = self.out.write_all(&end).and_then(|()| self.out.flush());
        self.forgive(result)
    }

    /// Whether the reader of the report went away before its end.
    pub fn reader_left(&self) -> bool {
        self.reader_left
    }

    /// A reader that has read enough is no error.
    fn forgive(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_left = true;
                Ok(())
            }
            other => other,
        }
    }
}
