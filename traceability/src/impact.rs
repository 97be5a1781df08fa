//! What became of goals and their scenarios between two states: exactly those whose fingerprint changed, with the words
//! that did.

use std::collections::BTreeSet;

use mycelium_schemas::{
    goal::{
        GoalId,
        spec::{Claim, Goal},
    },
    impact::{Change, ChangedGoal, ChangedPart, ChangedScenario, Place, Words},
};
use similar::{ChangeTag, TextDiff};

use crate::{
    catalogue::{Catalogue, ScenarioSpec},
    fingerprint::{goal_fingerprint, scenarios_fingerprint},
};

/// Goals and scenarios as they are or were at one time.
#[derive(Debug, Clone, Copy)]
pub struct Promises<'a> {
    /// The goals.
    pub goals: &'a [Goal],
    /// The scenarios.
    pub catalogue: &'a Catalogue,
}

/// Every goal whose text or scenarios are not what they were, sorted by id. Where a goal's file stands, how a scenario is
/// laid out and whatever else a review is not about changes nothing.
pub fn impact(before: Promises<'_>, now: Promises<'_>) -> Vec<ChangedGoal> {
    let ids =
        |promises: Promises<'_>| promises.goals.iter().map(|goal| goal.id).collect::<BTreeSet<GoalId>>();
    let mut all = ids(before);
    all.extend(ids(now));
    let find = |promises: Promises<'_>, id| promises.goals.iter().position(|goal| goal.id == id);
    let side = |promises: Promises<'_>, id| Side {
        goal: find(promises, id).map(|at| promises.goals[at].clone()),
        scenarios: promises.catalogue.of_goal(id).into_iter().cloned().collect(),
    };
    all.into_iter().filter_map(|id| changed(id, &side(before, id), &side(now, id))).collect()
}

/// One goal at one time, with the scenarios that are tagged with it.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// The goal, where it is one.
    pub goal: Option<Goal>,
    /// Its scenarios.
    pub scenarios: Vec<ScenarioSpec>,
}

/// What became of a goal; none where neither its text nor its scenarios changed.
pub fn changed(id: GoalId, before: &Side, now: &Side) -> Option<ChangedGoal> {
    let text = |side: &Side| side.goal.as_ref().map(goal_fingerprint);
    let scenarios = |side: &Side| scenarios_fingerprint(&side.scenarios);
    if text(before) == text(now) && scenarios(before) == scenarios(now) {
        return None;
    }
    let change = match (&before.goal, &now.goal) {
        (None, Some(_)) => Change::Added,
        (Some(_), None) => Change::Removed,
        _ => Change::Changed,
    };
    let title = now.goal.as_ref().or(before.goal.as_ref()).map(|goal| goal.title.clone());
    Some(ChangedGoal {
        goal: id,
        title: title.unwrap_or_default(),
        change,
        text: changed_parts(before.goal.as_ref(), now.goal.as_ref()),
        scenarios: changed_scenarios(&before.scenarios, &now.scenarios),
    })
}

/// The parts of a goal that a review is about, by their keys.
fn parts(goal: &Goal) -> Vec<(&'static str, String)> {
    let list = |items: &[String]| items.join(", ");
    let claims = |claims: &[Claim]| {
        let claims = claims.iter().map(|claim| format!("{} [{}]", claim.text, claim.assertion));
        claims.collect::<Vec<_>>().join("\n")
    };
    vec![
        ("title", goal.title.clone()),
        ("statement", goal.statement.clone()),
        ("scope", list(&goal.scope)),
        ("config", list(&goal.config)),
        ("scenario.given", goal.scenario.given.clone()),
        ("scenario.when", goal.scenario.when.clone()),
        ("scenario.then", goal.scenario.then.clone()),
        ("artifacts.state", list(&goal.artifacts.state)),
        ("artifacts.events", list(&goal.artifacts.events)),
        ("artifacts.git", list(&goal.artifacts.git)),
        ("must_not", claims(&goal.must_not)),
        ("witness", claims(&goal.witness)),
        ("control", claims(&goal.control)),
        ("lanes", list(&goal.lanes)),
        ("saboteurs", list(&goal.saboteurs)),
    ]
}

fn changed_parts(before: Option<&Goal>, now: Option<&Goal>) -> Vec<ChangedPart> {
    let of = |goal: Option<&Goal>| goal.map(parts).unwrap_or_default();
    let (old, new) = (of(before), of(now));
    let names = if new.is_empty() { &old } else { &new };
    let value = |parts: &[(&str, String)], name: &str| {
        parts.iter().find(|(part, _)| *part == name).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let pairs = names.iter().map(|(name, _)| (*name, value(&old, name), value(&new, name)));
    pairs
        .filter(|(_, old, new)| old != new)
        .map(|(part, old, new)| ChangedPart { part: part.to_owned(), words: words(&old, &new) })
        .collect()
}

/// Scenarios that are there on one side only. Two of one name, one on each side, are one that changed.
fn changed_scenarios(before: &[ScenarioSpec], now: &[ScenarioSpec]) -> Vec<ChangedScenario> {
    let mut gone = without(before, now);
    let mut found = Vec::new();
    for spec in without(now, before) {
        let earlier = gone.iter().position(|old| old.name == spec.name).map(|at| gone.remove(at));
        found.push(changed_scenario(earlier, Some(spec)));
    }
    found.extend(gone.into_iter().map(|spec| changed_scenario(Some(spec), None)));
    found.into_iter().flatten().collect()
}

/// Those of the first list whose meaning is not in the second one; a meaning that stands twice has to be there twice.
fn without<'s>(these: &'s [ScenarioSpec], those: &[ScenarioSpec]) -> Vec<&'s ScenarioSpec> {
    let mut others: Vec<&str> = those.iter().map(|spec| spec.meaning.as_str()).collect();
    let mut left = Vec::new();
    for spec in these {
        match others.iter().position(|other| *other == spec.meaning) {
            Some(at) => {
                others.swap_remove(at);
            }
            None => left.push(spec),
        }
    }
    left
}

fn changed_scenario(before: Option<&ScenarioSpec>, now: Option<&ScenarioSpec>) -> Option<ChangedScenario> {
    let shown = now.or(before)?;
    let change = match (before, now) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    };
    let text = |spec: Option<&ScenarioSpec>| spec.map(ScenarioSpec::text).unwrap_or_default();
    Some(ChangedScenario {
        place: shown.key.to_string(),
        name: shown.name.clone(),
        change,
        words: words(&text(before), &text(now)),
    })
}

/// Two texts, word by word.
fn words(old: &str, new: &str) -> Vec<Words> {
    let mut found: Vec<Words> = Vec::new();
    for change in TextDiff::from_words(old, new).iter_all_changes() {
        let place = match change.tag() {
            ChangeTag::Equal => Place::Both,
            ChangeTag::Delete => Place::Old,
            ChangeTag::Insert => Place::New,
        };
        match found.last_mut() {
            Some(last) if last.place == place => last.text.push_str(change.value()),
            _ => found.push(Words { place, text: change.value().to_owned() }),
        }
    }
    found
}
