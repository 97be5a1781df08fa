//! Bounds: nothing loops for ever and nothing grows without limit (design 3.4).

/// Manifest widenings of one task before it waits for a human.
pub const RESCOPES_MAX: u32 = 3;

/// Times that a batch's candidate is rebuilt because somebody else moved the branch.
pub const HEAD_MOVES_MAX: u32 = 5;

/// Longest wait before an attempt, in milliseconds.
pub const BACKOFF_MS_MAX: u64 = 30_000;

/// How long to wait before the attempt that follows the given number of failed ones, in milliseconds: half a second,
/// doubled each time.
pub fn backoff_ms(failures: u32) -> u64 {
    match failures {
        0 => 0,
        n => {
            500_u64.checked_shl(n - 1).filter(|ms| *ms <= BACKOFF_MS_MAX && n < 32).unwrap_or(BACKOFF_MS_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound() {
        let waits: Vec<u64> = [0, 1, 2, 3, 7, 8, 31, 32, 64, u32::MAX].into_iter().map(backoff_ms).collect();
        assert_eq!(waits, [0, 500, 1000, 2000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    }
}
