//! Colours.

use std::io::{IsTerminal, stdout};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

use crate::cli::Color;

/// The styles of the reports. All are empty, and print nothing, where colours are not wanted, so
/// that no output needs to be filtered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Palette {
    /// A removed line; an error.
    pub removed: Style,
    /// An added line.
    pub added: Style,
    /// The header of a hunk; the name of a transform.
    pub hunk: Style,
    /// The header of a file.
    pub header: Style,
    /// Line numbers and other things of lesser weight.
    pub faint: Style,
}

impl Palette {
    /// The styles for a stream that wants colours.
    pub fn coloured() -> Self {
        Self {
            removed: AnsiColor::Red.on_default(),
            added: AnsiColor::Green.on_default(),
            hunk: AnsiColor::Cyan.on_default(),
            header: Style::new().bold(),
            faint: Style::new().dimmed(),
        }
    }

    /// The styles for a stream: what the user chose, else what the environment (`NO_COLOR`,
    /// `CLICOLOR`, `CLICOLOR_FORCE`) and the kind of stream say.
    pub fn choose(color: Color, stream: &impl anstream::stream::RawStream) -> Self {
        let wanted = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => AutoStream::choice(stream) != anstream::ColorChoice::Never,
        };
        if wanted { Self::coloured() } else { Self::default() }
    }
}

/// Whether standard output is read by a person.
pub fn stdout_is_terminal() -> bool {
    stdout().is_terminal()
}
