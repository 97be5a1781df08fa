//! Where the program talks: data on standard output, everything else on standard error (design 3.5).

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::{LazyLock, OnceLock},
};

use mycelium_engine::redact::Redactor;
use serde::Serialize;

use crate::args::{Color, Global};

/// Keeps secrets out of everything that is said. One for the process: also a panic and a log line must pass it.
static REDACTOR: OnceLock<Redactor> = OnceLock::new();

/// Where no project was looked at, or not yet: the shapes of keys are known without.
static SHAPES: LazyLock<Redactor> = LazyLock::new(Redactor::default);

fn redactor() -> &'static Redactor {
    REDACTOR.get().unwrap_or_else(|| &SHAPES)
}

/// From here on secrets are kept out of what is said. The first redactor stays: a process looks at one project.
pub(crate) fn keep_out(redactor: Redactor) {
    let _first = REDACTOR.set(redactor);
}

/// A text as it may be said.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    redactor().text(text)
}

fn redacted_json(json: &str) -> Cow<'_, str> {
    redactor().json_text(json)
}

/// Where the logs of the program itself go: standard error, without secrets.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // The subscriber hands over whole lines, so that no secret is cut in two.
        io::stderr().lock().write_all(redacted(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

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

/// Standard output for data that comes piece by piece. What it prints was written without the secrets of its time; the
/// ones configured since are kept out here.
pub(crate) struct Stream(io::BufWriter<io::StdoutLock<'static>>);

impl Stream {
    /// Takes standard output.
    pub(crate) fn open() -> Self {
        Self(io::BufWriter::with_capacity(1 << 16, io::stdout().lock()))
    }

    /// Prints a line as people read it.
    pub(crate) fn text(&mut self, line: &str) -> io::Result<()> {
        self.raw(&redacted(line))?;
        self.raw("\n")
    }

    /// Prints a JSON value in one line.
    pub(crate) fn json(&mut self, value: &str) -> io::Result<()> {
        self.raw(&redacted_json(value))?;
        self.raw("\n")
    }

    /// Prints what stands between values.
    pub(crate) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }

    /// Hands over what was printed so far.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints data as people read it.
pub(crate) fn text(text: &str) -> io::Result<()> {
    print(&redacted(text))
}

/// Prints data as one JSON document.
pub(crate) fn document(value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    print(&format!("{}\n", redacted_json(&json)))
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Says what went wrong, also to those who want silence.
pub(crate) fn complain(line: &str) {
    // Where nobody listens any more, nobody can be told.
    let _ = writeln!(io::stderr().lock(), "{}", redacted(line));
}
