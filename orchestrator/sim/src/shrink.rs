//! The smallest dice that still break a promise: fewer bytes, then smaller ones.

/// Most tries: the smallest is nice to have, and an answer is needed.
const TRIES_MAX: u32 = 20_000;

/// Shrinks dice that fail. `fails` gives the failure of dice, if they fail, and how many of them it took.
pub fn shrink<F>(dice: &[u8], fails: impl Fn(&[u8]) -> Option<(F, usize)>) -> Option<(Vec<u8>, F)> {
    let (failure, used) = fails(dice)?;
    let mut best = dice.get(..used).unwrap_or(dice).to_vec();
    let mut last = failure;
    let mut tries = 0;
    let mut keep = |best: &mut Vec<u8>, smaller: Vec<u8>| {
        tries += 1;
        if tries > TRIES_MAX {
            return false;
        }
        let Some((failure, used)) = fails(&smaller) else { return false };
        *best = smaller;
        best.truncate(used);
        last = failure;
        true
    };
    while shorten(&mut best, &mut keep) | lower(&mut best, &mut keep) {}
    Some((best, last))
}

/// Leaves out what can be left out, long pieces first. Says whether anything could.
fn shorten(best: &mut Vec<u8>, keep: &mut impl FnMut(&mut Vec<u8>, Vec<u8>) -> bool) -> bool {
    let (mut any, mut count) = (false, best.len() / 2);
    while count > 0 {
        let mut at = 0;
        while at + count <= best.len() {
            let without = [&best[..at], &best[at + count..]].concat();
            if keep(best, without) {
                any = true;
            } else {
                at += count;
            }
        }
        count /= 2;
    }
    any
}

/// Makes bytes smaller one after the other. Says whether any could be.
fn lower(best: &mut Vec<u8>, keep: &mut impl FnMut(&mut Vec<u8>, Vec<u8>) -> bool) -> bool {
    let (mut any, mut at) = (false, 0);
    while at < best.len() {
        let byte = best[at];
        let lowered = [0, 1, byte / 2, byte.saturating_sub(1)].into_iter().any(|new| {
            let mut with = best.clone();
            with[at] = new;
            new < byte && keep(best, with)
        });
        any |= lowered;
        at += usize::from(!lowered);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_is_the_smallest_that_fails() {
        let fails = |dice: &[u8]| {
            let at = dice.iter().position(|byte| *byte >= 40)?;
            let other = dice.iter().rposition(|byte| (3..9).contains(byte))?;
            (other > at).then_some(((), other + 1))
        };
        let dice = [1, 200, 9, 8, 77, 5, 5, 10, 2, 2, 2];
        assert_eq!(shrink(&dice, fails), Some((vec![40, 3], ())));
    }

    #[test]
    fn shrinking_ends_after_a_bounded_number_of_tries() {
        let (tries, dice) = (std::cell::Cell::new(0), vec![255; 5000]);
        let fails = |smaller: &[u8]| {
            tries.set(tries.get() + 1);
            (smaller == dice).then_some(((), smaller.len()))
        };
        assert!(shrink(&dice, fails).is_some());
        assert_eq!(tries.get(), TRIES_MAX + 1);
    }

    #[test]
    fn dice_that_do_not_fail_are_not_shrunk() {
        assert_eq!(shrink(&[1, 2, 3], |_| None::<((), usize)>), None);
    }
}
