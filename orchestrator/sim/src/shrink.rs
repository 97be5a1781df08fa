//! The smallest dice that still break a promise: fewer bytes, then smaller ones.

/// Shrinks dice that fail. `fails` gives the failure of dice, if they fail, and how many of them it took.
pub fn shrink<F>(dice: &[u8], fails: impl Fn(&[u8]) -> Option<(F, usize)>) -> Option<(Vec<u8>, F)> {
    let (mut failure, used) = fails(dice)?;
    let mut best = dice.get(..used).unwrap_or(dice).to_vec();
    loop {
        let smaller =
            candidates(&best).find_map(|dice| fails(&dice).map(|(failure, used)| (dice, failure, used)));
        let Some((dice, found, used)) = smaller else { return Some((best, failure)) };
        (best, failure) = (dice, found);
        best.truncate(used);
    }
}

/// Every way to make dice smaller by one step, the boldest first.
fn candidates(best: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let counts = std::iter::successors(Some(best.len() / 2), |count| (*count > 1).then_some(count / 2));
    let shorter = counts.filter(|count| *count > 0).flat_map(move |count| {
        (0..=best.len() - count).step_by(count).map(move |at| [&best[..at], &best[at + count..]].concat())
    });
    let lower = best.iter().enumerate().flat_map(move |(at, byte)| {
        let steps = [0, 1, byte / 2, byte.saturating_sub(1)].into_iter().filter(move |new| new < byte);
        steps.map(move |new| {
            let mut dice = best.to_vec();
            dice[at] = new;
            dice
        })
    });
    shorter.chain(lower)
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
    fn dice_that_do_not_fail_are_not_shrunk() {
        assert_eq!(shrink(&[1, 2, 3], |_| None::<((), usize)>), None);
    }
}
