//! What the page shows of a scenario when somebody opens it: steps, assertions, messages, evidence. Written once, packed,
//! as the script of the page reads it; a thousand scenarios say much that is equal.

use std::collections::HashMap;

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

/// Bytes in Base64 are a third more of them; in 91 characters, less than a quarter.
const DIGITS: u32 = 91;
/// Bits that two of these characters hold: 91 times 91 is more than 2 to the power of 13.
const PAIR_BITS: u32 = 13;

/// What the page unpacks.
pub(super) struct Packed {
    /// How many bytes the text holds.
    pub(super) bytes: usize,
    pub(super) text: String,
}

/// Everything, with what occurs often written once and referred to by how far back it stands. By columns, which pack
/// better than rows.
#[derive(Serialize)]
struct Details<'a> {
    scenarios: Scenarios<'a>,
    lanes: Lanes<'a>,
    attempts: Attempts,
    steps: Vec<StepDetails<'a>>,
    files: Vec<(&'a str, &'a str, u64)>,
}

#[derive(Default, Serialize)]
struct Scenarios<'a> {
    place: Vec<String>,
    name: Vec<&'a str>,
    goals: Vec<&'a [GoalId]>,
    control: Vec<bool>,
    result: Vec<&'static str>,
    /// Their steps as written, where they did not run.
    written: Vec<Vec<&'a str>>,
    /// How many of the lanes are theirs, in order.
    lanes: Vec<usize>,
}

#[derive(Default, Serialize)]
struct Lanes<'a> {
    lane: Vec<&'a str>,
    /// The command that shows a failure again.
    again: Vec<Option<String>>,
    /// How many of the attempts are theirs, in order.
    attempts: Vec<usize>,
}

#[derive(Default, Serialize)]
struct Attempts {
    outcome: Vec<Option<&'static str>>,
    millis: Vec<u64>,
    /// Each step, by how far back it stands.
    steps: Vec<Vec<usize>>,
    /// The files of evidence in the same way, each with the place of its step; those of no step stand behind the last one.
    files: Vec<Vec<(usize, usize)>>,
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

    /// How far back a value stands; 0 where it is one more.
    fn back(&mut self, value: T) -> usize {
        let next = self.indexes.len();
        next - *self.indexes.entry(value).or_insert(next)
    }

    fn into_values(self) -> Vec<T> {
        let mut values: Vec<(T, usize)> = self.indexes.into_iter().collect();
        values.sort_by_key(|(_, index)| *index);
        values.into_iter().map(|(value, _)| value).collect()
    }
}

/// The details of every scenario, as JSON, deflated, in characters.
pub(super) fn packed(matrix: &Matrix) -> Result<Packed, serde_json::Error> {
    let mut tables = Tables { steps: Table::new(), files: Table::new() };
    let (mut scenarios, mut lanes, mut attempts) =
        (Scenarios::default(), Lanes::default(), Attempts::default());
    for scenario in &matrix.scenarios {
        scenarios.add(scenario);
        for run in &scenario.lanes {
            let again =
                is_failure(run.outcome()).then(|| reproduce(matrix.run.as_ref(), scenario, &run.lane));
            lanes.add(run, again);
            for attempt in &run.attempts {
                attempts.add(attempt, &mut tables);
            }
        }
    }
    let Tables { steps, files } = tables;
    let details =
        Details { scenarios, lanes, attempts, steps: steps.into_values(), files: files.into_values() };
    let bytes = compress_to_vec(&serde_json::to_vec(&details)?, LEVEL);
    Ok(Packed { bytes: bytes.len(), text: characters(&bytes) })
}

/// Bytes as text: 13 bits a pair, the low ones first, the low digit of each pair first. No `<` is in it, so it ends no script.
fn characters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 5 / 4 + 2);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in bytes {
        bits |= u32::from(*byte) << count;
        count += 8;
        if count >= PAIR_BITS {
            push_pair(&mut text, bits & ((1 << PAIR_BITS) - 1));
            bits >>= PAIR_BITS;
            count -= PAIR_BITS;
        }
    }
    if count > 0 {
        push_pair(&mut text, bits);
    }
    text
}

fn push_pair(text: &mut String, pair: u32) {
    for digit in [pair % DIGITS, pair / DIGITS] {
        // From `#` to `}`; `<` stands as `~`.
        let code = u8::try_from(digit).unwrap_or_default() + b'#';
        text.push(char::from(if code == b'<' { b'~' } else { code }));
    }
}

/// What occurs often.
struct Tables<'a> {
    steps: Table<StepDetails<'a>>,
    files: Table<(&'a str, &'a str, u64)>,
}

impl<'a> Scenarios<'a> {
    fn add(&mut self, scenario: &'a Scenario) {
        let written = scenario.steps.iter().map(String::as_str).filter(|_| scenario.lanes.is_empty());
        self.written.push(written.collect());
        self.place.push(scenario.key.to_string());
        self.name.push(&scenario.name);
        self.goals.push(&scenario.goals);
        self.control.push(scenario.control);
        self.result.push(outcome_name(scenario));
        self.lanes.push(scenario.lanes.len());
    }
}

impl<'a> Lanes<'a> {
    fn add(&mut self, run: &'a LaneRun, again: Option<String>) {
        self.lane.push(&run.lane);
        self.again.push(again);
        self.attempts.push(run.attempts.len());
    }
}

impl Attempts {
    fn add<'a>(&mut self, attempt: &'a Attempt, tables: &mut Tables<'a>) {
        let places = attempt.steps.iter().map(|step| &step.evidence).chain([&attempt.evidence]).enumerate();
        let files = places.flat_map(|(place, kept)| kept.iter().map(move |file| (place, file)));
        self.files.push(files.map(|(place, file)| (place, tables.files.back(file_of(file)))).collect());
        let steps = attempt.steps.iter().map(|step| tables.steps.back(StepDetails::new(step)));
        self.steps.push(steps.collect());
        self.outcome.push(unless_passed(attempt.outcome.name()));
        self.millis.push(attempt.duration_nanos / 1_000_000);
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
