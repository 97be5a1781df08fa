//! What a command prints, and whether its beginning is there: an engine forgets what is long ago where nobody reads it.
//! Where the connection that brings it ends before the command does, the engine's log brings the rest.

use std::pin::Pin;

use bollard::{container::LogOutput, errors::Error as Cause};
use futures_util::Stream;

/// What a container prints, as it comes.
pub(super) type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Cause>> + Send>>;

/// A part of what a command prints.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// What it printed on standard output.
    Bytes(Vec<u8>),
    /// What it printed on standard error.
    Error(Vec<u8>),
    /// What came before is gone.
    Lost,
}

/// Looks for the word that each container says first, and that nobody in it knows ([`super::recipe`]).
#[derive(Debug)]
pub(super) struct Beginning {
    word: Vec<u8>,
    /// Of the first line, as far as it came; none once it was judged.
    seen: Option<Vec<u8>>,
    /// Whether somebody reads again what was printed meanwhile.
    again: bool,
}

impl Beginning {
    /// Of a container that is read as it prints.
    pub(super) fn new(word: &str) -> Self {
        Self { word: format!("{word}\n").into_bytes(), seen: Some(Vec::new()), again: false }
    }

    /// Of one that printed while nobody read it.
    pub(super) fn again(word: &str) -> Self {
        Self { again: true, ..Self::new(word) }
    }

    /// What standard output brings next, without the word.
    pub(super) fn take(&mut self, chunk: impl AsRef<[u8]>) -> Vec<Printed> {
        let chunk = chunk.as_ref();
        let Some(mut seen) = self.seen.take() else { return vec![Printed::Bytes(chunk.to_vec())] };
        seen.extend_from_slice(chunk);
        if let Some(rest) = seen.strip_prefix(self.word.as_slice()) {
            return if rest.is_empty() { Vec::new() } else { vec![Printed::Bytes(rest.to_vec())] };
        }
        if self.word.starts_with(&seen) {
            self.seen = Some(seen);
            return Vec::new();
        }
        vec![Printed::Lost, Printed::Bytes(seen)]
    }

    /// Nothing more comes. One that said nothing although somebody told it to has lost it; one that nobody told yet,
    /// or that has just begun, has not.
    pub(super) fn end(&mut self) -> Vec<Printed> {
        match self.seen.take() {
            Some(seen) if self.again => {
                let rest = (!seen.is_empty()).then_some(Printed::Bytes(seen));
                [Printed::Lost].into_iter().chain(rest).collect()
            }
            Some(seen) if !seen.is_empty() => vec![Printed::Bytes(seen)],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Printed {
        Printed::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn the_word_is_taken_away_however_it_comes() {
        for cut in 0.."a-word\nfirst".len() {
            let mut beginning = Beginning::again("a-word");
            let (one, two) = "a-word\nfirst".split_at(cut);
            let printed: Vec<u8> = [one, two]
                .iter()
                .flat_map(|part| beginning.take(part))
                .flat_map(|printed| match printed {
                    Printed::Bytes(bytes) => bytes,
                    other => panic!("{other:?} at {cut}"),
                })
                .collect();
            assert_eq!(printed, b"first", "{cut}");
            assert!(beginning.end().is_empty());
        }
    }

    #[test]
    fn what_does_not_begin_with_the_word_has_lost_its_beginning() {
        let mut beginning = Beginning::again("a-word");
        assert_eq!(beginning.take("a-word of another"), [Printed::Lost, bytes("a-word of another")]);
        assert_eq!(beginning.take("a-word\n"), [bytes("a-word\n")]);
        assert!(beginning.end().is_empty());
    }

    #[test]
    fn who_reads_again_and_finds_nothing_has_lost_it() {
        assert_eq!(Beginning::again("a-word").end(), [Printed::Lost]);
        assert!(Beginning::new("a-word").end().is_empty());
        let mut cut = Beginning::again("a-word");
        assert!(cut.take("a-w").is_empty());
        assert_eq!(cut.end(), [Printed::Lost, bytes("a-w")]);
    }
}
