//! Which assertions of a goal count: those that were executed in a passing `Then`, that held, and that read an artifact
//! of the run.

use std::collections::BTreeSet;

use mycelium_schemas::{
    evidence::{Assertion, Polarity},
    goal::{
        Tier,
        spec::{Claim, Goal},
    },
    matrix::{Attempt, Declared, LaneRun, StepRole, StepRun, StepStatus},
};

use crate::catalogue::ScenarioSpec;

/// The assertions that events are there. Their subject names each type as a word of its own, before any task.
const EVENT_FOUND: [&str; 4] = ["event.present", "event.count", "event.payload", "event.order"];

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
        self.in_lane(lane).and_then(|run| run.attempts.first()).into_iter().flat_map(counting)
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
            // That something is not there shows that nothing was done as well.
            Part::Witness => assertion.polarity == Polarity::Must && !is_of_another_event(assertion, goal),
            Part::Control => assertion.polarity == Polarity::Must || goal.tier() != Tier::Zero,
        }
}

/// Whether an assertion found events of which the goal leaves none behind: every run has a `run.start`, so that it
/// witnesses nothing.
fn is_of_another_event(assertion: &Assertion, goal: &Goal) -> bool {
    finds_events(assertion) && !goal.artifacts.events.iter().any(|event| speaks_of(assertion, event))
}

/// Whether an assertion is that events are there.
fn finds_events(assertion: &Assertion) -> bool {
    EVENT_FOUND.contains(&assertion.name().as_str())
}

/// Whether an assertion is about events of a type.
fn speaks_of(assertion: &Assertion, event: &str) -> bool {
    let types = assertion.subject.split(" task ").next().unwrap_or_default();
    types.split([' ', ',']).any(|word| word == event)
}

/// Whether an assertion is that an event of a type is there.
pub(crate) fn finds(assertion: &Assertion, event: &str) -> bool {
    assertion.polarity == Polarity::Must && finds_events(assertion) && speaks_of(assertion, event)
}

/// The assertions of an attempt that count: made in a passing `Then`, held, and read from an artifact of the run; none where
/// the attempt did not pass.
pub(crate) fn counting(attempt: &Attempt) -> impl Iterator<Item = &Assertion> {
    let passed = Some(attempt).filter(|attempt| attempt.outcome == StepStatus::Passed);
    passed.into_iter().flat_map(|attempt| counting_from(&attempt.steps))
}

/// Those of the steps of a passing attempt.
pub(crate) fn counting_from(steps: &[StepRun]) -> impl Iterator<Item = &Assertion> {
    steps
        .iter()
        .filter(|step| step.role == StepRole::Then && step.status == StepStatus::Passed)
        .flat_map(|step| &step.assertions)
        .filter(|assertion| assertion.held && !assertion.artifact.is_empty())
}

/// Each claim of a part of a goal, and whether it was executed in every one of these lanes.
pub(super) fn declared(goal: &Goal, part: Part, linked: &[Linked<'_>], lanes: &[&str]) -> Vec<Declared> {
    let claims = match part {
        Part::MustNot => &goal.must_not,
        Part::Witness => &goal.witness,
        Part::Control => &goal.control,
    };
    let of_part = |scenario: &&Linked<'_>| scenario.spec.is_control() == matches!(part, Part::Control);
    // Two claims with one assertion are two: it has to be made about two things, or in two scenarios.
    let made = |claim: &Claim, lane: &str| {
        let scenarios = linked.iter().filter(of_part);
        let found = scenarios.flat_map(|scenario| {
            let found = scenario.counting(lane).filter(|found| fits(found, goal, claim, part));
            found.map(|found| (&scenario.spec.key, found.subject.as_str()))
        });
        found.collect::<BTreeSet<_>>().len()
    };
    let nth = |index: usize, claim: &Claim| {
        claims.iter().take(index + 1).filter(|other| other.assertion == claim.assertion).count()
    };
    claims
        .iter()
        .enumerate()
        .map(|(index, claim)| Declared {
            text: claim.text.clone(),
            assertion: claim.assertion.to_string(),
            executed: !lanes.is_empty() && lanes.iter().all(|lane| made(claim, lane) >= nth(index, claim)),
        })
        .collect()
}
