//! What a run says it did, read strictly from its stream of Cucumber Messages. Whatever is missing, doubled, torn or
//! contradicts itself is an error: a gate that reads on past a hole is the hole.

mod error;
mod read;

use std::collections::BTreeMap;

use mycelium_schemas::{
    evidence::{EvidenceFile, RunInfo},
    matrix::{Attempt, LaneRun, ScenarioKey},
};

use crate::catalogue::Catalogue;

pub use error::{ReadError, ReadProblem};

/// A run as its stream tells it.
#[derive(Debug, Clone)]
pub struct Results {
    /// What was run, on what.
    pub info: RunInfo,
    /// The scenarios as they were when the run read them.
    pub catalogue: Catalogue,
    /// Why the run is not whole, beyond what it says itself, in sentences.
    pub(crate) broken: Vec<String>,
    /// Scenarios that should have run and did not, as `place in lane`.
    pub(crate) missing: Vec<String>,
    pub(crate) runs: BTreeMap<ScenarioKey, Vec<LaneRun>>,
}

impl Results {
    /// Reads the text of a `messages.ndjson`; or every problem in it.
    pub fn read(text: &str) -> Result<Self, Vec<ReadProblem>> {
        read::read(text)
    }

    /// Every file of evidence that the stream speaks of.
    pub fn evidence_files(&self) -> impl Iterator<Item = &EvidenceFile> {
        let lanes = self.runs.values().flatten();
        lanes.flat_map(|lane| &lane.attempts).flat_map(Attempt::evidence_files)
    }

    /// What came out of a scenario, by lane.
    pub fn of(&self, key: &ScenarioKey) -> &[LaneRun] {
        self.runs.get(key).map_or(&[], Vec::as_slice)
    }
}
