//! The smallest dice that still break a promise: fewer bytes, then smaller ones.

use crate::play::{Failure, play};

/// Shrinks dice that fail. Gives them back with the failure that they end in.
pub fn shrink(dice: &[u8], failure: Failure) -> (Vec<u8>, Failure) {
    let (mut best, mut last) = (dice.to_vec(), failure);
    best.truncate(last.used);
    while let Some((dice, failure)) = smaller(&best) {
        (best, last) = (dice, failure);
    }
    (best, last)
}

/// The first smaller dice that still fail, if any.
fn smaller(best: &[u8]) -> Option<(Vec<u8>, Failure)> {
    let without = |at: usize, count: usize| [&best[..at], &best[at + count..]].concat();
    let with = |at: usize, byte: u8| {
        let mut dice = best.to_vec();
        dice[at] = byte;
        dice
    };
    let halves = std::iter::successors(Some(best.len() / 2), |count| (*count > 1).then_some(count / 2));
    let shorter = halves
        .filter(|count| *count > 0)
        .flat_map(|count| (0..=best.len() - count).step_by(count).map(move |at| without(at, count)));
    let lower = (0..best.len()).flat_map(|at| {
        let byte = best[at];
        [0, 1, byte / 2, byte.saturating_sub(1)]
            .into_iter()
            .filter(move |new| *new < byte)
            .map(move |new| with(at, new))
    });
    shorter.chain(lower).find_map(|dice| play(dice.clone()).err().map(|failure| (dice, failure)))
}
