//! The complete lines of a file that may still grow.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
};

use memchr::memchr;

use crate::error::{Error, IoContext};

/// Longest line that is read; a longer one is no event of ours.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;
const BUFFER_BYTES: usize = 1 << 18;

/// Reads line by line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    path: PathBuf,
    reader: BufReader<R>,
    line: Vec<u8>,
    /// `line` was handed out and goes with the next call.
    given: bool,
    /// The rest of a line that is too long is passed over.
    passing: bool,
    /// Lines that were too long.
    pub(super) too_long: u64,
}

impl<R: Read> Lines<R> {
    /// Of an open file; its path is for errors alone.
    pub(super) fn new(file: R, path: PathBuf) -> Self {
        let reader = BufReader::with_capacity(BUFFER_BYTES, file);
        Self { path, reader, line: Vec::new(), given: false, passing: false, too_long: 0 }
    }

    /// The next line without its end; none where no complete line is there. Later there may be one.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, Error> {
        if std::mem::take(&mut self.given) {
            self.line.clear();
        }
        loop {
            let chunk = self.reader.fill_buf().at("read", &self.path)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = memchr(b'\n', chunk);
            let part = end.unwrap_or(chunk.len());
            if self.line.len() + part > LINE_BYTES_MAX {
                self.passing = true;
                self.line.clear();
            }
            if !self.passing {
                self.line.extend_from_slice(&chunk[..part]);
            }
            self.reader.consume(part + usize::from(end.is_some()));
            if end.is_none() {
                continue;
            }
            if std::mem::take(&mut self.passing) {
                self.too_long += 1;
                continue;
            }
            self.given = true;
            return Ok(Some(&self.line));
        }
    }

    /// True where a line has begun and not ended.
    pub(super) fn is_unfinished(&self) -> bool {
        self.passing || !(self.given || self.line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_is_given_once_it_has_ended() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = file.reopen().unwrap();
        let mut lines = Lines::new(file.reopen().unwrap(), file.path().to_owned());
        assert_eq!(lines.next_line().unwrap(), None);
        writer.write_all(b"one\n\ntw").unwrap();
        assert_eq!(lines.next_line().unwrap(), Some(&b"one"[..]));
        assert_eq!(lines.next_line().unwrap(), Some(&b""[..]));
        assert_eq!(lines.next_line().unwrap(), None);
        assert!(lines.is_unfinished());
        writer.write_all(b"o\n").unwrap();
        assert_eq!(lines.next_line().unwrap(), Some(&b"two"[..]));
        assert_eq!(lines.next_line().unwrap(), None);
        assert!(!lines.is_unfinished());
    }

    #[test]
    fn a_line_without_bound_is_passed_over_and_counted() {
        let long = std::io::repeat(b'x').take(LINE_BYTES_MAX as u64 * 2);
        let mut lines = Lines::new(long.chain(&b"\nshort\n"[..]), "log".into());
        assert_eq!(lines.next_line().unwrap(), Some(&b"short"[..]));
        assert_eq!(lines.too_long, 1);
        assert!(lines.line.capacity() <= LINE_BYTES_MAX * 2, "{}", lines.line.capacity());
    }
}
