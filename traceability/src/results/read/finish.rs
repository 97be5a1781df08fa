//! What can only be judged when the whole stream was read.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    evidence::RunInfo,
    matrix::{Attempt, LaneRun, ScenarioKey, StepStatus},
    messages::{Pickle, TestRunFinished},
};

use super::{OpenAttempt, ReadError, Reader, Results};

/// Attempts by scenario and lane, each with its number.
type Numbered = BTreeMap<(ScenarioKey, String), Vec<(u32, Attempt)>>;

impl Reader {
    pub(super) fn finish(mut self) -> Result<Results, Vec<ReadError>> {
        let mut errors = Vec::new();
        if self.started.is_none() {
            errors.push(ReadError::Missing("`testRunStarted` message"));
        }
        if self.info.is_none() {
            errors.push(ReadError::Missing("description of the run"));
        }
        if self.finished.is_none() {
            errors.push(ReadError::Missing("`testRunFinished` message"));
        }
        let (Some(info), Some(finished)) = (self.info.take(), self.finished.take()) else {
            return Err(errors);
        };

        let mut numbered = Numbered::new();
        for attempt in std::mem::take(&mut self.attempts).into_values() {
            if let Err(error) = self.close(attempt, &mut numbered) {
                errors.push(error);
            }
        }
        let missing = self.compare_with_plan(&info, &numbered, &mut errors);
        let runs = in_order(numbered, &mut errors);
        self.check_success(&finished, &runs, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Results { info, catalogue: self.catalogue, broken: self.broken, missing, runs })
    }

    fn close(&self, attempt: OpenAttempt, numbered: &mut Numbered) -> Result<(), ReadError> {
        let case = super::known(&self.cases, "the test case", &attempt.started.test_case_id)?;
        let pickle = super::known(&self.pickles, "the scenario", &case.pickle_id)?;
        let place = place(pickle);
        if !attempt.ended {
            return Err(ReadError::NotEnded(place.to_string()));
        }
        let Some(lane) = attempt.lane.clone() else { return Err(ReadError::NoLane(place.to_string())) };
        let number = attempt.started.attempt;
        let attempt = attempt.close(case, pickle, &self.keywords);
        numbered.entry((place, lane)).or_default().push((number, attempt));
        Ok(())
    }

    /// What was planned and did not run. What ran and was not planned is an error.
    fn compare_with_plan(&self, info: &RunInfo, ran: &Numbered, errors: &mut Vec<ReadError>) -> Vec<String> {
        let mut planned = BTreeSet::new();
        for entry in &info.planned {
            match super::known(&self.pickles, "the planned scenario", &entry.pickle_id) {
                Ok(pickle) => {
                    planned.insert((place(pickle), entry.lane.clone()));
                }
                Err(error) => errors.push(error),
            }
        }
        let unplanned = ran.keys().filter(|key| !planned.contains(*key));
        errors.extend(unplanned.map(|(place, lane)| ReadError::NotPlanned(format!("{place} in {lane}"))));
        let missing = planned.into_iter().filter(|key| !ran.contains_key(key));
        missing.map(|(place, lane)| format!("{place} in {lane}")).collect()
    }

    fn check_success(
        &mut self,
        finished: &TestRunFinished,
        runs: &BTreeMap<ScenarioKey, Vec<LaneRun>>,
        errors: &mut Vec<ReadError>,
    ) {
        let failed = runs.iter().find_map(|(place, lanes)| {
            // Skipped and pending scenarios do not make a run fail by the protocol; the matrix does not count them.
            let failed = |lane: &&LaneRun| {
                lane.attempts.last().is_some_and(|attempt| attempt.outcome > StepStatus::Pending)
            };
            lanes.iter().find(failed).map(|lane| format!("{place} in {}", lane.lane))
        });
        match failed {
            Some(failed) if finished.success => errors.push(ReadError::FalseSuccess(failed)),
            None if !finished.success => {
                let why = finished.message.as_deref().unwrap_or("it does not say why");
                self.broken.push(format!("The run ended without success: {why}."));
            }
            _ => {}
        }
    }
}

/// Where a scenario stands. One without a place was refused when it was read.
fn place(pickle: &Pickle) -> ScenarioKey {
    let line = pickle.location.map_or(0, |location| u64::from(location.line));
    ScenarioKey { uri: pickle.uri.clone(), line }
}

/// The lanes of each scenario with their attempts in order.
fn in_order(numbered: Numbered, errors: &mut Vec<ReadError>) -> BTreeMap<ScenarioKey, Vec<LaneRun>> {
    let mut runs: BTreeMap<ScenarioKey, Vec<LaneRun>> = BTreeMap::new();
    for ((place, lane), mut attempts) in numbered {
        attempts.sort_by_key(|(number, _)| *number);
        let counted = attempts.iter().zip(0..).all(|((number, _), expected)| *number == expected);
        if !counted {
            errors.push(ReadError::Attempts(place.to_string()));
        }
        let attempts = attempts.into_iter().map(|(_, attempt)| attempt).collect();
        runs.entry(place).or_default().push(LaneRun { lane, attempts });
    }
    runs
}
