//! What a number of executions with a number of failures proves about the rate of failures: the exact one-sided bound of
//! Clopper and Pearson. For no failure it is `1 - (1 - confidence)^(1/n)`, the exact form of the rule of three
//! (Hanley and Lippman-Hand, JAMA 1983).

use mycelium_schemas::flake::Rating;

/// How sure every bound is that is printed.
pub const CONFIDENCE: f64 = 0.95;
/// Executions below which no grade is given.
const RATED_MIN: u64 = 10;
/// Halvings of the interval in which a bound is looked for: more than a double has bits.
const HALVINGS: u32 = 60;

/// The rate of failures that is not exceeded, with a confidence between 0 and 1, where `failed` of `n` executions
/// failed. Without an execution that is 1: nothing is known.
pub fn upper_bound(n: u64, failed: u64, confidence: f64) -> f64 {
    let alpha = 1.0 - confidence;
    if n == 0 || failed >= n {
        return 1.0;
    }
    if failed == 0 {
        // 1 - alpha^(1/n), without losing the digits of a rate near zero.
        return -(alpha.ln() / float(n)).exp_m1();
    }
    // The larger the rate, the less likely so few failures: the bound is where that likelihood is alpha.
    let (mut low, mut high) = (float(failed) / float(n), 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if at_most(n, failed, middle) > alpha { low = middle } else { high = middle }
    }
    high
}

/// The likelihood of at most `failed` failures in `n` executions that each fail at a rate.
fn at_most(n: u64, failed: u64, rate: f64) -> f64 {
    let (ln_fail, ln_pass) = (rate.ln(), (-rate).ln_1p());
    // By logarithms: the powers of a large n are too small for a double.
    let mut ln_choose = 0.0;
    let mut sum = 0.0;
    for k in 0..=failed {
        if k > 0 {
            ln_choose += (float(n - k + 1) / float(k)).ln();
        }
        sum += (ln_choose + float(k) * ln_fail + float(n - k) * ln_pass).exp();
    }
    sum
}

/// The bound in parts per million, rounded up, so that it never looks better than it is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 1000000")]
pub fn bound_ppm(n: u64, failed: u64) -> u32 {
    (upper_bound(n, failed, CONFIDENCE) * 1e6).ceil().clamp(0.0, 1e6) as u32
}

/// A bound as people read it: three digits, rounded up.
pub fn percent(ppm: u32) -> String {
    let (unit, decimals) = if ppm < 100_000 { (100, 2) } else { (1_000, 1) };
    let rounded = ppm.div_ceil(unit) * unit;
    format!("{:.decimals$} %", f64::from(rounded) / 10_000.0)
}

/// How many executions without a failure prove that the rate lies at or below a limit, with [`CONFIDENCE`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limits are no smaller than 1e-6"
)]
pub fn clean_runs_for(limit: f64) -> u64 {
    ((1.0 - CONFIDENCE).ln() / (-limit.clamp(1e-6, 0.5)).ln_1p()).ceil() as u64
}

/// The grade of a bound. It comes from the bound and not from the failures: who knows nothing has no good grade.
pub fn rate(n: u64, failed: u64) -> Rating {
    if n < RATED_MIN {
        return Rating::Unrated;
    }
    match bound_ppm(n, failed) {
        0..=5_000 => Rating::A,
        5_001..=10_000 => Rating::B,
        10_001..=50_000 => Rating::C,
        _ => Rating::D,
    }
}

/// Counts stay far below the 2^53 up to which a double is exact.
#[expect(clippy::cast_precision_loss, reason = "counts of executions are small")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64, within: f64, what: &str) {
        assert!((found - expected).abs() <= within, "{what}: {found} is not {expected}");
    }

    #[test]
    fn the_bound_of_runs_without_a_failure_is_that_of_the_literature() {
        for (n, u95, u99) in [
            (10, 0.259, 0.369),
            (20, 0.139, 0.206),
            (50, 0.0582, 0.0880),
            (59, 0.0495, 0.0751),
            (100, 0.0295, 0.0450),
            (299, 0.0100, 0.0153),
        ] {
            assert_near(upper_bound(n, 0, 0.95), u95, 0.0005, "95 %");
            assert_near(upper_bound(n, 0, 0.99), u99, 0.0005, "99 %");
        }
        assert_near(upper_bound(598, 0, 0.95), 0.0050, 0.000_05, "598");
        assert_near(upper_bound(2995, 0, 0.95), 0.0010, 0.000_05, "2995");
    }

    #[test]
    fn one_failure_is_expensive() {
        for (failed, n, bound) in [(1, 50, 0.091), (1, 100, 0.047), (1, 300, 0.016), (3, 300, 0.026)] {
            assert_near(upper_bound(n, failed, 0.95), bound, 0.0006, &format!("{failed} of {n}"));
        }
    }

    #[test]
    fn without_data_or_without_a_pass_nothing_is_excluded() {
        for (n, failed) in [(0, 0), (1, 1), (7, 7), (0, 3), (2, 5)] {
            assert_eq!(bound_ppm(n, failed), 1_000_000, "{failed} of {n}");
        }
    }

    #[test]
    fn the_bound_of_many_executions_is_a_number() {
        assert_near(upper_bound(1_000_000, 10, 0.95), 17.0 / 1e6, 0.1 / 1e6, "a million");
        assert_near(upper_bound(100_000, 99_999, 0.95), 1.0, 1e-5, "all but one");
    }

    #[test]
    fn pooling_many_scenarios_bounds_their_mean() {
        for (n, m, bound) in [(10, 40, 0.0075), (10, 60, 0.0050), (50, 40, 0.0015)] {
            assert_near(upper_bound(n * m, 0, 0.95), bound, 0.000_05, "pooled");
        }
        // Each of 9 scenarios at once, by Bonferroni.
        assert_near(upper_bound(100, 0, 1.0 - 0.05 / 9.0), 0.051, 0.0005, "each of nine");
    }

    #[test]
    fn a_limit_is_reached_by_as_many_clean_runs_as_its_bound_needs() {
        for (limit, n) in [(0.05, 59), (0.01, 299), (0.005, 598), (0.001, 2995)] {
            assert_eq!(clean_runs_for(limit), n);
            assert!(upper_bound(n, 0, CONFIDENCE) <= limit && upper_bound(n - 1, 0, CONFIDENCE) > limit);
        }
    }

    /// The promise of the bound itself: whatever the true rate, the bound lies below it in at most one of 20 cases.
    #[test]
    fn the_bound_covers_every_rate_as_often_as_it_says() {
        for n in [1, 5, 10, 37, 59, 150] {
            for rate in [0.001, 0.01, 0.03, 0.05, 0.1, 0.25, 0.5, 0.9, 0.99] {
                let point = |k: u64| at_most(n, k, rate) - if k > 0 { at_most(n, k - 1, rate) } else { 0.0 };
                let covered: f64 =
                    (0..=n).filter(|k| upper_bound(n, *k, CONFIDENCE) >= rate).map(point).sum();
                assert!(covered >= CONFIDENCE - 1e-9, "n = {n}, rate = {rate}: {covered}");
            }
        }
    }

    #[test]
    fn the_grade_comes_from_the_bound() {
        for (n, failed, rating) in [
            (0, 0, Rating::Unrated),
            (9, 0, Rating::Unrated),
            (10, 0, Rating::D),
            (58, 0, Rating::D),
            (59, 0, Rating::C),
            (298, 0, Rating::C),
            (299, 0, Rating::B),
            (597, 0, Rating::B),
            (598, 0, Rating::A),
            (598, 1, Rating::B),
            (100, 1, Rating::C),
            (50, 1, Rating::D),
        ] {
            assert_eq!(rate(n, failed), rating, "{failed} of {n}");
        }
    }

    #[test]
    fn a_bound_is_rounded_up_for_people() {
        assert_eq!(percent(bound_ppm(10, 0)), "25.9 %");
        assert_eq!(percent(bound_ppm(400, 0)), "0.75 %");
        assert_eq!(percent(50_001), "5.01 %");
        assert_eq!(percent(99_999), "10.00 %");
        assert_eq!(percent(100_000), "10.0 %");
        assert_eq!(percent(1_000_000), "100.0 %");
        assert_eq!(percent(1), "0.01 %");
    }
}
