//! Redacts what comes in pieces: a secret that is cut in two by the pieces is found all the same.

use super::{Found, Secrets, mark, pem, span::Span};

/// How much of an endless line is held back, in bytes; up to twice as much is taken for one that may end.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Longest key that is waited for to end, in bytes.
const KEY_BYTES_MAX: usize = 64 * 1024;
/// Bytes after which a line that does not end is looked at again.
const STEP_BYTES: usize = 8 * 1024;

/// One stream. It holds back the unfinished line, and what may be the beginning of a secret.
#[derive(Debug, Default)]
pub(super) struct Pending {
    held: Vec<u8>,
    /// Bytes at the front that belong to a secret whose mark was written before.
    covered: usize,
    /// Length at which to look again without a line's end.
    wake: usize,
}

impl Pending {
    /// Takes the next piece. Gives what can be written.
    pub(super) fn push(&mut self, piece: &[u8], secrets: &Secrets, found: &mut Found) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        if !piece.contains(&b'\n') && self.held.len() < self.wake {
            return Vec::new();
        }
        let spans = self.spans(secrets);
        let cut = self.cut(&spans, secrets);
        let written = self.write(cut, &spans, found);
        self.wake = self.held.len() + STEP_BYTES;
        written
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, secrets: &Secrets, found: &mut Found) -> Vec<u8> {
        let spans = self.spans(secrets);
        self.write(self.held.len(), &spans, found)
    }

    /// The secrets in what is held; the first one is without a name where its mark was written before.
    fn spans<'s>(&self, secrets: &'s Secrets) -> Vec<Span<'s>> {
        let covered = Span { start: 0, end: self.covered, name: "", known: true };
        let mut spans = secrets.spans(&self.held, (self.covered > 0).then_some(covered));
        if self.covered > 0
            && let Some(first) = spans.first_mut()
        {
            first.name = "";
        }
        spans
    }

    /// Up to where everything is decided.
    fn cut(&self, spans: &[Span<'_>], secrets: &Secrets) -> usize {
        let length = self.held.len();
        let mut cut = line_start(&self.held).max(length.saturating_sub(LINE_BYTES_MAX));
        // A key that reaches the end may go on; waiting for it has an end as well.
        if let Some(last) = spans.last()
            && last.end == length
            && !last.known
            && length - last.start < KEY_BYTES_MAX
        {
            cut = cut.min(last.start);
        }
        cut = cut.min(pem::open(&self.held).unwrap_or(cut)).min(secrets.open(&self.held).unwrap_or(cut));
        // A line is judged as a whole, unless it does not end.
        let begun = line_start(&self.held[..cut]);
        if length - begun > 2 * LINE_BYTES_MAX { cut } else { begun }
    }

    fn write(&mut self, cut: usize, spans: &[Span<'_>], found: &mut Found) -> Vec<u8> {
        if cut == 0 {
            return Vec::new();
        }
        let mut written = Vec::with_capacity(cut);
        let mut at = 0;
        for span in spans.iter().take_while(|span| span.start < cut) {
            written.extend_from_slice(&self.held[at..span.start]);
            if !span.name.is_empty() {
                found.note(span.name);
                written.extend_from_slice(mark(span.name).as_bytes());
            }
            at = span.end;
        }
        if at < cut {
            written.extend_from_slice(&self.held[at..cut]);
        }
        self.covered = at.saturating_sub(cut);
        self.held.drain(..cut);
        written
    }
}

/// Where the last line of a text begins.
fn line_start(text: &[u8]) -> usize {
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}
