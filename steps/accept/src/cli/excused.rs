//! Failures of scenarios in quarantine: they are told and reported as failures, and fail no run by themselves, as they fail
//! no gate.

use mycelium_schemas::{
    goal::GoalId,
    matrix::{QuarantineMark, Scenario, ScenarioKey},
    messages::TestStepResultStatus as Status,
};

use super::judge::Judged;
use crate::runner::{Cause, Place, RunResult};

/// The failed scenarios of a run that a quarantine excuses, and whether they are all that is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Excused {
    /// One sentence a scenario.
    pub(super) told: Vec<String>,
    /// True where the run fails by nothing else.
    pub(super) is_all: bool,
}

impl Excused {
    /// Those of a run, by the quarantine that it was judged with.
    pub(super) fn of(result: &RunResult, judged: &Judged) -> Self {
        let failed = result.scenarios.iter().filter(|scenario| scenario.status == Status::Failed);
        let (excused, others): (Vec<_>, Vec<_>) =
            failed.partition(|scenario| is_excused(judged, &scenario.place));
        let is_failure = |cause: &Cause| matches!(cause, Cause::Scenarios(Status::Failed, _));
        Self {
            is_all: !excused.is_empty()
                && others.is_empty()
                && result.interrupted.is_none()
                && result.causes.iter().all(is_failure),
            told: excused.iter().filter_map(|scenario| sentence(&key(&scenario.place), judged)).collect(),
        }
    }
}

/// Whether a quarantine excuses what fails at a place.
pub(super) fn is_excused(judged: &Judged, place: &Place) -> bool {
    judged.excused.contains(&key(place))
}

fn key(place: &Place) -> ScenarioKey {
    ScenarioKey { uri: place.uri.clone(), line: u64::from(place.line) }
}

/// Which entries excuse a scenario.
fn sentence(key: &ScenarioKey, judged: &Judged) -> Option<String> {
    let scenario = judged.matrix.scenarios.iter().find(|scenario| scenario.key == *key)?;
    let entries: Vec<String> = marks(scenario, judged)
        .map(|(goal, QuarantineMark { expires, issue, owner, .. })| {
            format!("for {goal} until {expires} ({issue}, {owner} owns it)")
        })
        .collect();
    Some(format!(
        "{key} failed and is excused: {:?} is in quarantine {}",
        scenario.name,
        entries.join(" and ")
    ))
}

fn marks<'j>(
    scenario: &'j Scenario,
    judged: &'j Judged,
) -> impl Iterator<Item = (GoalId, &'j QuarantineMark)> {
    let rows = judged.matrix.rows.iter().filter(move |row| scenario.goals.contains(&row.goal));
    rows.flat_map(|row| row.quarantine.iter().map(move |mark| (row.goal, mark)))
        .filter(move |(_, mark)| mark.scenario == scenario.name && mark.days_left >= 0)
}
