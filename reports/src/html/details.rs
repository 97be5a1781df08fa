//! What the page shows of a scenario when somebody opens it: steps, assertions, messages, evidence. Written once, packed,
//! as the script of the page reads it; a thousand scenarios say much that is equal.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::compress_to_vec;
use mycelium_schemas::{
    evidence::{EvidenceFile, Polarity},
    goal::GoalId,
    matrix::{Attempt, LaneRun, Matrix, Scenario, StepRun, StepStatus},
};
use serde::Serialize;

use crate::{
    failure::{is_failure, reproduce},
    report::outcome_name,
    text::cut,
};

/// How hard the packer tries; more costs much time and saves little.
const LEVEL: u8 = 9;
/// Most characters of what a step or an assertion says. The JSON matrix has all of it.
const TEXT_MAX: usize = 240;
/// Most characters of what a failed step said.
const MESSAGE_MAX: usize = 4000;

/// Everything, with what occurs often written once and referred to by its index.
#[derive(Serialize)]
struct Details<'a> {
    scenarios: Scenarios<'a>,
    steps: Vec<StepDetails<'a>>,
    files: Vec<(&'a str, &'a str, u64)>,
}

/// The scenarios by columns, which pack better than rows.
#[derive(Default, Serialize)]
struct Scenarios<'a> {
    place: Vec<String>,
    name: Vec<&'a str>,
    goals: Vec<&'a [GoalId]>,
    control: Vec<bool>,
    result: Vec<&'static str>,
    /// Their steps as written, where they did not run.
    written: Vec<Vec<&'a str>>,
    lanes: Vec<Vec<LaneDetails<'a>>>,
}

#[derive(Serialize)]
struct LaneDetails<'a> {
    lane: &'a str,
    /// The command that shows a failure again.
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<String>,
    attempts: Vec<AttemptDetails>,
}

#[derive(Serialize)]
struct AttemptDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    millis: u64,
    /// Index of each step.
    steps: Vec<usize>,
    /// Indexes of the files of evidence, each with the place of its step; those of no step stand behind the last one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<(usize, usize)>,
}

#[derive(PartialEq, Eq, Hash, Serialize)]
struct StepDetails<'a> {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    asserted: Vec<AssertionDetails<'a>>,
}

#[derive(PartialEq, Eq, Hash, Serialize)]
struct AssertionDetails<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<bool>,
    must: bool,
    name: String,
    subject: String,
    expected: String,
    artifact: &'a str,
}

/// Values in the order in which they came, each once.
struct Table<T> {
    indexes: HashMap<T, usize>,
}

impl<T: Eq + std::hash::Hash> Table<T> {
    fn new() -> Self {
        Self { indexes: HashMap::new() }
    }

    fn index(&mut self, value: T) -> usize {
        let next = self.indexes.len();
        *self.indexes.entry(value).or_insert(next)
    }

    fn into_values(self) -> Vec<T> {
        let mut values: Vec<(T, usize)> = self.indexes.into_iter().collect();
        values.sort_by_key(|(_, index)| *index);
        values.into_iter().map(|(value, _)| value).collect()
    }
}

/// The details of every scenario, as JSON, deflated, in Base64.
pub(super) fn packed(matrix: &Matrix) -> Result<String, serde_json::Error> {
    let (mut steps, mut files) = (Table::new(), Table::new());
    let mut scenarios = Scenarios::default();
    for scenario in &matrix.scenarios {
        scenarios.add(matrix, scenario, &mut steps, &mut files);
    }
    let details = Details { scenarios, steps: steps.into_values(), files: files.into_values() };
    let json = serde_json::to_vec(&details)?;
    Ok(STANDARD.encode(compress_to_vec(&json, LEVEL)))
}

impl<'a> Scenarios<'a> {
    fn add(
        &mut self,
        matrix: &Matrix,
        scenario: &'a Scenario,
        steps: &mut Table<StepDetails<'a>>,
        files: &mut Table<(&'a str, &'a str, u64)>,
    ) {
        let lane = |run: &'a LaneRun| LaneDetails {
            lane: &run.lane,
            again: is_failure(run.outcome()).then(|| reproduce(matrix.run.as_ref(), scenario, &run.lane)),
            attempts: run.attempts.iter().map(|attempt| AttemptDetails::new(attempt, steps, files)).collect(),
        };
        let lanes: Vec<LaneDetails<'a>> = scenario.lanes.iter().map(lane).collect();
        let written = scenario.steps.iter().map(String::as_str).filter(|_| lanes.is_empty());
        self.written.push(written.collect());
        self.place.push(scenario.key.to_string());
        self.name.push(&scenario.name);
        self.goals.push(&scenario.goals);
        self.control.push(scenario.control);
        self.result.push(outcome_name(scenario));
        self.lanes.push(lanes);
    }
}

impl AttemptDetails {
    fn new<'a>(
        attempt: &'a Attempt,
        steps: &mut Table<StepDetails<'a>>,
        files: &mut Table<(&'a str, &'a str, u64)>,
    ) -> Self {
        let places = attempt.steps.iter().map(|step| &step.evidence).chain([&attempt.evidence]).enumerate();
        Self {
            outcome: unless_passed(attempt.outcome.name()),
            millis: attempt.duration_nanos / 1_000_000,
            files: places
                .flat_map(|(place, kept)| kept.iter().map(move |file| (place, file)))
                .map(|(place, file)| (place, files.index(file_of(file))))
                .collect(),
            steps: attempt.steps.iter().map(|step| steps.index(StepDetails::new(step))).collect(),
        }
    }
}

/// A status that is worth saying.
fn unless_passed(status: &'static str) -> Option<&'static str> {
    (status != StepStatus::Passed.name()).then_some(status)
}

fn file_of(file: &EvidenceFile) -> (&str, &str, u64) {
    (&file.name, &file.sha256, file.bytes)
}

impl<'a> StepDetails<'a> {
    fn new(step: &'a StepRun) -> Self {
        let asserted = step.assertions.iter().map(|assertion| AssertionDetails {
            broken: (!assertion.held).then_some(true),
            must: assertion.polarity == Polarity::Must,
            name: assertion.name(),
            subject: cut(&assertion.subject, TEXT_MAX).into_owned(),
            expected: cut(&assertion.expected, TEXT_MAX).into_owned(),
            artifact: &assertion.artifact,
        });
        let said = step.message.as_deref().filter(|_| step.status != StepStatus::Passed);
        Self {
            text: cut(&step.text, TEXT_MAX).into_owned(),
            status: unless_passed(step.status.name()),
            said: said.map(|said| cut(said, MESSAGE_MAX).into_owned()),
            asserted: asserted.collect(),
        }
    }
}
