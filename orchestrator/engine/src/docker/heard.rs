//! How far a container's output was taken, so that a connection that ends before its command does costs nothing of it: the
//! engine's log brings the rest.

use std::cmp::Ordering;

use bollard::container::LogOutput;

use super::output::{Beginning, Printed};

/// As much of a stream's end as tells whether something is missing behind it.
const END_BYTES_MAX: usize = 256;

/// Whole lines of a stream, and bytes of the one that has not ended. An engine's log may spell odd bytes in another way,
/// never the ends of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    lines: u64,
    bytes: u64,
}

impl Place {
    fn advance(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if line.ends_with(b"\n") {
                *self = Self { lines: self.lines + 1, bytes: 0 };
            } else {
                self.bytes += line.len() as u64;
            }
        }
    }

    /// Goes through what comes next, and gives the part of it that is behind another place.
    fn pass<'bytes>(&mut self, bytes: &'bytes [u8], other: Self) -> &'bytes [u8] {
        let (mut here, mut known) = (*self, 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let of_line = match here.lines.cmp(&other.lines) {
                Ordering::Less => line.len(),
                Ordering::Equal => {
                    let missing =
                        usize::try_from(other.bytes.saturating_sub(here.bytes)).unwrap_or(usize::MAX);
                    // The end of this line was not heard.
                    missing.min(line.strip_suffix(b"\n").unwrap_or(line).len())
                }
                Ordering::Greater => 0,
            };
            known += of_line;
            if of_line < line.len() {
                break;
            }
            here.advance(line);
        }
        self.advance(bytes);
        bytes.split_at(known).1
    }
}

/// One of a container's two streams, as far as it was taken.
#[derive(Debug, Default)]
struct Stream {
    place: Place,
    end: Vec<u8>,
    /// Where the log stands that is read again.
    again: Place,
}

impl Stream {
    /// What is new of what comes next, which is read again or not.
    fn take<'bytes>(&mut self, bytes: &'bytes [u8], again: bool) -> &'bytes [u8] {
        let new = if again { self.again.pass(bytes, self.place) } else { bytes };
        self.place.advance(new);
        if again {
            // The log's own count goes on where it has come further.
            self.place = self.place.max(self.again);
        }
        let (_, end) = new.split_at(new.len().saturating_sub(END_BYTES_MAX));
        self.end.extend_from_slice(end);
        let spare = self.end.len().saturating_sub(END_BYTES_MAX);
        self.end.drain(..spare);
        new
    }

    /// Whether the last that an engine's log holds of it was taken. A log ends each line.
    fn ends_with(&self, logged: &[u8]) -> bool {
        let line = |bytes: &[u8]| bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec();
        let (heard, logged) = (line(&self.end), line(logged));
        let looked_at = logged.len().min(END_BYTES_MAX - 1);
        heard.ends_with(logged.split_at(logged.len() - looked_at).1)
    }
}

/// What was taken of a container's output.
#[derive(Debug)]
pub(super) struct Heard {
    word: String,
    beginning: Beginning,
    out: Stream,
    err: Stream,
    /// Set while the engine's log is read again: looks for its beginning.
    again: Option<Beginning>,
}

impl Heard {
    /// Nothing yet, of a container that says this word first and is read as it prints.
    pub(super) fn new(word: &str) -> Self {
        let (out, err) = (Stream::default(), Stream::default());
        Self { word: word.to_owned(), beginning: Beginning::new(word), out, err, again: None }
    }

    /// Nothing yet, of one that printed while nobody read it.
    pub(super) fn later(word: &str) -> Self {
        Self { beginning: Beginning::again(word), ..Self::new(word) }
    }

    /// From here on comes what the engine's log holds, from its beginning.
    pub(super) fn read_again(&mut self) {
        self.again = Some(Beginning::again(&self.word));
        (self.out.again, self.err.again) = (Place::default(), Place::default());
    }

    /// Whether the engine's log is read again. It is not any more once its beginning is found to be gone: nobody can tell
    /// then what of it was taken.
    pub(super) fn reads_again(&self) -> bool {
        self.again.is_some()
    }

    /// What is new of what the container prints.
    pub(super) fn take(&mut self, chunk: &LogOutput) -> Vec<Printed> {
        match chunk {
            LogOutput::StdErr { message } => {
                let new = self.err.take(message, self.again.is_some());
                if new.is_empty() { Vec::new() } else { vec![Printed::Error(new.to_vec())] }
            }
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                let again = self.again.as_mut();
                if again.is_some_and(|beginning| beginning.take(message).contains(&Printed::Lost)) {
                    self.again = None;
                    // A line whose rest is lost is not glued to what comes.
                    let open = (self.out.place.bytes > 0).then(|| Printed::Bytes(b"\n".to_vec()));
                    return open.into_iter().chain([Printed::Lost]).collect();
                }
                let new = self.out.take(message, self.again.is_some());
                if new.is_empty() { Vec::new() } else { self.beginning.take(new) }
            }
            LogOutput::StdIn { .. } => Vec::new(),
        }
    }

    /// Whether the last entry of the engine's log was taken.
    pub(super) fn ends_with(&self, last: &LogOutput) -> bool {
        match last {
            LogOutput::StdErr { message } => self.err.ends_with(message),
            LogOutput::StdOut { message } | LogOutput::Console { message } => self.out.ends_with(message),
            LogOutput::StdIn { .. } => true,
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) -> Vec<Printed> {
        self.beginning.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &[u8]) -> LogOutput {
        LogOutput::StdOut { message: text.to_vec().into() }
    }

    fn err(text: &[u8]) -> LogOutput {
        LogOutput::StdErr { message: text.to_vec().into() }
    }

    /// What a listener makes of chunks: standard output, standard error, and whether something was lost.
    fn taken(heard: &mut Heard, chunks: &[LogOutput]) -> (Vec<u8>, Vec<u8>, bool) {
        let mut all = (Vec::new(), Vec::new(), false);
        for printed in chunks.iter().flat_map(|chunk| heard.take(chunk)) {
            match printed {
                Printed::Bytes(bytes) => all.0.extend(bytes),
                Printed::Error(bytes) => all.1.extend(bytes),
                Printed::Lost => all.2 = true,
            }
        }
        all
    }

    #[test]
    fn wherever_it_was_cut_the_rest_comes_once() {
        let (text, error) = (b"word\none\n\ntwo\nthree", b"a warning\nanother");
        for cut in 0..=text.len() {
            for error_cut in 0..=error.len() {
                for piece in [1, 4, 64] {
                    let mut heard = Heard::new("word");
                    let (before, _) = text.split_at(cut);
                    let (error_before, _) = error.split_at(error_cut);
                    let mut all = taken(&mut heard, &[out(before), err(error_before)]);
                    heard.read_again();
                    let again: Vec<LogOutput> =
                        error.chunks(piece).map(err).chain(text.chunks(piece).map(out)).collect();
                    let rest = taken(&mut heard, &again);
                    all.0.extend(rest.0);
                    all.1.extend(rest.1);
                    assert!(!rest.2 && heard.reads_again() && heard.end().is_empty(), "{cut}");
                    assert_eq!(all.0, b"one\n\ntwo\nthree", "{cut} {piece}");
                    assert_eq!(all.1, error, "{error_cut} {piece}");
                    // It goes on, and is cut again.
                    assert_eq!(taken(&mut heard, &[out(b" and\nfour\n")]).0, b" and\nfour\n");
                    heard.read_again();
                    let whole = [text.as_slice(), b" and\nfour\nfive\n"].concat();
                    assert_eq!(taken(&mut heard, &[out(&whole), err(error)]).0, b"five\n");
                }
            }
        }
    }

    #[test]
    fn a_log_that_spells_odd_bytes_otherwise_is_known_by_its_lines() {
        let mut heard = Heard::new("word");
        taken(&mut heard, &[out(b"word\n\xff\xfe\nne")]);
        heard.read_again();
        let rest = taken(&mut heard, &[out("word\n\u{fffd}\u{fffd}\nnext\n".as_bytes()), out(b"last\n")]);
        assert_eq!(rest.0, b"xt\nlast\n");
    }

    #[test]
    fn a_log_whose_beginning_is_gone_is_not_read_on() {
        let mut heard = Heard::new("word");
        taken(&mut heard, &[out(b"word\none\ntw")]);
        heard.read_again();
        assert_eq!(taken(&mut heard, &[out(b"seven\n")]), (b"\n".to_vec(), Vec::new(), true));
        assert!(!heard.reads_again());
        assert_eq!(taken(&mut heard, &[out(b"eight\n")]).0, b"eight\n");
    }

    #[test]
    fn the_last_entry_of_the_log_tells_whether_something_is_missing() {
        let mut heard = Heard::new("word");
        let long = [b'x'; 300];
        assert!(!heard.ends_with(&out(b"word\n")));
        taken(&mut heard, &[out(b"word\none\ntwo"), err(&long)]);
        for (last, expected) in [
            (out(b"two\n"), true),
            (out(b"two"), true),
            (out(b"three\n"), false),
            (out(&long), false),
            (err(&long), true),
            (err(b"warning"), false),
        ] {
            assert_eq!(heard.ends_with(&last), expected, "{last}");
        }
    }
}
