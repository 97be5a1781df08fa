//! What is written down of a run: each scenario that came to an answer, at its first attempt.

use std::path::Path;

use jiff::Timestamp;
use mycelium_schemas::{
    SCHEMA_VERSION,
    flake::{Environment, Execution},
    matrix::{ScenarioKey, StepStatus},
    messages::TestStepResultStatus as Status,
};
use mycelium_traceability::{Catalogue, flake::mark};

use crate::{
    cli::{conduct::Done, program::Program, tree::Tree},
    context::Lane,
    runner::{Place, ScenarioResult},
};

/// What a run of the suite was about, and what it was put into.
pub(in crate::cli) struct About<'a> {
    pub(in crate::cli) at: Timestamp,
    pub(in crate::cli) run: String,
    pub(in crate::cli) tree: &'a Tree,
    pub(in crate::cli) program: &'a Program,
    pub(in crate::cli) lane: Lane,
    pub(in crate::cli) environment: &'a Environment,
    pub(in crate::cli) catalogue: &'a Catalogue,
    /// The folder of the scenarios: another one each time, so it is cut out of messages.
    pub(in crate::cli) scratch: &'a Path,
}

/// The executions of a run. One that was cut off came to no answer and is left out.
pub(in crate::cli) fn executions(about: &About<'_>, done: &Done) -> Vec<Execution> {
    let beside = done.result.causes.iter().filter(|cause| cause.is_beside_the_steps());
    let flaws: Vec<String> = beside.map(|cause| about.without_scratch(&cause.to_string())).collect();
    let ended = done.result.scenarios.iter().filter(|scenario| scenario.status != Status::Unknown);
    ended.filter_map(|scenario| about.execution(scenario, done.seed, &flaws)).collect()
}

/// The key of a place.
pub(in crate::cli) fn key(place: &Place) -> ScenarioKey {
    ScenarioKey { uri: place.uri.clone(), line: u64::from(place.line) }
}

impl About<'_> {
    fn execution(&self, scenario: &ScenarioResult, seed: u64, flaws: &[String]) -> Option<Execution> {
        let key = key(&scenario.place);
        // What ran was read from the same files as the catalogue.
        let fingerprint = self.catalogue.get(&key)?.fingerprint().to_string();
        let failure = scenario.failure.as_ref().filter(|_| !scenario.not_run);
        Some(Execution {
            v: SCHEMA_VERSION,
            at: self.at,
            run: self.run.clone(),
            tree: self.tree.id.clone(),
            dirty: self.tree.dirty,
            binary_digest: self.program.digest.clone(),
            scenario: key,
            fingerprint,
            lane: self.lane.as_str().to_owned(),
            outcome: outcome(scenario.status),
            seed,
            environment: self.environment.clone(),
            failure: failure.map(|failure| mark(&failure.step, &self.without_scratch(&failure.message))),
            flaws: flaws.to_vec(),
        })
    }

    fn without_scratch(&self, text: &str) -> String {
        text.replace(&*self.scratch.to_string_lossy(), "/scratch")
    }
}

fn outcome(status: Status) -> StepStatus {
    match status {
        Status::Passed => StepStatus::Passed,
        Status::Failed => StepStatus::Failed,
        Status::Skipped => StepStatus::Skipped,
        Status::Pending => StepStatus::Pending,
        Status::Undefined => StepStatus::Undefined,
        Status::Ambiguous => StepStatus::Ambiguous,
        Status::Unknown => StepStatus::Unknown,
    }
}
