//! Which assertions of a goal count: those that were executed in a passing `Then`, that held, and that read an artifact
//! of the run.

use mycelium_schemas::{
    evidence::{Assertion, Polarity},
    goal::spec::{Claim, Goal},
    matrix::{Declared, LaneRun, StepRole, StepStatus},
};

use crate::catalogue::ScenarioSpec;

/// The assertions that events of one type are there; their subject begins with the type.
const EVENT_FOUND: [&str; 2] = ["event.present", "event.count"];

/// A scenario of a goal with what came out of it.
pub(super) struct Linked<'a> {
    pub(super) spec: &'a ScenarioSpec,
    pub(super) runs: &'a [LaneRun],
}

impl Linked<'_> {
    pub(super) fn in_lane(&self, lane: &str) -> Option<&LaneRun> {
        self.runs.iter().find(|run| run.lane == lane)
    }

    /// The assertions that count in a lane: of the first attempt alone, and only if it passed.
    fn counting(&self, lane: &str) -> impl Iterator<Item = &Assertion> {
        let first = self.in_lane(lane).and_then(|run| run.attempts.first());
        let passed = first.filter(|attempt| attempt.outcome == StepStatus::Passed);
        let thens = passed.into_iter().flat_map(|attempt| &attempt.steps);
        thens
            .filter(|step| step.role == StepRole::Then && step.status == StepStatus::Passed)
            .flat_map(|step| &step.assertions)
            .filter(|assertion| assertion.held && !assertion.artifact.is_empty())
    }

    /// Whether something that must not happen was looked for in a lane.
    pub(super) fn has_negative(&self, lane: &str) -> bool {
        self.counting(lane).any(|assertion| assertion.polarity == Polarity::MustNot)
    }

    /// Whether the first attempt in a lane kept anything that its assertions can be looked up in.
    pub(super) fn has_evidence(&self, lane: &str) -> bool {
        let first = self.in_lane(lane).and_then(|run| run.attempts.first());
        first.is_some_and(|attempt| attempt.evidence_files().next().is_some())
    }

    /// Assertions that did not hold in steps that passed all the same.
    pub(super) fn unheld(&self) -> impl Iterator<Item = &Assertion> {
        let attempts = self.runs.iter().flat_map(|run| &run.attempts);
        attempts
            .flat_map(|attempt| &attempt.steps)
            .filter(|step| step.status == StepStatus::Passed)
            .flat_map(|step| &step.assertions)
            .filter(|assertion| !assertion.held)
    }
}

/// Where the claims of a goal are looked for.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// What must not happen: in the goal's scenarios, as a negative assertion.
    MustNot,
    /// That the work was done: in the goal's scenarios.
    Witness,
    /// What happens with the knob off: in the control twins.
    Control,
}

/// Whether an assertion is the one that a claim of this part names.
pub(crate) fn fits(assertion: &Assertion, goal: &Goal, claim: &Claim, part: Part) -> bool {
    let is_named = assertion.name() == claim.assertion.as_str();
    is_named
        && match part {
            Part::MustNot => assertion.polarity == Polarity::MustNot,
            Part::Witness => !is_of_another_event(assertion, goal),
            Part::Control => true,
        }
}

/// Whether an assertion found an event that the goal does not leave behind: every run has a `run.start`, so that it
/// witnesses nothing.
fn is_of_another_event(assertion: &Assertion, goal: &Goal) -> bool {
    let found = assertion.subject.split(' ').next().unwrap_or_default();
    EVENT_FOUND.contains(&assertion.name().as_str())
        && !goal.artifacts.events.iter().any(|event| event == found)
}

/// Each claim of a part of a goal, and whether it was executed in every one of these lanes.
pub(super) fn declared(goal: &Goal, part: Part, linked: &[Linked<'_>], lanes: &[&str]) -> Vec<Declared> {
    let claims = match part {
        Part::MustNot => &goal.must_not,
        Part::Witness => &goal.witness,
        Part::Control => &goal.control,
    };
    let of_part = |scenario: &&Linked<'_>| scenario.spec.is_control() == matches!(part, Part::Control);
    let executed = |claim: &Claim, lane: &str| {
        linked
            .iter()
            .filter(of_part)
            .any(|scenario| scenario.counting(lane).any(|found| fits(found, goal, claim, part)))
    };
    claims
        .iter()
        .map(|claim| Declared {
            text: claim.text.clone(),
            assertion: claim.assertion.to_string(),
            executed: !lanes.is_empty() && lanes.iter().all(|lane| executed(claim, lane)),
        })
        .collect()
}
