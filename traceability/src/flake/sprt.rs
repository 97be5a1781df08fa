//! Wald's sequential test: a scenario is run until it is shown to be good or bad, and no longer. Stopping for any other
//! reason than its own would make its promise void.

use super::bound::float;

/// A sequential test of one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Sprt {
    /// What a pass adds to the evidence against the scenario: less than zero.
    pass: f64,
    /// What a failure adds to it.
    fail: f64,
    accept_at: f64,
    reject_at: f64,
    n: u64,
    failed: u64,
}

/// What the executions so far come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its rate is taken for the good one.
    Accept,
    /// Its rate is taken for the bad one.
    Reject,
    /// Too early to say.
    GoOn,
}

impl Sprt {
    /// A rate of failures that is good enough.
    pub const GOOD: f64 = 0.005;
    /// A rate that is not.
    pub const BAD: f64 = 0.05;
    /// How often a good scenario may be rejected, and a bad one accepted.
    pub const ERROR: f64 = 0.05;

    /// The test of a good rate against a bad one, with the likelihoods of rejecting the good one (`alpha`) and of
    /// accepting the bad one (`beta`).
    pub fn new(good: f64, bad: f64, alpha: f64, beta: f64) -> Self {
        Self {
            pass: ((1.0 - bad) / (1.0 - good)).ln(),
            fail: (bad / good).ln(),
            accept_at: (beta / (1.0 - alpha)).ln(),
            reject_at: ((1.0 - beta) / alpha).ln(),
            n: 0,
            failed: 0,
        }
    }

    /// The test that `accept flake --sprt` makes.
    pub fn of_a_scenario() -> Self {
        Self::new(Self::GOOD, Self::BAD, Self::ERROR, Self::ERROR)
    }

    /// Adds an execution, and says what all of them come to.
    pub fn add(&mut self, passed: bool) -> Decision {
        self.n += 1;
        self.failed += u64::from(!passed);
        self.decision()
    }

    /// What the executions so far come to.
    pub fn decision(&self) -> Decision {
        // From totals: a sum of thousands of steps would drift.
        let evidence = float(self.n - self.failed) * self.pass + float(self.failed) * self.fail;
        if evidence <= self.accept_at {
            Decision::Accept
        } else if evidence >= self.reject_at {
            Decision::Reject
        } else {
            Decision::GoOn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean_runs(mut test: Sprt) -> u64 {
        while test.add(true) == Decision::GoOn {}
        test.n
    }

    #[test]
    fn a_scenario_that_never_fails_is_accepted_after_a_known_number_of_runs() {
        for (good, bad, runs) in
            [(0.005, 0.05, 64), (0.001, 0.05, 59), (0.002, 0.02, 162), (0.001, 0.01, 326)]
        {
            assert_eq!(clean_runs(Sprt::new(good, bad, 0.05, 0.05)), runs, "{good} against {bad}");
        }
        assert_eq!(clean_runs(Sprt::of_a_scenario()), 64);
    }

    #[test]
    fn two_failures_in_a_row_reject_and_one_does_not() {
        let mut test = Sprt::of_a_scenario();
        assert_eq!(test.decision(), Decision::GoOn);
        assert_eq!(test.add(false), Decision::GoOn);
        assert_eq!(test.add(false), Decision::Reject);
    }

    #[test]
    fn a_failure_costs_more_clean_runs() {
        let mut test = Sprt::of_a_scenario();
        test.add(false);
        assert_eq!(clean_runs(test), 1 + 114);
    }

    /// How often the test accepts, and after how many runs it decides in the mean, at a true rate: exactly, by following
    /// every number of failures.
    fn characteristics(test: &Sprt, rate: f64) -> (f64, f64) {
        // The probability of being undecided with so many failures.
        let mut undecided = vec![1.0];
        let (mut accepted, mut mean) = (0.0, 0.0);
        for n in 1..4_000_u64 {
            let mut next = vec![0.0; undecided.len() + 1];
            for (failed, probability) in undecided.iter().enumerate() {
                next[failed] += probability * (1.0 - rate);
                next[failed + 1] += probability * rate;
            }
            for (failed, probability) in next.iter_mut().enumerate() {
                match (Sprt { n, failed: failed as u64, ..test.clone() }).decision() {
                    Decision::GoOn => continue,
                    Decision::Accept => accepted += *probability,
                    Decision::Reject => {}
                }
                mean += float(n) * *probability;
                *probability = 0.0;
            }
            while next.last() == Some(&0.0) {
                next.pop();
            }
            undecided = next;
        }
        assert!(undecided.iter().sum::<f64>() < 1e-6, "it does not end");
        (accepted, mean)
    }

    /// Against the figures that were simulated 4000 times.
    #[test]
    fn it_errs_as_seldom_and_ends_as_early_as_it_promises() {
        for (good, bad, n_good, n_bad, accepts_good, accepts_bad) in [
            (0.005, 0.05, 81.0, 50.0, 0.974, 0.051),
            (0.001, 0.05, 61.0, 26.0, 0.976, 0.058),
            (0.002, 0.02, 206.0, 124.0, 0.978, 0.051),
            (0.001, 0.01, 410.0, 248.0, 0.975, 0.053),
        ] {
            let test = Sprt::new(good, bad, 0.05, 0.05);
            for (rate, n, accepts) in [(good, n_good, accepts_good), (bad, n_bad, accepts_bad)] {
                let (accepted, mean) = characteristics(&test, rate);
                assert!(
                    (accepted - accepts).abs() < 0.012,
                    "{good} against {bad} at {rate}: accepts {accepted}"
                );
                assert!((mean / n - 1.0).abs() < 0.05, "{good} against {bad} at {rate}: {mean} runs");
            }
        }
    }
}
