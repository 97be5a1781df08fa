//! The journal's bytes on a disk that keeps for sure only what was synced.

use crate::dice::Dice;

/// How a life of the orchestrator ends too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// It was killed: what it had written stays, but for the end of a write under way.
    Kill,
    /// The power went: what was not synced may be cut short anywhere, or be there in length and hold nothing.
    PowerCut,
}

/// A file that is only appended to and cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournalFile {
    bytes: Vec<u8>,
    synced: usize,
}

impl JournalFile {
    /// All of it, synced or not: what a reader sees.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Makes everything written so far survive a power cut.
    pub(crate) fn sync(&mut self) {
        self.synced = self.bytes.len();
    }

    /// Cuts the end off, durably.
    pub(crate) fn cut(&mut self, length: usize) {
        self.bytes.truncate(length);
        self.sync();
    }

    /// What a crash leaves; afterwards that is what the disk holds.
    pub(crate) fn crash(&mut self, crash: Crash, dice: &mut Dice) {
        if crash == Crash::PowerCut {
            let length = self.bytes.len();
            self.bytes.truncate(self.synced + dice.up_to(length - self.synced));
            if dice.once_in(3) {
                self.bytes.resize(length, 0);
            }
        }
        self.sync();
    }
}
