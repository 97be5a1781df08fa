//! What came of running the same scenarios several times.

use std::{collections::BTreeMap, fmt};

use mycelium_schemas::messages::TestStepResultStatus as Status;
use serde::Serialize;

use super::{conduct::Done, console::counted, summary::RunSummary};
use crate::runner::Place;

/// The repetitions so far.
#[derive(Debug, Default)]
pub(super) struct Repetitions(Vec<Done>);

/// What `accept run --repeat` prints.
#[derive(Debug, Serialize)]
pub(super) struct RepeatSummary {
    schema_version: u32,
    pub(super) exit_code: u8,
    passed: bool,
    /// How many repetitions were asked for; fewer ran where one was interrupted, or failed under `--fail-fast`.
    wanted: usize,
    repetitions: Vec<RunSummary>,
    /// Number of the first that failed, from 1, and how to see it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<FirstFailure>,
    /// Scenarios that failed in some repetition.
    unstable: Vec<Unstable>,
}

#[derive(Debug, Serialize)]
struct FirstFailure {
    repetition: usize,
    seed: u64,
    out: String,
}

#[derive(Debug, Serialize)]
struct Unstable {
    place: String,
    name: String,
    failed: usize,
    ran: usize,
}

impl Repetitions {
    pub(super) fn add(&mut self, done: Done) {
        self.0.push(done);
    }

    /// Number of the first that did not pass, from 1.
    pub(super) fn first_failure(&self) -> Option<usize> {
        self.0.iter().position(|done| done.exit_code != 0).map(|index| index + 1)
    }

    pub(super) fn summary(&self, wanted: usize) -> RepeatSummary {
        let first_failure = self.first_failure().map(|repetition| {
            let done = &self.0[repetition - 1];
            FirstFailure { repetition, seed: done.seed, out: done.out.display().to_string() }
        });
        // An interruption is no answer, whatever else there is.
        let interrupted = self.0.iter().find(|done| done.result.interrupted.is_some());
        let exit_code = interrupted.map_or(u8::from(first_failure.is_some()), |done| done.exit_code);
        RepeatSummary {
            schema_version: mycelium_schemas::SCHEMA_VERSION,
            exit_code,
            passed: exit_code == 0,
            wanted,
            repetitions: self.0.iter().map(Done::summary).collect(),
            first_failure,
            unstable: self.unstable(),
        }
    }

    fn unstable(&self) -> Vec<Unstable> {
        let mut counts: BTreeMap<&Place, Unstable> = BTreeMap::new();
        for scenario in self.0.iter().flat_map(|done| &done.result.scenarios) {
            let count = counts.entry(&scenario.place).or_insert_with(|| Unstable {
                place: scenario.place.to_string(),
                name: scenario.name.clone(),
                failed: 0,
                ran: 0,
            });
            count.ran += usize::from(scenario.status != Status::Unknown);
            count.failed += usize::from(!matches!(scenario.status, Status::Passed | Status::Unknown));
        }
        counts.into_values().filter(|count| count.failed > 0).collect()
    }
}

impl fmt::Display for RepeatSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed =
            self.repetitions.iter().filter(|run| run.exit_code == 0 && run.excused.is_empty()).count();
        let ran = counted(self.repetitions.len(), "repetition");
        write!(f, "\n{ran} of {} ran, {passed} passed", self.wanted)?;
        for Unstable { place, name, failed, ran } in &self.unstable {
            write!(f, "\n  failed {failed} of {ran} times: {place}  {name}")?;
        }
        if let Some(FirstFailure { repetition, seed, out }) = &self.first_failure {
            write!(f, "\nthe first that failed: repetition {repetition}, seed {seed}, {out}")?;
        }
        Ok(())
    }
}
