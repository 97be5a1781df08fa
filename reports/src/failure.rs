//! What failed, and how to see it fail again: the same list in every format.

use mycelium_schemas::matrix::{Attempt, Matrix, RunFacts, Scenario, StepRun, StepStatus};

/// The lane that a run is in unless it is told otherwise.
const DEFAULT_LANE: &str = "mock";

/// A scenario that failed in a lane at its first attempt, whatever its later ones did.
pub(crate) struct Failure<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) lane: &'a str,
    pub(crate) outcome: StepStatus,
    /// The first attempt; none where the run told nothing of it.
    pub(crate) attempt: Option<&'a Attempt>,
    /// How many of the later attempts passed.
    pub(crate) passed_later: usize,
}

impl<'a> Failure<'a> {
    /// The step that decided it.
    pub(crate) fn step(&self) -> Option<&'a StepRun> {
        self.attempt?.steps.iter().find(|step| step.status == self.outcome)
    }

    /// What the step said; where it said nothing, what came out of it.
    pub(crate) fn message(&self) -> &'a str {
        self.step().and_then(|step| step.message.as_deref()).unwrap_or_else(|| self.outcome.name())
    }
}

/// Every failure, sorted by place. What did not run is none: it is told as such.
pub(crate) fn failures(matrix: &Matrix) -> Vec<Failure<'_>> {
    let runs = matrix.scenarios.iter().flat_map(|scenario| scenario.lanes.iter().map(move |l| (scenario, l)));
    runs.filter(|(_, run)| is_failure(run.outcome()))
        .map(|(scenario, run)| Failure {
            scenario,
            lane: &run.lane,
            outcome: run.outcome(),
            attempt: run.attempts.first(),
            passed_later: run.attempts.iter().filter(|a| a.outcome == StepStatus::Passed).count(),
        })
        .collect()
}

/// Whether an outcome is a failure, rather than a pass or something that did not run.
pub(crate) fn is_failure(outcome: StepStatus) -> bool {
    match outcome {
        StepStatus::Passed | StepStatus::Skipped | StepStatus::Pending => false,
        StepStatus::Failed | StepStatus::Undefined | StepStatus::Ambiguous | StepStatus::Unknown => true,
    }
}

/// The command that runs a scenario again in a lane, in the order of the run's seed.
pub(crate) fn reproduce(run: Option<&RunFacts>, scenario: &Scenario, lane: &str) -> String {
    let place = shell_word(&scenario.key.to_string());
    let world = if lane == DEFAULT_LANE { String::new() } else { format!(" --world {}", shell_word(lane)) };
    let seed = run.map(|run| format!(" --seed {}", run.seed)).unwrap_or_default();
    format!("cargo accept run {place}{world}{seed}")
}

/// A text as one word of a shell.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_word_of_the_shell_whatever_its_name() {
        assert_eq!(shell_word("features/tier0/G0.1-a.feature:12"), "features/tier0/G0.1-a.feature:12");
        assert_eq!(shell_word("a b;$(x)'.feature:1"), r"'a b;$(x)'\''.feature:1'");
        assert_eq!(shell_word(""), "''");
    }
}
