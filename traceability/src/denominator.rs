//! The denominator: whether the goals are those that were locked, and promise no less. What is missing and not signed
//! for is a problem, and so is a goal that could vanish unseen or a sign-off for nothing. The lock itself only grows: what
//! an earlier commit has locked and it has not any more is a problem, too.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    goal::{
        GoalId,
        denominator::{self, Change, Declaration, Denominator, LockedGoal, SignOff},
        spec::Goal,
    },
    matrix::Lock,
    problem::{Problem, Source},
};

use crate::{fingerprint::statement_fingerprint, registry::Registry};

/// The lock as earlier commits have it.
#[derive(Debug, Clone, Default)]
pub struct LockHistory {
    /// Each version of `denominator.yaml`, named after a commit that has it, the newest first. One that this version of the
    /// program cannot read locks nothing.
    pub versions: Vec<Source>,
    /// Whether earlier commits are not there, as in a shallow clone.
    pub is_cut_off: bool,
}

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
pub(crate) fn compare(registry: &Registry, history: &LockHistory) -> Lock {
    let Denominator { goals, signoffs } = &registry.denominator;
    let mut used = BTreeSet::new();
    let mut problems = unlocked(goals, history);
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

/// What the lock lost since it was first written. Otherwise whoever removes a goal removes its entry with it.
fn unlocked(now: &[LockedGoal], history: &LockHistory) -> Vec<String> {
    // What is lost, and the newest version that has it.
    let mut lost: BTreeMap<(GoalId, Option<Declaration>), &str> = BTreeMap::new();
    for version in &history.versions {
        let Ok(Denominator { goals, .. }) = denominator::parse(version) else { continue };
        for LockedGoal { goal, declared, .. } in goals {
            let Some(here) = now.iter().find(|lock| lock.goal == goal) else {
                lost.entry((goal, None)).or_insert(&version.name);
                continue;
            };
            for declaration in declared.difference(&here.declared) {
                lost.entry((goal, Some(declaration.clone()))).or_insert(&version.name);
            }
        }
    }
    let told = lost.into_iter().map(|((goal, declaration), version)| match declaration {
        None => format!("The lock of {goal} was taken away; {version} has it."),
        Some(declaration) => {
            format!("\"{declaration}\" was taken away from the lock of {goal}; {version} has it.")
        }
    });
    let cut_off = history.is_cut_off.then(|| {
        "The history is cut off, so nobody knows what was locked: fetch all of it (git fetch --unshallow)."
            .to_owned()
    });
    told.chain(cut_off).collect()
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
