//! Keeps what is answered.

use std::{
    fmt,
    fs::File,
    io::{self, Seek},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mycelium_schemas::{
    cassette::{CASSETTE_VERSION, CassetteBegin, CassetteEnd, CassetteLine, Interaction, RecordedBody},
    digest::hex,
};

use super::{
    Known,
    file::{self, CASSETTE_BYTES_MAX, CassetteError, Content},
};
use crate::ledger::{Keep, open_durable};

/// What becomes of a file that is recorded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is made, over one that was cut off if there is such a one.
    Begins,
    /// The recording of the same run goes on in it.
    GoesOn,
}

/// Keeps what is answered.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Mutex<Inner>>,
    keep: Arc<Keep>,
    known: Known,
}

struct Inner {
    path: PathBuf,
    file: File,
    /// Where the last whole line ends.
    end: u64,
    /// Of the next request.
    number: u64,
    interactions: u64,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("path", &self.inner().path).finish_non_exhaustive()
    }
}

impl Recorder {
    /// What would become of the file if this run, or a plan, were recorded to it.
    pub fn standing(path: &Path, run_id: Option<&str>) -> Result<Standing, CassetteError> {
        Ok(own(path, run_id)?.map_or(Standing::Begins, |_content| Standing::GoesOn))
    }

    /// Begins a recording, or goes on with this run's.
    pub fn open(
        path: &Path,
        run_id: Option<&str>,
        known: Known,
        keep: Arc<Keep>,
    ) -> Result<Self, CassetteError> {
        let before = own(path, run_id)?;
        let at = |doing| move |source| CassetteError::Io { doing, path: path.to_owned(), source };
        let file = open_durable(path).map_err(at("open"))?;
        let end = before.as_ref().map_or(0, |before| before.end);
        file.set_len(end).map_err(at("cut"))?;
        let interactions = before.iter().flat_map(|before| &before.interactions);
        let inner = Inner {
            path: path.to_owned(),
            file,
            end,
            number: interactions.clone().map(|found| found.number).max().unwrap_or(0) + 1,
            interactions: interactions.count() as u64,
        };
        let recorder = Self { inner: Arc::new(Mutex::new(inner)), keep, known };
        if before.is_none() {
            let begin = CassetteBegin { v: CASSETTE_VERSION, run_id: run_id.map(str::to_owned) };
            recorder.append(&CassetteLine::Begin(begin))?;
        }
        Ok(recorder)
    }

    /// What was recorded came to its end: from now on it can be replayed.
    pub fn finish(&self) -> Result<(), CassetteError> {
        let interactions = self.inner().interactions;
        self.append(&CassetteLine::End(CassetteEnd { interactions }))
    }

    /// The parts of a request, and its number.
    pub(super) fn request(&self, body: &[u8]) -> (u64, Vec<String>) {
        let parts = self.known.parts(body).into_iter().map(|part| part.kept).collect();
        let mut inner = self.inner();
        let number = inner.number;
        inner.number += 1;
        (number, parts)
    }

    /// Keeps an interaction with its body, without secrets. Blocks for as long as the disk takes.
    pub(super) fn keep(&self, interaction: Interaction, pieces: &[Bytes]) -> Result<(), CassetteError> {
        let (body, redacted) = self.body(pieces);
        let interaction = Interaction { body, redacted, ..interaction };
        self.append(&CassetteLine::Interaction(Box::new(interaction)))?;
        self.inner().interactions += 1;
        Ok(())
    }

    fn body(&self, pieces: &[Bytes]) -> (RecordedBody, bool) {
        let whole = pieces.concat();
        match std::str::from_utf8(&whole) {
            Ok(text) => match self.known.clean(text) {
                Some(clean) => (RecordedBody::Text(vec![clean]), true),
                None => (RecordedBody::Text(in_pieces(text, pieces)), false),
            },
            Err(_) => match self.known.clean(&String::from_utf8_lossy(&whole)) {
                Some(clean) => (RecordedBody::Text(vec![clean]), true),
                None => (RecordedBody::Hex(hex(&whole)), false),
            },
        }
    }

    /// Adds a line and makes it durable. What a failed write left is taken back.
    fn append(&self, line: &CassetteLine) -> Result<(), CassetteError> {
        let mut inner = self.inner();
        let path = inner.path.clone();
        let failed = |source| CassetteError::Io { doing: "write", path, source };
        let mut bytes = match serde_json::to_vec(line) {
            Ok(bytes) => bytes,
            Err(error) => return Err(failed(error.into())),
        };
        bytes.push(b'\n');
        let end = inner.end;
        if end + bytes.len() as u64 > CASSETTE_BYTES_MAX {
            let why = format!("a cassette holds {CASSETTE_BYTES_MAX} bytes");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
        }
        let sought = inner.file.seek(io::SeekFrom::Start(end));
        if let Err(error) = sought.and_then(|_| (self.keep)(&mut inner.file, &bytes)) {
            // The next one must not stand behind half a line; if this fails too, reading leaves it out.
            let _cut = inner.file.set_len(end);
            return Err(failed(error));
        }
        inner.end = end + bytes.len() as u64;
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What this run has recorded so far; none where its recording begins, over one that was cut off if there is such a one.
fn own(path: &Path, run_id: Option<&str>) -> Result<Option<Content>, CassetteError> {
    let Some(content) = file::read(path)? else { return Ok(None) };
    if run_id.is_some() && content.begin.run_id.as_deref() == run_id {
        return Ok(Some(content));
    }
    if content.is_whole { Err(CassetteError::Whole(path.to_owned())) } else { Ok(None) }
}

/// The text piece by piece; a character that two pieces share is the second one's.
fn in_pieces(text: &str, pieces: &[Bytes]) -> Vec<String> {
    let (mut texts, mut from, mut end) = (Vec::new(), 0, 0);
    for piece in pieces {
        end += piece.len();
        let to = (from..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
        if to > from {
            texts.push(text.get(from..to).unwrap_or_default().to_owned());
            from = to;
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stay_as_they_came_but_that_no_character_is_torn() {
        let bytes: Vec<Bytes> =
            [&b"a\xc3"[..], b"\xa4b", b"", b"\xe2", b"\x82", b"\xacz"].map(Bytes::from_static).into();
        let whole = String::from_utf8(bytes.concat()).unwrap();
        assert_eq!(in_pieces(&whole, &bytes), ["a", "\u{e4}b", "\u{20ac}z"]);
    }
}
