//! The quarantine against the scenarios as they are and as they ran.

use std::collections::BTreeSet;

use jiff::civil::Date;
use mycelium_schemas::{
    goal::{quarantine::QuarantineEntry, spec::Goal},
    matrix::{QuarantineMark, ScenarioKey},
};

use super::{Inputs, runs_of};
use crate::catalogue::ScenarioSpec;

/// Days over which it is counted how long a scenario was in quarantine.
const WINDOW_DAYS: i32 = 90;

/// The entries of a goal.
pub(super) fn marks(inputs: &Inputs<'_>, goal: &Goal) -> Vec<QuarantineMark> {
    let entries = inputs.registry.quarantine.iter().filter(|entry| entry.goal == goal.id);
    entries
        .map(|entry| QuarantineMark {
            scenario: entry.scenario.clone(),
            issue: entry.issue.clone(),
            hypothesis: entry.hypothesis.clone(),
            owner: entry.owner.clone(),
            expires: entry.expires,
            days_left: days_between(inputs.today, entry.expires),
            days_in: days_in(entry, inputs.today),
            renewed: entry.renewed.is_some(),
        })
        .collect()
}

/// Days up to today on which an entry stood there, the first one included.
fn days_in(entry: &QuarantineEntry, today: Date) -> i32 {
    let last = today.min(entry.expires);
    (days_between(entry.quarantined_at, last) + 1).clamp(0, WINDOW_DAYS)
}

/// Whether an entry that holds and has not expired is about a scenario as it is now.
pub(super) fn excuses(inputs: &Inputs<'_>, goal: &Goal, spec: &ScenarioSpec) -> bool {
    let entries = inputs.registry.quarantine.iter().filter(|entry| entry.goal == goal.id);
    let holds = |entry: &QuarantineEntry| inputs.today <= entry.expires && why_void(inputs, entry).is_none();
    entries.into_iter().any(|entry| is_about(entry, spec) && holds(entry))
}

/// Why an entry buys no time by its dates, whatever it is about.
fn why_void(inputs: &Inputs<'_>, entry: &QuarantineEntry) -> Option<String> {
    // Dates that lie ahead would make a week of as many years as somebody likes. It is first seen before it is entered.
    let begins = entry.renewed.unwrap_or(entry.quarantined_at).max(entry.quarantined_at);
    (begins > inputs.today).then(|| format!("begins on {begins}, and today is {}", inputs.today))
}

/// The scenarios whose failures are excused.
pub(super) fn excused(inputs: &Inputs<'_>) -> BTreeSet<ScenarioKey> {
    let excused = inputs.registry.goals.iter().flat_map(|goal| {
        let specs = inputs.catalogue.of_goal(goal.id);
        specs.into_iter().filter(move |spec| excuses(inputs, goal, spec))
    });
    excused.map(|spec| spec.key.clone()).collect()
}

fn is_about(entry: &QuarantineEntry, spec: &ScenarioSpec) -> bool {
    spec.name == entry.scenario && spec.fingerprint() == entry.fingerprint
}

/// Entries that excuse nothing: whatever they were meant for fails without anybody waiting for it.
pub(super) fn dead(inputs: &Inputs<'_>) -> Vec<String> {
    inputs.registry.quarantine.iter().filter_map(|entry| why_dead(inputs, entry)).collect()
}

fn why_dead(inputs: &Inputs<'_>, entry: &QuarantineEntry) -> Option<String> {
    let (id, name) = (entry.goal, &entry.scenario);
    let dead = |why: &str| Some(format!("The quarantine of {name:?} for {id} {why}."));
    if let Some(why) = why_void(inputs, entry) {
        return dead(&why);
    }
    let named: Vec<&ScenarioSpec> =
        inputs.catalogue.of_goal(id).into_iter().filter(|spec| spec.name == *name).collect();
    let Some(goal) = inputs.registry.goal(id).filter(|_| !named.is_empty()) else {
        return dead("fits no scenario of that goal that ran");
    };
    let meant: Vec<&ScenarioSpec> = named.iter().copied().filter(|spec| is_about(entry, spec)).collect();
    if meant.is_empty() {
        let now: Vec<String> = named.iter().map(|spec| spec.fingerprint().to_string()).collect();
        return dead(&format!(
            "is about another text than it has now, whose fingerprint is {}",
            now.join(" or ")
        ));
    }
    // It goes on running in each lane, or nobody would see when it is mended.
    let lanes = goal.lanes.iter().filter(|lane| inputs.profile.requires_lane(lane));
    for lane in lanes {
        let idle = meant
            .iter()
            .find(|spec| spec.needs_lane(lane) && !runs_of(inputs, spec).iter().any(|run| run.lane == *lane));
        if idle.is_some() {
            return dead(&format!("fits no scenario of that goal that ran in {lane}"));
        }
    }
    meant
        .iter()
        .all(|spec| runs_of(inputs, spec).is_empty())
        .then(|| format!("The quarantine of {name:?} for {id} fits no scenario of that goal that ran."))
}

fn days_between(from: Date, to: Date) -> i32 {
    // Dates lie within ±9999 years: some 7 million days.
    i32::try_from(to.duration_since(from).as_hours() / 24).unwrap_or(i32::MAX)
}
