//! A body in which stars stand in the place of a key: as many, so that its length stays what was told of it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;

use crate::passing::{Broken, Pieces};

/// The pieces of a body without the key.
pub(crate) struct Masked {
    body: Pieces,
    key: Vec<u8>,
    /// The end of what came, where the key may begin with it.
    held: Vec<u8>,
    /// Whether the body has ended, which is told behind what is held.
    has_ended: bool,
    /// Why it broke off, where it did.
    broken: Option<Broken>,
}

impl Masked {
    pub(crate) fn new(body: Pieces, key: &[u8]) -> Self {
        Self { body, key: key.to_vec(), held: Vec::new(), has_ended: false, broken: None }
    }

    /// What of the next piece can be passed on.
    fn pass(&mut self, piece: &Bytes) -> Bytes {
        let begins = |bytes: &[u8]| {
            let longest = bytes.len().min(self.key.len() - 1);
            (1..=longest).rev().find(|length| bytes.ends_with(&self.key[..*length])).unwrap_or(0)
        };
        let is_in = |bytes: &[u8]| bytes.windows(self.key.len()).position(|part| part == self.key);
        if self.held.is_empty() && is_in(piece).is_none() {
            // As nearly every piece is.
            let passed = piece.len() - begins(piece);
            self.held.extend_from_slice(&piece[passed..]);
            return piece.slice(..passed);
        }
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(piece);
        while let Some(at) = is_in(&bytes) {
            bytes[at..at + self.key.len()].fill(b'*');
        }
        let passed = bytes.len() - begins(&bytes);
        self.held = bytes.split_off(passed);
        bytes.into()
    }
}

impl Stream for Masked {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.has_ended {
                if !this.held.is_empty() {
                    return Poll::Ready(Some(Ok(std::mem::take(&mut this.held).into())));
                }
                return Poll::Ready(this.broken.take().map(Err));
            }
            let Poll::Ready(next) = this.body.as_mut().poll_next(context) else { return Poll::Pending };
            match next {
                Some(Ok(piece)) => {
                    let passed = this.pass(&piece);
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(passed)));
                    }
                }
                Some(Err(broken)) => (this.has_ended, this.broken) = (true, Some(broken)),
                None => this.has_ended = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use proptest::prelude::*;

    use super::*;

    fn masked(pieces: &[&[u8]], breaks: bool) -> (Vec<u8>, bool) {
        let mut body: Vec<Result<Bytes, Broken>> =
            pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        body.extend(breaks.then_some(Err(Broken::Recorded)));
        let mut masked = Masked::new(Box::pin(stream::iter(body)), b"sk-key");
        let (mut passed, mut broke) = (Vec::new(), false);
        while let Some(piece) = futures_util::FutureExt::now_or_never(masked.next()).unwrap() {
            match piece {
                Ok(piece) => passed.extend_from_slice(&piece),
                Err(_) => broke = true,
            }
        }
        (passed, broke)
    }

    #[test]
    fn what_may_become_the_key_is_held_until_it_is_known_and_comes_before_the_end() {
        assert_eq!(masked(&[b"a sk-", b"key, sk-", b"k"], true), (b"a ******, sk-k".to_vec(), true));
        assert_eq!(masked(&[b"sk-", b"sk-key"], false), (b"sk-******".to_vec(), false));
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_key_is_gone_and_nothing_else(
            text in "(sk-key|sk|-|k|e|y|s){0,12}", cut in 0_usize..40, again in 0_usize..40,
        ) {
            let bytes = text.as_bytes();
            let (from, to) = (cut.min(again).min(bytes.len()), cut.max(again).min(bytes.len()));
            let pieces = [&bytes[..from], &bytes[from..to], &bytes[to..]];
            prop_assert_eq!(masked(&pieces, false).0, text.replace("sk-key", "******").into_bytes());
        }
    }
}
