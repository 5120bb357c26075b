//! A progress bar for runs that take long.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A run that ends sooner has no progress bar.
const LONG: Duration = Duration::from_secs(1);

/// A bar on standard error that appears once the run has taken long.
pub(crate) struct Progress {
    total: u64,
    what: &'static str,
    done: u64,
    started: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar for `total` files, or what else there is; never shown if not `wanted` or if standard error is no terminal.
    pub(crate) fn new(total: usize, what: &'static str, wanted: bool) -> Self {
        let wanted = wanted && total > 1 && stderr().is_terminal();
        Self { total: total as u64, what, done: 0, started: Instant::now(), wanted, bar: None }
    }

    /// Counts a file.
    pub(crate) fn advance(&mut self) {
        self.done += 1;
        if !self.wanted {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None if self.started.elapsed() > LONG => {
                let bar = ProgressBar::new(self.total);
                let template = format!("{{wide_bar}} {{pos}}/{{len}} {}, {{eta}} left", self.what);
                if let Ok(style) = ProgressStyle::with_template(&template) {
                    bar.set_style(style);
                }
                bar.set_position(self.done);
                self.bar = Some(bar);
            }
            None => {}
        }
    }

    /// Does something that prints to the terminal, with the bar out of the way.
    pub(crate) fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
