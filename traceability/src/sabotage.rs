//! Seeded faults: whether the scenarios of a goal noticed one, and what a kill matrix says about the goals as they are now.

use std::collections::BTreeSet;

use mycelium_schemas::{
    evidence::Assertion,
    goal::spec::{Claim, Goal},
    matrix::{Attempt, LaneRun, SabotageFacts, SaboteurMark, ScenarioKey, StepRole, StepStatus},
    sabotage::{Noticed, Sabotage, Trial, TrialOutcome},
};

use crate::{
    matrix::{
        Inputs,
        ledger::{Part, fits},
    },
    results::Results,
};

/// Judges a saboteur by a run of the goal's scenarios with it, beside one of the same program without any. It is noticed
/// where a scenario that passes without it fails in a `Then` on an assertion that the goal declares.
pub fn trial(goal: &Goal, saboteur: &str, honest: &Results, sabotaged: &Results) -> Trial {
    let mut trial = Trial {
        goal: goal.id,
        saboteur: saboteur.to_owned(),
        outcome: TrialOutcome::Survived,
        scenarios: 0,
        noticed: Vec::new(),
        remarks: Vec::new(),
    };
    for spec in sabotaged.catalogue.of_goal(goal.id) {
        let place = &spec.key;
        if !passed(honest.of(place)) {
            trial.remarks.push(format!("{place} does not pass without a saboteur, so it shows nothing."));
            continue;
        }
        trial.scenarios += 1;
        let firsts = || sabotaged.of(place).iter().filter_map(|run| run.attempts.first());
        let found: Vec<Noticed> =
            firsts().flat_map(|attempt| noticed(goal, spec.is_control(), place, attempt)).collect();
        if found.is_empty() {
            trial.remarks.extend(firsts().filter_map(|attempt| remark(place, attempt)));
        }
        trial.noticed.extend(found);
    }
    if !trial.noticed.is_empty() {
        trial.outcome = TrialOutcome::Killed;
    }
    trial
}

fn passed(runs: &[LaneRun]) -> bool {
    !runs.is_empty() && runs.iter().all(|run| run.outcome() == StepStatus::Passed)
}

/// The declared assertions that did not hold, each once.
fn noticed(goal: &Goal, control: bool, place: &ScenarioKey, attempt: &Attempt) -> Vec<Noticed> {
    let thens =
        attempt.steps.iter().filter(|step| step.role == StepRole::Then && step.status == StepStatus::Failed);
    let unheld =
        thens.flat_map(|step| &step.assertions).filter(|found| !found.held && !found.artifact.is_empty());
    let mut noticed: Vec<Noticed> = Vec::new();
    for assertion in unheld.filter(|found| declares(goal, control, found)) {
        let found = Noticed {
            scenario: place.clone(),
            assertion: assertion.name(),
            subject: assertion.subject.clone(),
        };
        if !noticed.contains(&found) {
            noticed.push(found);
        }
    }
    noticed
}

fn declares(goal: &Goal, control: bool, assertion: &Assertion) -> bool {
    let among = |claims: &[Claim], part| claims.iter().any(|claim| fits(assertion, goal, claim, part));
    if control {
        among(&goal.control, Part::Control)
    } else {
        among(&goal.must_not, Part::MustNot) || among(&goal.witness, Part::Witness)
    }
}

/// How a scenario ended that did not pass and noticed nothing.
fn remark(place: &ScenarioKey, attempt: &Attempt) -> Option<String> {
    match attempt.outcome {
        StepStatus::Passed => None,
        StepStatus::Failed => {
            let failed = attempt.steps.iter().find(|step| step.status == StepStatus::Failed);
            let at = failed.map(|step| format!(": at {:?}", step.text)).unwrap_or_default();
            Some(format!("{place} failed on nothing that the goal declares{at}."))
        }
        other => Some(format!("{place} was {other}.")),
    }
}

/// What is to be said of the trials beside what became of each saboteur.
pub(crate) fn facts(inputs: &Inputs<'_>, sabotage: &Sabotage) -> SabotageFacts {
    SabotageFacts {
        stale: stale(inputs, sabotage),
        partial: sabotage.partial.clone(),
        problems: problems(&inputs.registry.goals, sabotage),
    }
}

fn stale(inputs: &Inputs<'_>, sabotage: &Sabotage) -> Vec<String> {
    let now = inputs.subject;
    if sabotage.tree.is_none() || sabotage.source_digest.is_none() || now.source_digest.is_none() {
        return vec!["The saboteurs cannot be bound to a commit: this is not a git repository.".to_owned()];
    }
    if sabotage.source_digest != now.source_digest || sabotage.tree != now.tree {
        return vec!["The saboteurs were tried on other sources than those that are here now.".to_owned()];
    }
    Vec::new()
}

fn problems(goals: &[Goal], sabotage: &Sabotage) -> Vec<String> {
    let declared: BTreeSet<&str> =
        goals.iter().flat_map(|goal| &goal.saboteurs).map(String::as_str).collect();
    let known: BTreeSet<&str> = sabotage.known.iter().map(String::as_str).collect();
    let mut problems: Vec<String> = known
        .difference(&declared)
        .map(|name| format!("The program knows the saboteur {name}, and no goal declares it."))
        .collect();
    for goal in goals {
        let unknown = goal.saboteurs.iter().filter(|name| !known.contains(name.as_str()));
        let unknown = unknown.map(|name| {
            format!("{} declares the saboteur {name}, which the program does not know.", goal.id)
        });
        problems.extend(unknown);
    }
    let mut seen = BTreeSet::new();
    for trial in &sabotage.trials {
        let Trial { goal: id, saboteur, .. } = trial;
        if !seen.insert((*id, saboteur)) {
            problems.push(format!("{id}: the saboteur {saboteur} was tried more than once."));
        }
        match goals.iter().find(|goal| goal.id == *id && goal.saboteurs.contains(saboteur)) {
            None => problems.push(format!("{id} does not declare the saboteur {saboteur} that was tried.")),
            Some(goal) if trial.outcome == TrialOutcome::Killed && !is_kill(goal, trial) => {
                problems.push(format!(
                    "{id}: the saboteur {saboteur} is said to be killed, and nothing declared noticed it."
                ));
            }
            Some(_) => {}
        }
    }
    problems
}

/// Whether a trial says what it takes to be a kill.
fn is_kill(goal: &Goal, trial: &Trial) -> bool {
    trial.outcome == TrialOutcome::Killed
        && trial.scenarios > 0
        && trial.noticed.iter().any(|noticed| declares_name(goal, &noticed.assertion))
}

fn declares_name(goal: &Goal, assertion: &str) -> bool {
    let claims = goal.must_not.iter().chain(&goal.witness).chain(&goal.control);
    claims.into_iter().any(|claim| claim.assertion.as_str() == assertion)
}

/// What became of each saboteur that a goal declares.
pub(crate) fn marks(goal: &Goal, sabotage: Option<&Sabotage>) -> Vec<SaboteurMark> {
    let trials = sabotage.map_or(&[][..], |sabotage| &sabotage.trials);
    goal.saboteurs
        .iter()
        .map(|name| {
            let own: Vec<&Trial> =
                trials.iter().filter(|trial| trial.goal == goal.id && trial.saboteur == *name).collect();
            let killed = own.iter().all(|trial| is_kill(goal, trial));
            let by = own.iter().flat_map(|trial| &trial.noticed).map(|noticed| noticed.assertion.clone());
            let by: BTreeSet<String> = by.filter(|name| declares_name(goal, name)).collect();
            SaboteurMark {
                name: name.clone(),
                outcome: (!own.is_empty()).then_some(if killed {
                    TrialOutcome::Killed
                } else {
                    TrialOutcome::Survived
                }),
                noticed_by: by.into_iter().collect(),
            }
        })
        .collect()
}
