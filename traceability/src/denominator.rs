//! The denominator: whether the goals are those that were locked, and promise no less. What is missing and not signed
//! for is a problem, and so is a goal that could vanish unseen or a sign-off for nothing.

use std::collections::BTreeSet;

use mycelium_schemas::{
    goal::{
        denominator::{self, Change, Declaration, Denominator, LockedGoal, SignOff},
        spec::Goal,
    },
    matrix::Lock,
    problem::{Problem, Source},
};

use crate::{fingerprint::statement_fingerprint, registry::Registry};

/// The new text of `denominator.yaml` after a goal was reviewed.
pub fn lock(source: &Source, goal: &Goal) -> Result<String, Vec<Problem>> {
    denominator::with_goal(source, locked(goal))
}

/// What a goal promises now.
fn locked(goal: &Goal) -> LockedGoal {
    let must_not = goal.must_not.iter().map(|claim| Declaration::must_not(&claim.assertion));
    let witness = goal.witness.iter().map(|claim| Declaration::witness(&claim.assertion));
    let control = goal.control.iter().map(|claim| Declaration::control(&claim.assertion));
    LockedGoal {
        goal: goal.id,
        statement: statement_fingerprint(goal),
        declared: must_not.chain(witness).chain(control).collect(),
    }
}

/// Compares the goals with the lock.
pub(crate) fn compare(registry: &Registry) -> Lock {
    let Denominator { goals, signoffs } = &registry.denominator;
    let mut used = BTreeSet::new();
    let mut problems = Vec::new();
    for lock in goals {
        match registry.goal(lock.goal) {
            None => missing(registry, lock, &mut used, &mut problems),
            Some(goal) => weakened(&registry.denominator, lock, &locked(goal), &mut used, &mut problems),
        }
    }
    for goal in &registry.goals {
        if !goals.iter().any(|lock| lock.goal == goal.id) {
            problems.push(format!("{} is not locked, so nobody would miss it.", goal.id));
        }
    }
    for (index, signoff) in signoffs.iter().enumerate() {
        if !used.contains(&index) {
            let SignOff { goal, what, by, .. } = signoff;
            problems.push(format!("{by} signed for {goal} as {}, and it is not.", what.name()));
        }
    }
    let signed = used.iter().filter_map(|index| signoffs.get(*index)).map(sentence).collect();
    Lock { goals: goals.len(), problems, signed }
}

/// A locked goal that is no goal any more.
fn missing(registry: &Registry, lock: &LockedGoal, used: &mut BTreeSet<usize>, problems: &mut Vec<String>) {
    let id = lock.goal;
    let moved = registry
        .goals
        .iter()
        .find(|goal| goal.id.tier() != id.tier() && statement_fingerprint(goal) == lock.statement);
    let what = if moved.is_some() { Change::Retiered } else { Change::Removed };
    let signed = registry.denominator.signoffs.iter().position(|s| s.goal == id && s.what == what);
    match (signed, moved) {
        (Some(index), _) => {
            used.insert(index);
        }
        (None, Some(goal)) => {
            problems.push(format!(
                "{id} was moved to Tier {} as {}, and nobody signed for it.",
                goal.tier(),
                goal.id
            ));
        }
        (None, None) => problems.push(format!("{id} was removed, and nobody signed for it.")),
    }
}

/// A locked goal that may promise less than it did.
fn weakened(
    denominator: &Denominator,
    lock: &LockedGoal,
    now: &LockedGoal,
    used: &mut BTreeSet<usize>,
    problems: &mut Vec<String>,
) {
    let id = lock.goal;
    if lock.statement != now.statement {
        problems.push(format!("The statement of {id} is not the locked one."));
    }
    for declaration in lock.declared.difference(&now.declared) {
        let mut signoffs = denominator.signoffs.iter();
        match signoffs.position(|signoff| signoff.goal == id && signoff.lost.contains(declaration)) {
            Some(index) => {
                used.insert(index);
            }
            None => problems
                .push(format!("{id} does not declare \"{declaration}\" any more, and nobody signed for it.")),
        }
    }
}

fn sentence(signoff: &SignOff) -> String {
    let SignOff { goal, what, reason, by, date, .. } = signoff;
    format!("{goal} was {}; {by} signed for it on {date}: {reason}", what.name())
}
