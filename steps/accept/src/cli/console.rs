//! Where output goes: data to standard output, everything else to standard error; colour only where a person looks.

use std::{
    env, fmt,
    fs::File,
    io::{self, IsTerminal, Stderr, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use super::{args::Colour, error::CliError, streams};

/// The two streams of a command.
#[derive(Debug)]
pub(super) struct Console {
    /// Whether standard output carries one JSON document.
    pub(super) json: bool,
    out_colour: bool,
    err_colour: bool,
    out: File,
    err: Stderr,
    /// Whether the document was printed.
    is_told: AtomicBool,
}

/// What `--json` says where a command has no answer.
#[derive(Debug, Serialize)]
struct ErrorDocument<'a> {
    error: &'a str,
    exit_code: u8,
}

/// Where a text goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Meaning that colour underlines, never carries alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tone {
    Good,
    Bad,
    Warn,
    Dim,
    Strong,
}

impl Console {
    pub(super) fn new(json: bool, colour: Colour) -> Result<Self, CliError> {
        let (out, err) = (streams::own_stdout().map_err(CliError::Output)?, io::stderr());
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let wanted = |is_terminal: bool| match colour {
            Colour::Auto => is_terminal && !no_colour,
            Colour::Always => true,
            Colour::Never => false,
        };
        let (out_colour, err_colour) = (wanted(out.is_terminal()), wanted(err.is_terminal()));
        // With a document on standard output, everything else goes to standard error.
        let out_colour = if json { err_colour } else { out_colour };
        Ok(Self { json, out_colour, err_colour, out, err, is_told: AtomicBool::new(false) })
    }

    /// Says something to the person at the terminal. That nobody listens any more stops nothing.
    pub(super) fn say(&self, text: impl fmt::Display) {
        let _ = writeln!(self.err.lock(), "{text}");
    }

    /// A text in a tone, for standard error.
    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        self.paint_for(Stream::Err, tone, text)
    }

    /// A text in a tone, for one of the streams.
    pub(super) fn paint_for(&self, stream: Stream, tone: Tone, text: &str) -> String {
        let colour = match stream {
            Stream::Out => self.out_colour,
            Stream::Err => self.err_colour,
        };
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Warn => "33",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Whether a person follows standard error as it comes.
    pub(super) fn is_watched(&self) -> bool {
        self.err.is_terminal()
    }

    /// Prints data for people; with `--json` it goes to standard error, so that the document stays alone.
    pub(super) fn print(&self, text: impl fmt::Display) -> Result<(), CliError> {
        if self.json {
            self.say(text);
            return Ok(());
        }
        self.to_stdout(text)
    }

    /// Prints the one JSON document, if it is asked for.
    pub(super) fn document(&self, value: &impl Serialize) -> Result<(), CliError> {
        if self.json { self.as_document(value) } else { Ok(()) }
    }

    /// Prints why there is none, if one is asked for and none was printed.
    pub(super) fn document_of_error(&self, error: &str, exit_code: u8) -> Result<(), CliError> {
        if self.is_told.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.document(&ErrorDocument { error, exit_code })
    }

    /// Prints a value as JSON whether or not that is asked for.
    pub(super) fn as_document(&self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))?;
        self.is_told.store(true, Ordering::Relaxed);
        self.to_stdout(text)
    }

    fn to_stdout(&self, text: impl fmt::Display) -> Result<(), CliError> {
        // In one piece: a file has no buffer.
        match (&self.out).write_all(format!("{text}\n").as_bytes()) {
            // The reader has seen enough, as with `| head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(CliError::Output),
        }
    }
}

/// How wide tables may be.
pub(super) fn width() -> u16 {
    const WIDTH: u16 = 100;
    const WIDTH_MIN: u16 = 40;
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|width| *width >= WIDTH_MIN).unwrap_or(WIDTH)
}

/// `1 problem`, `2 problems`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
