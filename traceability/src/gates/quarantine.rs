//! Quarantine: a week for an unreliable scenario, under rules that nobody can bend by waiting. Each closes a hole that
//! somebody else's quarantine had.

use std::collections::BTreeSet;

use mycelium_schemas::{
    goal::{GoalId, Tier},
    matrix::{Matrix, QuarantineMark, Row, Scenario, StepStatus},
};

use super::judge::Judgement;
use crate::flake::clean_runs_for;

/// Days before a quarantine ends from which its owner is warned on every run.
pub(crate) const WARN_DAYS: i32 = 3;
/// Entries that may stand there at once.
const ENTRIES_MAX: usize = 2;
/// Share of the Tier-1 goals that may be in quarantine, in percent.
const TIER_1_PERCENT_MAX: usize = 5;
/// Executions of which all failed that show that a scenario is broken and not unreliable.
const BROKEN_MIN: u64 = 5;
/// The rate of failures that a scenario has to be shown to stay below before it comes out.
const RELEASE_RATE: f64 = 0.05;

pub(super) fn judge(matrix: &Matrix) -> Judgement {
    let mut reasons = matrix.dead_quarantine.clone();
    let mut words = Vec::new();
    for (row, mark) in marks(matrix) {
        reasons.extend(objections(matrix, row, mark));
        words.push(standing(mark));
        words.extend(warning(row.goal, mark));
        words.extend(release(matrix, row, mark));
    }
    reasons.extend(too_many(matrix));
    let entries = marks(matrix).count();
    if reasons.is_empty() {
        return Judgement::Green(format!(
            "Scenarios in quarantine: {entries}, none expired.{}",
            words.concat()
        ));
    }
    Judgement::red(
        reasons,
        "fix the scenario and remove its entry; a deadline is extended once, by a renewal of the same entry",
    )
}

fn marks(matrix: &Matrix) -> impl Iterator<Item = (&Row, &QuarantineMark)> {
    matrix.rows.iter().flat_map(|row| row.quarantine.iter().map(move |mark| (row, mark)))
}

/// What makes an entry red by itself.
fn objections(matrix: &Matrix, row: &Row, mark: &QuarantineMark) -> Vec<String> {
    let (goal, scenario, owner) = (row.goal, &mark.scenario, &mark.owner);
    let mut reasons = Vec::new();
    if row.tier == Tier::Zero {
        reasons.push(format!("{goal} is a Tier-0 goal: {scenario:?} cannot be quarantined."));
    }
    if mark.days_left < 0 {
        reasons.push(format!("{goal}: {scenario:?} expired on {}; {owner} owns it.", mark.expires));
    }
    let (n, failed) = counts(matrix, row, mark);
    if n >= BROKEN_MIN && failed == n {
        reasons.push(format!(
            "{goal}: {scenario:?} failed {failed} of {n} times: it is broken, not unreliable; {owner} owns it."
        ));
    }
    reasons
}

/// How often its scenarios were executed and failed, in the run and in the history of this tree and program.
fn counts(matrix: &Matrix, row: &Row, mark: &QuarantineMark) -> (u64, u64) {
    let mut total = (0, 0);
    for scenario in scenarios(matrix, row.goal, mark) {
        let (n, failed) = matrix.flakes.of(&scenario.key);
        let outcomes = scenario.lanes.iter().flat_map(|lane| &lane.attempts).map(|attempt| attempt.outcome);
        for outcome in outcomes {
            total.0 += u64::from(matches!(outcome, StepStatus::Passed | StepStatus::Failed));
            total.1 += u64::from(outcome == StepStatus::Failed);
        }
        total = (total.0 + n, total.1 + failed);
    }
    total
}

fn scenarios<'m>(
    matrix: &'m Matrix,
    goal: GoalId,
    mark: &'m QuarantineMark,
) -> impl Iterator<Item = &'m Scenario> {
    matrix
        .scenarios
        .iter()
        .filter(move |scenario| scenario.name == mark.scenario && scenario.goals.contains(&goal))
}

/// How long it stands there: dates that are moved do not hide that.
fn standing(mark: &QuarantineMark) -> String {
    let renewed = if mark.renewed { ", renewed once" } else { "" };
    format!(" {:?}: {} of the last 90 days{renewed}.", mark.scenario, mark.days_in)
}

/// What its owner is told on every run before it ends.
pub(crate) fn warning(goal: GoalId, mark: &QuarantineMark) -> Option<String> {
    let QuarantineMark { scenario, owner, days_left, .. } = mark;
    (0..=WARN_DAYS)
        .contains(days_left)
        .then(|| format!(" Warning: {scenario:?} of {goal} expires in {days_left} days; {owner} owns it."))
}

/// That it need not stand there any more.
fn release(matrix: &Matrix, row: &Row, mark: &QuarantineMark) -> Option<String> {
    let needed = clean_runs_for(RELEASE_RATE);
    let mut counts =
        scenarios(matrix, row.goal, mark).map(|scenario| matrix.flakes.of(&scenario.key)).peekable();
    counts.peek()?;
    counts
        .all(|(n, failed)| n >= needed && failed == 0)
        .then(|| format!(" {:?} passed at least {needed} times in a row: remove its entry.", mark.scenario))
}

fn too_many(matrix: &Matrix) -> Vec<String> {
    let mut reasons = Vec::new();
    let entries = marks(matrix).count();
    if entries > ENTRIES_MAX {
        reasons.push(format!("{entries} scenarios are in quarantine, {ENTRIES_MAX} may be."));
    }
    let goals: BTreeSet<GoalId> =
        marks(matrix).map(|(row, _)| row).filter(|row| row.tier == Tier::One).map(|row| row.goal).collect();
    let all = matrix.rows.iter().filter(|row| row.tier == Tier::One).count();
    if goals.len() * 100 > all * TIER_1_PERCENT_MAX {
        reasons.push(format!(
            "{} of {all} Tier-1 goals are in quarantine, {TIER_1_PERCENT_MAX} % may be.",
            goals.len()
        ));
    }
    reasons
}
