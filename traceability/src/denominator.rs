//! The denominator: whether the goals are those that were locked, and promise no less. What is missing and not signed
//! for is a problem, and so is a goal that could vanish unseen or a sign-off for nothing. The lock itself only grows: what
//! an earlier commit has locked and it has not any more is missed as if it still stood there.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mycelium_schemas::{
    goal::{
        GoalId, backlog,
        declared::{Declaration, Part},
        denominator::{self, Change, Denominator, LockedGoal, SignOff},
        links::ShortFingerprint,
        spec::{Claim, Goal},
    },
    matrix::Lock,
    problem::{Problem, Source},
};

use crate::{
    catalogue::{Catalogue, ScenarioSpec},
    fingerprint::{goal_fingerprint, prose_fingerprint, scenarios_fingerprint, statement_fingerprint},
    registry::Registry,
};

/// What was promised, as earlier commits have it. A version that this version of the program cannot read promises nothing.
#[derive(Debug, Clone, Default)]
pub struct LockHistory {
    /// Each version of `denominator.yaml`, named after a commit that has it, the newest first.
    pub versions: Vec<Source>,
    /// Each version of `backlog.yaml`, in the same way.
    pub backlogs: Vec<Source>,
    /// Why nobody knows all that was locked, as in a shallow clone: each with what to do, in sentences.
    pub gaps: Vec<String>,
}

/// The new text of `denominator.yaml` after a goal was reviewed together with its scenarios as they are now.
pub fn lock(source: &Source, goal: &Goal, catalogue: &Catalogue) -> Result<String, Vec<Problem>> {
    denominator::with_goal(source, locked(goal, catalogue))
}

/// What a goal promises now, and the scenarios that are to prove it.
fn locked(goal: &Goal, catalogue: &Catalogue) -> LockedGoal {
    let claims = |part, claims: &[Claim]| -> Vec<Declaration> {
        claims.iter().map(|claim| Declaration::new(part, &claim.assertion)).collect()
    };
    let words = |part, words: &[String]| -> Vec<Declaration> {
        words.iter().map(|word| Declaration::new(part, word)).collect()
    };
    let specs = catalogue.of_goal(goal.id);
    let parts = [
        claims(Part::MustNot, &goal.must_not),
        claims(Part::Witness, &goal.witness),
        claims(Part::Control, &goal.control),
        words(Part::Lane, &goal.lanes),
        words(Part::Saboteur, &goal.saboteurs),
        words(Part::Scope, &goal.scope),
        words(Part::Event, &goal.artifacts.events),
        specs.iter().flat_map(|spec| lanes_of(goal, spec)).collect(),
    ];
    LockedGoal {
        goal: goal.id,
        statement: statement_fingerprint(goal),
        prose: Some(prose_fingerprint(goal)),
        scenarios: specs.iter().map(|spec| ShortFingerprint::from(&spec.fingerprint())).collect(),
        declared: parts.into_iter().flatten().collect(),
    }
}

/// A scenario by the lanes of the goal that it runs in. One that was moved to another lane, or became a control twin, is
/// one less where it was.
fn lanes_of(goal: &Goal, spec: &ScenarioSpec) -> Vec<Declaration> {
    let part = if spec.is_control() { Part::Twin } else { Part::Scenario };
    let lanes = goal.lanes.iter().filter(|lane| spec.needs_lane(lane));
    lanes.map(|lane| Declaration::new(part, lane)).collect()
}

/// What somebody who reviews a goal has to know of its lock, in sentences without an end: what their review replaces, and
/// what it does not sign for.
pub fn differences(source: &Source, goal: &Goal, catalogue: &Catalogue) -> Result<Vec<String>, Vec<Problem>> {
    let denominator = denominator::parse(source)?;
    let Some(lock) = denominator.goals.iter().find(|lock| lock.goal == goal.id) else {
        return Ok(Vec::new());
    };
    let now = locked(goal, catalogue);
    let signs =
        |what: &str| format!("its {what} the locked one: who records this review signs for the new one");
    let mut told = Vec::new();
    if lock.statement != now.statement {
        told.push(signs("statement is not"));
    }
    if lock.prose.is_some() && lock.prose != now.prose {
        told.push(signs("prose beside the statement is not"));
    }
    let replaced = lock.scenarios.difference(&now.scenarios).count();
    if replaced > 0 {
        let all = lock.scenarios.len();
        told.push(format!(
            "{replaced} of its {all} locked scenarios read otherwise or are gone: who records this review signs for \
             what is there now"
        ));
    }
    let lost = lock.declared.beyond(&now.declared);
    let unsigned = lost.filter(|(declaration, times)| given_up(&denominator, goal.id, declaration) < *times);
    told.extend(unsigned.map(|(declaration, times)| {
        let less = less(&now, declaration, times);
        let name = &source.name;
        format!("\"{declaration}\" is locked and not declared {less}: no review gives that up, but a sign-off in {name}")
    }));
    Ok(told)
}

/// Compares the goals with the lock.
pub(crate) fn compare(
    registry: &Registry,
    catalogue: &Catalogue,
    history: &LockHistory,
    today: Date,
) -> Lock {
    let earlier = Earlier::of(history);
    let state = State { registry, catalogue, promised: promised(&registry.denominator.goals, &earlier) };
    let mut problems = history.gaps.clone();
    for promise in &state.promised {
        problems.extend(match registry.goal(promise.lock.goal) {
            None => missing(&state, promise).into_iter().collect(),
            Some(goal) => weakened(&state, promise, &locked(goal, catalogue)),
        });
    }
    for goal in &registry.goals {
        let id = goal.id;
        if !registry.denominator.goals.iter().any(|lock| lock.goal == id) {
            problems
                .push(format!("{id} is not locked, so nobody would miss it: `accept review {id}` adds it."));
        }
    }
    let mut signed = Vec::new();
    for (index, signoff) in registry.denominator.signoffs.iter().enumerate() {
        let objections = objections(&state, index, signoff, today);
        if objections.is_empty() {
            signed.push(sentence(signoff));
        }
        let place = |objection| format!("traceability/denominator.yaml, signoffs[{index}]: {objection}");
        problems.extend(objections.into_iter().map(place));
    }
    signed.extend(replaced(&state, &earlier));
    signed.extend(dropped(registry, history));
    Lock { goals: registry.denominator.goals.len(), problems, signed }
}

/// What there is now beside what was promised.
struct State<'r> {
    registry: &'r Registry,
    catalogue: &'r Catalogue,
    promised: Vec<Promise<'r>>,
}

impl State<'_> {
    fn of(&self, id: GoalId) -> Option<&Promise<'_>> {
        self.promised.iter().find(|promise| promise.lock.goal == id)
    }
}

/// What a goal ever promised: the lock as it is, and what earlier versions of it have beyond that. Otherwise whoever
/// removes a goal removes its entry with it.
struct Promise<'h> {
    lock: LockedGoal,
    /// The entry as it is now; none where it was taken away.
    now: Option<&'h LockedGoal>,
    /// What the lock has not any more, and the newest version that has it; without a declaration all of it.
    taken: BTreeMap<Option<Declaration>, &'h str>,
}

fn promised<'h>(now: &'h [LockedGoal], earlier: &'h [Earlier<'h>]) -> Vec<Promise<'h>> {
    let of_now =
        |lock: &'h LockedGoal| Promise { lock: lock.clone(), now: Some(lock), taken: BTreeMap::new() };
    let mut promised: Vec<Promise<'h>> = now.iter().map(of_now).collect();
    for version in earlier {
        for lock in &version.goals {
            let Some(known) = promised.iter_mut().find(|promise| promise.lock.goal == lock.goal) else {
                let taken = BTreeMap::from([(None, version.name)]);
                promised.push(Promise { lock: lock.clone(), now: None, taken });
                continue;
            };
            for (declaration, _) in lock.declared.beyond(&known.lock.declared) {
                known.taken.insert(Some(declaration.clone()), version.name);
            }
            known.lock.declared.grow(lock.declared.clone());
        }
    }
    promised.sort_by_key(|promise| promise.lock.goal);
    promised
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

/// The goals of which a review replaced something that a commit has. A review may do that, by name; it is told as long as
/// there is a history.
fn replaced(state: &State<'_>, earlier: &[Earlier<'_>]) -> Vec<String> {
    let told = |what: &str, is_replaced: &dyn Fn(&LockedGoal, &LockedGoal) -> bool| {
        let goals = state.registry.goals.iter().filter(|goal| {
            let now = locked(goal, state.catalogue);
            let mut before = earlier.iter().flat_map(|version| &version.goals);
            before.any(|other| other.goal == now.goal && is_replaced(other, &now))
        });
        let goals: Vec<String> = goals.map(|goal| goal.id.to_string()).collect();
        (!goals.is_empty()).then(|| format!("Reviews replaced {what} of {}", goals.join(", ")))
    };
    let parts = [
        told("the locked statement", &|before, now| before.statement != now.statement),
        told("locked prose", &|before, now| before.prose.is_some() && before.prose != now.prose),
        told("locked scenarios", &|before, now| !before.scenarios.is_subset(&now.scenarios)),
    ];
    parts.into_iter().flatten().collect()
}

/// Promises that an earlier backlog has, and that are nowhere any more.
fn dropped(registry: &Registry, history: &LockHistory) -> Vec<String> {
    let earlier = history.backlogs.iter().flat_map(|version| {
        let planned = backlog::parse(version).unwrap_or_default();
        planned.into_iter().map(|planned| (planned, &version.name))
    });
    let is_known =
        |id: GoalId| registry.goal(id).is_some() || registry.backlog.iter().any(|planned| planned.goal == id);
    let mut told = BTreeMap::new();
    for (planned, version) in earlier.filter(|(planned, _)| !is_known(planned.goal)) {
        let sentence = || {
            format!(
                "{} ({}) was promised in the backlog of {version}, and is not any more",
                planned.goal, planned.title
            )
        };
        told.entry(planned.goal).or_insert_with(sentence);
    }
    told.into_values().collect()
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
fn missing(state: &State<'_>, promise: &Promise<'_>) -> Option<String> {
    let registry = state.registry;
    let id = promise.lock.goal;
    let (what, moved) = fate(registry, &promise.lock);
    if registry.denominator.signoffs.iter().any(|signoff| signoff.goal == id && signoff.what == what) {
        return None;
    }
    if let Some(version) = promise.taken.get(&None) {
        return Some(format!("The lock of {id} was taken away; {version} has it."));
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
fn objections(state: &State<'_>, index: usize, signoff: &SignOff, today: Date) -> Vec<String> {
    let SignOff { goal: id, what, by, date, .. } = signoff;
    let State { registry, catalogue, .. } = state;
    let denominator = &registry.denominator;
    let lock = state.of(*id).map(|promise| &promise.lock);
    let mut objections = match (lock, registry.goal(*id)) {
        (Some(lock), Some(goal)) if *what == Change::Weakened => {
            let now = locked(goal, catalogue);
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
fn weakened(state: &State<'_>, promise: &Promise<'_>, now: &LockedGoal) -> Vec<String> {
    let Promise { lock, taken, .. } = promise;
    let id = lock.goal;
    let mut problems = Vec::new();
    if promise.now.is_some_and(|lock| lock.statement != now.statement) {
        problems.push(format!("The statement of {id} is not the locked one."));
    }
    for (declaration, times) in lock.declared.beyond(&now.declared) {
        if given_up(&state.registry.denominator, id, declaration) >= times {
            continue;
        }
        problems.push(match taken.get(&Some(declaration.clone())).or(taken.get(&None)) {
            Some(version) => {
                format!("\"{declaration}\" was taken away from the lock of {id}; {version} has it.")
            }
            None => format!(
                "{id} does not declare \"{declaration}\" {}, and nobody signed for it.",
                less(now, declaration, times)
            ),
        });
    }
    let free = promise.now.map(|lock| free(state, lock, now)).unwrap_or_default();
    if !free.is_empty() {
        problems.push(format!(
            "The lock of {id} lacks {}, so nobody would miss it: `accept review {id}` adds it.",
            free.join(", ")
        ));
    }
    problems
}

/// How a goal that lost a declaration so many times declares less.
fn less(now: &LockedGoal, declaration: &Declaration, times: usize) -> String {
    match (now.declared.count(declaration), times) {
        (0, 1) => "any more".to_owned(),
        (0, _) => format!("any more ({times} times)"),
        (_, 1) => "as often as it did".to_owned(),
        _ => format!("as often as it did ({times} times less)"),
    }
}

/// What a goal has and its lock has not. What nobody has reviewed yet is not the lock's to have: the link is suspect.
fn free(state: &State<'_>, lock: &LockedGoal, now: &LockedGoal) -> Vec<String> {
    let declared = now.declared.beyond(&lock.declared).map(|(declaration, _)| format!("\"{declaration}\""));
    let mut free: Vec<String> = declared.collect();
    let link = state.registry.links.iter().find(|link| link.goal == lock.goal);
    let (Some(link), Some(goal)) = (link, state.registry.goal(lock.goal)) else { return free };
    if lock.prose != now.prose && link.text == goal_fingerprint(goal) {
        free.push("its prose".to_owned());
    }
    let specs = state.catalogue.of_goal(lock.goal);
    if lock.scenarios != now.scenarios && link.scenarios == scenarios_fingerprint(specs) {
        free.push("its scenarios".to_owned());
    }
    free
}

fn sentence(signoff: &SignOff) -> String {
    let SignOff { goal, what, reason, by, date, .. } = signoff;
    // The sentence ends where it is joined with others.
    format!("{goal} was {}; {by} signed for it on {date}: {}", what.name(), reason.trim_end_matches('.'))
}
