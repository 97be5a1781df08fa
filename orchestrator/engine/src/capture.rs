//! What is kept of a command's output: a bounded, redacted log of both streams, and the lines of the first.

use std::{fs::File, io::Write, path::PathBuf};

use crate::{
    error::{Error, IoContext},
    fault,
    job::Watcher,
    private,
    redact::{Redactor, Stream as Redacted},
};

/// Bytes of output kept in a log; what follows is counted and left out.
pub(crate) const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest line of standard output that is looked at; a longer one is only logged.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Splits standard output into lines.
#[derive(Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    too_long: bool,
}

impl Lines {
    pub(crate) fn push(&mut self, chunk: &[u8], watcher: &mut impl Watcher) -> Result<(), Error> {
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if self.pending.len() + part.len() > LINE_BYTES_MAX {
                self.too_long = true;
                self.pending.clear();
            }
            if !self.too_long {
                self.pending.extend_from_slice(part);
            }
            if parts.peek().is_some() {
                self.finish(watcher)?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, watcher: &mut impl Watcher) -> Result<(), Error> {
        if std::mem::take(&mut self.too_long) {
            watcher.too_long();
        } else if !self.pending.is_empty() {
            watcher.line(&self.pending)?;
        }
        self.pending.clear();
        Ok(())
    }
}

/// A stream of the command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    Out,
    Err,
}

/// The kept output. Each stream is redacted by itself, so that the one cannot split a secret of the other; its unfinished
/// line waits.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    out: Redacted,
    err: Redacted,
    written: u64,
    left_out: u64,
}

impl Log {
    pub(crate) fn create(path: PathBuf, redactor: &Redactor) -> Result<Self, Error> {
        let file =
            fault::point!("log.create", private::open().write(true).create(true).truncate(true).open(&path))
                .at("create", &path)?;
        Ok(Self { path, file, out: redactor.stream(), err: redactor.stream(), written: 0, left_out: 0 })
    }

    pub(crate) fn write(&mut self, from: From, chunk: &[u8]) -> Result<(), Error> {
        if self.written == LOG_BYTES_MAX {
            self.left_out += chunk.len() as u64;
            return Ok(());
        }
        let redacted = match from {
            From::Out => self.out.push(chunk),
            From::Err => self.err.push(chunk),
        };
        self.keep(&redacted)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let room = usize::try_from(LOG_BYTES_MAX - self.written).unwrap_or(usize::MAX);
        let (kept, dropped) = bytes.split_at(bytes.len().min(room));
        fault::write_all!("log.write", &mut self.file, kept).at("write", &self.path)?;
        self.written += kept.len() as u64;
        self.left_out += dropped.len() as u64;
        Ok(())
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let (out, err) = (self.out.finish(&self.path), self.err.finish(&self.path));
        self.keep(&out)?;
        self.keep(&err)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if self.left_out > 0 {
            // The log only informs; failing to say that it is cut must not fail the run.
            let _unsaid = writeln!(self.file, "\n[mycelium: {} more bytes left out]", self.left_out);
        }
    }
}
