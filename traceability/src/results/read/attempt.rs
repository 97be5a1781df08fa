//! One attempt at a scenario while its messages come in.

use std::collections::BTreeMap;

use mycelium_schemas::{
    evidence::{Assertion, EvidenceFile},
    matrix::{Attempt, StepRole, StepRun, StepStatus},
    messages::{
        Duration, Pickle, TestCase, TestCaseStarted, TestStep, TestStepFinished, TestStepResult,
        TestStepResultStatus,
    },
};

use super::ReadError;
use crate::catalogue::{Keywords, role};

/// Most characters of a message from its beginning, and from its end, where the place in the code stands.
const MESSAGE_HEAD: usize = 6000;
const MESSAGE_TAIL: usize = 2000;

/// What came in for an attempt so far.
pub(super) struct OpenAttempt {
    pub(super) started: TestCaseStarted,
    pub(super) lane: Option<String>,
    pub(super) ended: bool,
    results: BTreeMap<String, TestStepResult>,
    assertions: BTreeMap<String, Vec<Assertion>>,
    evidence: BTreeMap<String, Vec<EvidenceFile>>,
    loose_evidence: Vec<EvidenceFile>,
}

impl OpenAttempt {
    pub(super) fn new(started: TestCaseStarted) -> Self {
        Self {
            started,
            lane: None,
            ended: false,
            results: BTreeMap::new(),
            assertions: BTreeMap::new(),
            evidence: BTreeMap::new(),
            loose_evidence: Vec::new(),
        }
    }

    pub(super) fn finish_step(
        &mut self,
        case: &TestCase,
        finished: TestStepFinished,
    ) -> Result<(), ReadError> {
        self.goes_on()?;
        let step = step_of(case, Some(&finished.test_step_id))?;
        if self.results.insert(step.id.clone(), finished.test_step_result).is_some() {
            return Err(ReadError::Duplicate(format!("the result of step {:?}", finished.test_step_id)));
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), ReadError> {
        self.goes_on()?;
        self.ended = true;
        Ok(())
    }

    pub(super) fn set_lane(&mut self, lane: String) -> Result<(), ReadError> {
        self.goes_on()?;
        super::once(&mut self.lane, lane, "the lane of the attempt")
    }

    pub(super) fn add_assertion(
        &mut self,
        case: &TestCase,
        step: Option<&str>,
        assertion: Assertion,
    ) -> Result<(), ReadError> {
        self.goes_on()?;
        let step = step_of(case, step)?;
        self.assertions.entry(step.id.clone()).or_default().push(assertion);
        Ok(())
    }

    pub(super) fn add_evidence(
        &mut self,
        case: &TestCase,
        step: Option<&str>,
        file: EvidenceFile,
    ) -> Result<(), ReadError> {
        self.goes_on()?;
        if step.is_none() {
            self.loose_evidence.push(file);
            return Ok(());
        }
        let step = step_of(case, step)?;
        self.evidence.entry(step.id.clone()).or_default().push(file);
        Ok(())
    }

    fn goes_on(&self) -> Result<(), ReadError> {
        if self.ended { Err(ReadError::AfterEnd("an attempt")) } else { Ok(()) }
    }

    /// The attempt as the matrix shows it.
    pub(super) fn close(mut self, case: &TestCase, pickle: &Pickle, keywords: &Keywords) -> Attempt {
        let steps: Vec<StepRun> =
            case.test_steps.iter().map(|step| self.step_run(step, pickle, keywords)).collect();
        let worst = steps.iter().map(|step| step.status).max();
        // A scenario in which nothing but hooks ran proved nothing.
        let outcome = match worst {
            Some(worst) if steps.iter().any(|step| step.role != StepRole::Hook) => worst,
            _ => StepStatus::Unknown,
        };
        let duration_nanos = steps.iter().fold(0_u64, |sum, step| sum.saturating_add(step.duration_nanos));
        Attempt { outcome, duration_nanos, steps, evidence: self.loose_evidence }
    }

    fn step_run(&mut self, step: &TestStep, pickle: &Pickle, keywords: &Keywords) -> StepRun {
        let written = pickle.steps.iter().find(|written| Some(&written.id) == step.pickle_step_id.as_ref());
        let result = self.results.remove(&step.id);
        StepRun {
            role: written.map_or(StepRole::Hook, role),
            text: written
                .map_or_else(|| StepRole::Hook.name().to_owned(), |written| keywords.sentence(written)),
            // A step of which nothing was told did not end.
            status: result.as_ref().map_or(StepStatus::Unknown, |result| status(result.status)),
            duration_nanos: result.as_ref().map_or(0, |result| nanos(result.duration)),
            // With the place in the code, where the stream has it.
            message: result
                .and_then(|result| result.exception.and_then(|e| e.stack_trace).or(result.message))
                .map(bounded),
            assertions: self.assertions.remove(&step.id).unwrap_or_default(),
            evidence: self.evidence.remove(&step.id).unwrap_or_default(),
        }
    }
}

/// A message as reports carry it: one that is too long loses its middle and says so. The stream keeps it whole.
fn bounded(message: String) -> String {
    let left_out = message.chars().count().saturating_sub(MESSAGE_HEAD + MESSAGE_TAIL);
    if left_out == 0 {
        return message;
    }
    let head: String = message.chars().take(MESSAGE_HEAD).collect();
    let tail: String = message.chars().skip(MESSAGE_HEAD + left_out).collect();
    format!("{head}\n… {left_out} characters are left out here; messages.ndjson has them all …\n{tail}")
}

fn step_of<'c>(case: &'c TestCase, id: Option<&str>) -> Result<&'c TestStep, ReadError> {
    let id = id.unwrap_or_default();
    let unknown = || ReadError::UnknownReference { what: "the step", id: id.to_owned() };
    case.test_steps.iter().find(|step| step.id == id).ok_or_else(unknown)
}

fn status(status: TestStepResultStatus) -> StepStatus {
    match status {
        TestStepResultStatus::Unknown => StepStatus::Unknown,
        TestStepResultStatus::Passed => StepStatus::Passed,
        TestStepResultStatus::Skipped => StepStatus::Skipped,
        TestStepResultStatus::Pending => StepStatus::Pending,
        TestStepResultStatus::Undefined => StepStatus::Undefined,
        TestStepResultStatus::Ambiguous => StepStatus::Ambiguous,
        TestStepResultStatus::Failed => StepStatus::Failed,
    }
}

/// A negative duration, as a clock that jumps makes it, counts as none.
fn nanos(duration: Duration) -> u64 {
    let seconds = u64::try_from(duration.seconds).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::from(duration.nanos))
}
