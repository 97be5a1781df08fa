//! Where the program talks: data on standard output, everything else on standard error (design 3.5).

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::args::{Color, Global};

/// How to talk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One JSON document is the only data.
    pub(crate) json: bool,
    /// Nothing but errors on standard error.
    pub(crate) quiet: bool,
    /// Colour on standard error.
    pub(crate) color: bool,
}

impl Output {
    /// As the options say; `no_color` is the variable NO_COLOR, which counts where it is not empty.
    pub(crate) fn new(global: &Global, no_color: Option<&str>) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => no_color.is_none() && io::stderr().is_terminal(),
        };
        Self { json: global.json, quiet: global.quiet, color }
    }

    /// Prints data in the form that was asked for.
    pub(crate) fn data(self, value: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
        if self.json { document(value) } else { self::text(&text()) }
    }

    /// Says something to people, unless they want silence. That nobody listens is no error.
    pub(crate) fn say(self, line: &str) {
        if !self.quiet {
            complain(line);
        }
    }
}

/// Standard output for data that comes piece by piece.
pub(crate) fn stream() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Prints data as people read it.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Prints data as one JSON document.
pub(crate) fn document(value: &impl Serialize) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(value)?;
    json.push('\n');
    text(&json)
}

/// Says what went wrong, also to those who want silence.
pub(crate) fn complain(line: &str) {
    // Where nobody listens any more, nobody can be told.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
