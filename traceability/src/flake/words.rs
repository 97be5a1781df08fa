//! What the counts of a suite prove and what they do not, in sentences.

use super::bound::{bound_ppm, float, percent};

/// The rate of failures of a suite that is used to show what a number of runs misses.
const EXAMPLE: f64 = 0.05;

/// How often a suite ran, and what came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Runs of the suite.
    pub runs: u64,
    /// Runs in which something failed.
    pub runs_failed: u64,
    /// Executions of scenarios.
    pub executions: u64,
    /// Executions that failed.
    pub failures: u64,
    /// Scenarios.
    pub scenarios: usize,
}

/// Both sentences that are true of the counts: about the suite, and about the mean of its scenarios.
pub fn sentences(counts: Counts) -> [String; 2] {
    let Counts { runs, runs_failed, executions, failures, scenarios } = counts;
    let suite = percent(bound_ppm(runs, runs_failed));
    let suite = if runs_failed == 0 {
        let missed = (-EXAMPLE).ln_1p() * float(runs);
        format!(
            "{runs} clean runs bound the rate at which a run fails at {suite} (95 % confidence): one that fails in 5 % of \
             its runs comes through with a likelihood of {:.1} %.",
            missed.exp() * 100.0
        )
    } else {
        format!("{runs_failed} of {runs} runs failed: the rate lies below {suite} (95 % confidence).")
    };
    let pooled = percent(bound_ppm(executions, failures));
    let mean = format!(
        "{failures} failures in {executions} executions bound the mean rate of the {scenarios} scenarios at {pooled}; \
         that says nothing of a single one, which its own count alone bounds."
    );
    [suite, mean]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_clean_runs_are_not_sold_as_more_than_they_are() {
        let [suite, mean] =
            sentences(Counts { runs: 10, runs_failed: 0, executions: 400, failures: 0, scenarios: 40 });
        assert!(suite.starts_with("10 clean runs bound the rate at which a run fails at 25.9 %"), "{suite}");
        assert!(suite.ends_with("59.9 %."), "{suite}");
        assert!(mean.starts_with("0 failures in 400 executions") && mean.contains("at 0.75 %"), "{mean}");
    }

    #[test]
    fn without_a_run_nothing_is_bound() {
        let [suite, mean] =
            sentences(Counts { runs: 0, runs_failed: 0, executions: 0, failures: 0, scenarios: 0 });
        assert!(suite.contains("100.0 %") && mean.contains("100.0 %"), "{suite} {mean}");
    }

    #[test]
    fn a_run_that_failed_is_named() {
        let [suite, _] =
            sentences(Counts { runs: 50, runs_failed: 1, executions: 50, failures: 1, scenarios: 1 });
        assert!(suite.starts_with("1 of 50 runs failed: the rate lies below 9.14 %"), "{suite}");
    }
}
