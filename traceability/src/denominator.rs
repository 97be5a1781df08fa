//! The denominator: whether the goals are those that were locked, and promise no less. What is missing and not signed
//! for is a problem, and so is a goal that could vanish unseen or a sign-off for nothing. The lock itself only grows: what
//! an earlier commit has locked and it has not any more is a problem, too.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mycelium_schemas::{
    goal::{
        GoalId,
        declared::{Declaration, Part},
        denominator::{self, Change, Denominator, LockedGoal, SignOff},
        spec::{Claim, Goal},
    },
    matrix::Lock,
    problem::{Problem, Source},
};

use crate::{fingerprint::statement_fingerprint, registry::Registry};

const CUT_OFF: &str =
    "The history is cut off, so nobody knows what was locked: fetch all of it (git fetch --unshallow).";

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
    let claims = |part, claims: &[Claim]| -> Vec<Declaration> {
        claims.iter().map(|claim| Declaration::new(part, &claim.assertion)).collect()
    };
    let words = |part, words: &[String]| -> Vec<Declaration> {
        words.iter().map(|word| Declaration::new(part, word)).collect()
    };
    let parts = [
        claims(Part::MustNot, &goal.must_not),
        claims(Part::Witness, &goal.witness),
        claims(Part::Control, &goal.control),
        words(Part::Lane, &goal.lanes),
        words(Part::Saboteur, &goal.saboteurs),
        words(Part::Scope, &goal.scope),
        words(Part::Event, &goal.artifacts.events),
    ];
    LockedGoal {
        goal: goal.id,
        statement: statement_fingerprint(goal),
        declared: parts.into_iter().flatten().collect(),
    }
}

/// What somebody who reviews a goal has to know of its lock, in sentences without an end: what their review replaces, and
/// what it does not sign for.
pub fn differences(source: &Source, goal: &Goal) -> Result<Vec<String>, Vec<Problem>> {
    let denominator = denominator::parse(source)?;
    let Some(lock) = denominator.goals.iter().find(|lock| lock.goal == goal.id) else {
        return Ok(Vec::new());
    };
    let now = locked(goal);
    let statement = (lock.statement != now.statement).then(|| {
        "its statement is not the locked one: who records this review signs for the new one".to_owned()
    });
    let lost = lock.declared.beyond(&now.declared);
    let unsigned = lost.filter(|(declaration, times)| given_up(&denominator, goal.id, declaration) < *times);
    let lost = unsigned.map(|(declaration, _)| {
        format!(
            "\"{declaration}\" is locked and not declared any more: no review gives that up, but a sign-off in {}",
            source.name
        )
    });
    Ok(statement.into_iter().chain(lost).collect())
}

/// Compares the goals with the lock.
pub(crate) fn compare(registry: &Registry, history: &LockHistory, today: Date) -> Lock {
    let Denominator { goals, signoffs } = &registry.denominator;
    let earlier = Earlier::of(history);
    let mut problems = unlocked(goals, &earlier);
    if history.is_cut_off {
        problems.push(CUT_OFF.to_owned());
    }
    for lock in goals {
        problems.extend(match registry.goal(lock.goal) {
            None => missing(registry, lock).into_iter().collect(),
            Some(goal) => weakened(&registry.denominator, lock, &locked(goal)),
        });
    }
    for goal in &registry.goals {
        if !goals.iter().any(|lock| lock.goal == goal.id) {
            problems.push(format!("{} is not locked, so nobody would miss it.", goal.id));
        }
    }
    let mut signed = Vec::new();
    for (index, signoff) in signoffs.iter().enumerate() {
        let objections = objections(registry, index, signoff, today);
        if objections.is_empty() {
            signed.push(sentence(signoff));
        }
        let place = |objection| format!("traceability/denominator.yaml, signoffs[{index}]: {objection}");
        problems.extend(objections.into_iter().map(place));
    }
    signed.extend(restated(goals, &earlier));
    Lock { goals: goals.len(), problems, signed }
}

/// A version of the lock in the history.
struct Earlier<'h> {
    /// A commit that has it.
    name: &'h str,
    goals: Vec<LockedGoal>,
}

impl<'h> Earlier<'h> {
    /// Those that can be read, the newest first.
    fn of(history: &'h LockHistory) -> Vec<Self> {
        let read = |version: &'h Source| {
            let goals = denominator::parse(version).ok()?.goals;
            Some(Self { name: &version.name, goals })
        };
        history.versions.iter().filter_map(read).collect()
    }
}

/// What the lock lost since it was first written. Otherwise whoever removes a goal removes its entry with it.
fn unlocked(now: &[LockedGoal], earlier: &[Earlier<'_>]) -> Vec<String> {
    // What is lost, and the newest version that has it.
    let mut lost: BTreeMap<(GoalId, Option<Declaration>), &str> = BTreeMap::new();
    for version in earlier {
        for LockedGoal { goal, declared, .. } in &version.goals {
            let Some(here) = now.iter().find(|lock| lock.goal == *goal) else {
                lost.entry((*goal, None)).or_insert(version.name);
                continue;
            };
            for (declaration, _) in declared.beyond(&here.declared) {
                lost.entry((*goal, Some(declaration.clone()))).or_insert(version.name);
            }
        }
    }
    let told = lost.into_iter().map(|((goal, declaration), version)| match declaration {
        None => format!("The lock of {goal} was taken away; {version} has it."),
        Some(declaration) => {
            format!("\"{declaration}\" was taken away from the lock of {goal}; {version} has it.")
        }
    });
    told.collect()
}

/// The goals that once said something else. A review may say so, by name; it is told as long as there is a history.
fn restated(now: &[LockedGoal], earlier: &[Earlier<'_>]) -> Option<String> {
    let said_otherwise = |lock: &&LockedGoal| {
        let mut before = earlier.iter().flat_map(|version| &version.goals);
        before.any(|other| other.goal == lock.goal && other.statement != lock.statement)
    };
    let goals: Vec<String> = now.iter().filter(said_otherwise).map(|lock| lock.goal.to_string()).collect();
    (!goals.is_empty()).then(|| format!("Reviews replaced the locked statement of {}", goals.join(", ")))
}

/// What became of a locked goal that is none any more, and the goal that makes its promise in another tier.
fn fate<'r>(registry: &'r Registry, lock: &LockedGoal) -> (Change, Option<&'r Goal>) {
    let id = lock.goal;
    let is_moved =
        |goal: &&Goal| goal.id.tier() != id.tier() && statement_fingerprint(goal) == lock.statement;
    let moved = registry.goals.iter().find(is_moved);
    (if moved.is_some() { Change::Retiered } else { Change::Removed }, moved)
}

/// A locked goal that is no goal any more.
fn missing(registry: &Registry, lock: &LockedGoal) -> Option<String> {
    let id = lock.goal;
    let (what, moved) = fate(registry, lock);
    if registry.denominator.signoffs.iter().any(|signoff| signoff.goal == id && signoff.what == what) {
        return None;
    }
    let became = moved
        .map_or_else(|| "removed".to_owned(), |goal| format!("moved to Tier {} as {}", goal.tier(), goal.id));
    Some(format!("{id} was {became}, and nobody signed for it."))
}

/// How often sign-offs give up a declaration of a goal.
fn given_up(denominator: &Denominator, id: GoalId, declaration: &Declaration) -> usize {
    let of_goal = denominator.signoffs.iter().filter(|signoff| signoff.goal == id);
    of_goal.map(|signoff| signoff.lost.count(declaration)).sum()
}

/// What is wrong with a sign-off: it signs for what did not happen, or on a day that did not come yet.
fn objections(registry: &Registry, index: usize, signoff: &SignOff, today: Date) -> Vec<String> {
    let SignOff { goal: id, what, by, date, .. } = signoff;
    let denominator = &registry.denominator;
    let lock = denominator.goals.iter().find(|lock| lock.goal == *id);
    let mut objections = match (lock, registry.goal(*id)) {
        (Some(lock), Some(goal)) if *what == Change::Weakened => {
            let now = locked(goal);
            not_lost(denominator, signoff, lock, &now)
        }
        (Some(lock), None) if *what == fate(registry, lock).0 => {
            let mut earlier = denominator.signoffs.iter().take(index);
            let is_signed = earlier.any(|other| other.goal == *id && other.what == *what);
            is_signed
                .then(|| format!("{id} was signed for as {} already.", what.name()))
                .into_iter()
                .collect()
        }
        _ => vec![format!("{by} signed for {id} as {}, and it is not.", what.name())],
    };
    if *date > today {
        objections.push(format!("{by} signed for {id} on {date}, and today is {today}."));
    }
    objections
}

/// What a sign-off gives up, though the goal never declared it or still does.
fn not_lost(
    denominator: &Denominator,
    signoff: &SignOff,
    lock: &LockedGoal,
    now: &LockedGoal,
) -> Vec<String> {
    let SignOff { goal: id, by, .. } = signoff;
    let told = signoff.lost.each().filter_map(|declaration| {
        let locked = lock.declared.count(declaration);
        let lost = locked.saturating_sub(now.declared.count(declaration));
        let why = if locked == 0 {
            "which it never declared"
        } else if given_up(denominator, *id, declaration) > lost {
            "which it still declares, or another sign-off gives up"
        } else {
            return None;
        };
        Some(format!("{by} gave up \"{declaration}\" of {id}, {why}."))
    });
    told.collect()
}

/// A locked goal that may promise less than it did.
fn weakened(denominator: &Denominator, lock: &LockedGoal, now: &LockedGoal) -> Vec<String> {
    let id = lock.goal;
    let mut problems = Vec::new();
    if lock.statement != now.statement {
        problems.push(format!("The statement of {id} is not the locked one."));
    }
    for (declaration, times) in lock.declared.beyond(&now.declared) {
        if given_up(denominator, id, declaration) < times {
            let less = if now.declared.count(declaration) == 0 { "any more" } else { "as often as it did" };
            problems
                .push(format!("{id} does not declare \"{declaration}\" {less}, and nobody signed for it."));
        }
    }
    let free: Vec<String> =
        now.declared.beyond(&lock.declared).map(|(declaration, _)| format!("\"{declaration}\"")).collect();
    if !free.is_empty() {
        problems.push(format!(
            "The lock of {id} lacks {}, so nobody would miss it: `accept review {id}` adds it.",
            free.join(", ")
        ));
    }
    problems
}

fn sentence(signoff: &SignOff) -> String {
    let SignOff { goal, what, reason, by, date, .. } = signoff;
    // The sentence ends where it is joined with others.
    format!("{goal} was {}; {by} signed for it on {date}: {}", what.name(), reason.trim_end_matches('.'))
}
