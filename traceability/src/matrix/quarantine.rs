//! The quarantine against the scenarios as they are and as they ran.

use std::collections::BTreeSet;

use jiff::{ToSpan as _, civil::Date};
use mycelium_schemas::{
    goal::{
        Tier,
        quarantine::{QuarantineEntry, parse},
        spec::Goal,
    },
    matrix::{QuarantineMark, ScenarioKey},
    problem::Source,
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
            days_in: days_in(inputs, entry),
            renewed: entry.renewed.is_some(),
        })
        .collect()
}

/// Days of the last 90 on which a scenario was in quarantine, by the dates of its entry and of every earlier one.
fn days_in(inputs: &Inputs<'_>, entry: &QuarantineEntry) -> i32 {
    let days: BTreeSet<Date> =
        earlier(inputs, entry).chain([entry]).flat_map(|entry| days(inputs, entry)).collect();
    i32::try_from(days.len()).unwrap_or(i32::MAX)
}

/// Days of the last 90, today included, on which an entry stood there.
fn days(inputs: &Inputs<'_>, entry: &QuarantineEntry) -> Vec<Date> {
    let window = inputs.today.saturating_sub((WINDOW_DAYS - 1).days());
    let last = inputs.today.min(entry.expires);
    entry.quarantined_at.max(window).series(1.day()).take_while(|day| *day <= last).collect()
}

/// The entries of a version of `quarantine.yaml` in an earlier commit. One that cannot be read excused nothing.
pub fn entries_of(version: &Source) -> Vec<QuarantineEntry> {
    parse(version).unwrap_or_default()
}

/// What earlier commits say of the scenario of an entry, whatever it was called: an entry of the same goal about a scenario
/// that does not stand there as it did may have been about this one.
fn earlier<'a>(
    inputs: &'a Inputs<'a>,
    entry: &'a QuarantineEntry,
) -> impl Iterator<Item = &'a QuarantineEntry> {
    let specs = inputs.catalogue.of_goal(entry.goal);
    let of_goal = inputs.quarantined.iter().filter(|other| other.goal == entry.goal);
    of_goal.filter(move |other| {
        other.scenario == entry.scenario || !specs.iter().any(|spec| is_about(other, spec))
    })
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
    if begins > inputs.today {
        return Some(format!("begins on {begins}, and today is {}", inputs.today));
    }
    // Whoever takes an entry away and writes it anew, or moves its deadline, would have one week after the other.
    let goes_on = |other: &&QuarantineEntry| {
        let is_renewal = entry.renewed.is_some()
            && other.renewed.is_none()
            && other.quarantined_at == entry.quarantined_at;
        other.expires < entry.expires && !is_renewal && !days(inputs, other).is_empty()
    };
    let last = earlier(inputs, entry).filter(goes_on).max_by_key(|other| other.expires)?;
    let (until, days) = (last.expires, days_in(inputs, entry));
    let name =
        if last.scenario == entry.scenario { String::new() } else { format!(" as {:?}", last.scenario) };
    Some(format!(
        "was there until {until} before{name}, {days} of the last {WINDOW_DAYS} days in all: one renewal is all there is"
    ))
}

/// The scenarios whose failures are excused for every goal that they are there for, as each of these goals is judged.
pub fn excused_for_all(inputs: &Inputs<'_>) -> BTreeSet<ScenarioKey> {
    let is_excused = |spec: &&ScenarioSpec| {
        let goals = super::known_goals(inputs.registry, spec);
        // Nothing excuses what is there for Tier 0.
        let is_excused = |goal: &Goal| goal.tier() != Tier::Zero && excuses(inputs, goal, spec);
        !goals.is_empty() && goals.iter().all(|id| inputs.registry.goal(*id).is_some_and(is_excused))
    };
    inputs.catalogue.iter().filter(is_excused).map(|spec| spec.key.clone()).collect()
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
