//! Seeded faults: what counts as noticing one, and a table of dishonest kill matrices.

use mycelium_schemas::{
    SCHEMA_VERSION,
    goal::gates::ProfileName,
    matrix::{Matrix, ScenarioKey, Status},
    sabotage::{Noticed, Sabotage, Trial, TrialOutcome},
    verdict::{Evaluation, Gate, Verdict},
};
use mycelium_traceability::{Results, trial};

use crate::support::{TREE, World, verdict_of};

const NAMES: [&str; 3] = ["ignore-budget", "ignore-validator", "ignore-manifest"];

fn noticed(assertion: &str) -> Noticed {
    Noticed {
        scenario: ScenarioKey { uri: "features/tier0/G0.1-block.feature".to_owned(), line: 5 },
        assertion: assertion.to_owned(),
        subject: "refs/heads/main".to_owned(),
    }
}

/// A release in which each Tier-0 goal has a saboteur, and all were noticed.
fn honest() -> World {
    let mut world = World::honest();
    world.profile = ProfileName::Release;
    for (goal, name) in world.goals.iter_mut().zip(NAMES) {
        *goal = goal.replace("saboteurs: []", &format!("saboteurs: [{name}]"));
    }
    (world.links, world.denominator) = Default::default();
    world.review_all();
    let trials = (1..).zip(NAMES).map(|(number, name)| Trial {
        goal: format!("G0.{number}").parse().unwrap(),
        saboteur: name.to_owned(),
        outcome: TrialOutcome::Killed,
        scenarios: 2,
        noticed: vec![noticed("git.branch_unmoved")],
        remarks: Vec::new(),
    });
    world.sabotage = Some(Sabotage {
        schema_version: SCHEMA_VERSION,
        tree: Some(TREE.to_owned()),
        source_digest: Some("s1".to_owned()),
        binary_digest: "d2".to_owned(),
        partial: Vec::new(),
        known: NAMES.map(str::to_owned).to_vec(),
        trials: trials.collect(),
    });
    world
}

fn verdict(evaluation: &Evaluation) -> (Verdict, String) {
    verdict_of(Gate::Saboteurs, evaluation)
}

fn row(matrix: &Matrix, goal: &str) -> (Status, String) {
    let row = matrix.row(goal.parse().unwrap()).unwrap();
    (row.status, row.reasons.join("\n"))
}

#[test]
fn an_honest_kill_matrix_is_green_and_shows_who_noticed() {
    let (matrix, evaluation) = honest().judge().unwrap();
    assert_eq!(
        verdict(&evaluation),
        (Verdict::Green, "All 3 saboteurs are noticed on an assertion that their goal declares.".to_owned())
    );
    assert_eq!(row(&matrix, "G0.1").0, Status::Verified);
    let marks = &matrix.row("G0.1".parse().unwrap()).unwrap().saboteurs;
    assert_eq!(marks[0].noticed_by, ["git.branch_unmoved"]);
}

/// What is bent, and a part of the reason that the gate has to give.
type Lie = (&'static str, fn(&mut Sabotage), &'static str);

const LIES: [Lie; 14] = [
    (
        "a survivor",
        |s| s.trials[0].outcome = TrialOutcome::Survived,
        "G0.1: the saboteur ignore-budget survived",
    ),
    (
        "one that was not tried",
        |s| drop(s.trials.remove(1)),
        "G0.2: the saboteur ignore-validator was not tried",
    ),
    ("a kill that nothing noticed", |s| s.trials[0].noticed.clear(), "is said to be killed"),
    (
        "a kill on what the goal does not declare",
        |s| s.trials[0].noticed = vec![noticed("exit.exit_code")],
        "is said to be killed",
    ),
    ("a kill by no scenario", |s| s.trials[0].scenarios = 0, "is said to be killed"),
    ("nothing tried at all", |s| s.trials.clear(), "No saboteur was noticed at all"),
    ("other sources", |s| s.source_digest = Some("s0".to_owned()), "other sources"),
    ("another tree", |s| s.tree = Some("0".repeat(40)), "other sources"),
    ("no tree", |s| s.tree = None, "cannot be bound"),
    ("no digest of the sources", |s| s.source_digest = None, "cannot be bound"),
    ("a part", |s| s.partial.push("Only saboteurs of G0.1 were tried.".to_owned()), "Only saboteurs of G0.1"),
    ("a name in no goal", |s| s.known.push("idle".to_owned()), "the saboteur idle, and no goal declares it"),
    ("a name that the program lacks", |s| drop(s.known.remove(0)), "which the program does not know"),
    (
        "one that was tried until it was noticed",
        |s| {
            let mut again = s.trials[0].clone();
            again.outcome = TrialOutcome::Survived;
            s.trials.insert(0, again);
        },
        "tried more than once",
    ),
];

#[test]
fn a_dishonest_kill_matrix_is_red_for_its_reason() {
    for (name, bend, reason) in LIES {
        let mut world = honest();
        bend(world.sabotage.as_mut().unwrap());
        let (_, evaluation) = world.judge().unwrap();
        let (found, reasons) = verdict(&evaluation);
        assert!(found == Verdict::Red && reasons.contains(reason), "{name}: {found}: {reasons}");
    }
}

#[test]
fn a_tier_0_goal_without_a_saboteur_and_a_trial_of_another_goal_are_red() {
    let mut world = honest();
    world.goals[0] = world.goals[0].replace("saboteurs: [ignore-budget]", "saboteurs: []");
    (world.links, world.denominator) = Default::default();
    world.review_all();
    let (matrix, evaluation) = world.judge().unwrap();
    let (found, reasons) = verdict(&evaluation);
    assert_eq!(found, Verdict::Red);
    assert!(reasons.contains("G0.1 is a Tier-0 goal without a saboteur"), "{reasons}");
    assert!(reasons.contains("G0.1 does not declare the saboteur ignore-budget that was tried"), "{reasons}");
    assert_eq!(row(&matrix, "G0.1").0, Status::Weak);
}

#[test]
fn a_survivor_makes_its_goal_weak_where_the_profile_asks_and_nowhere_else() {
    let mut world = honest();
    world.sabotage.as_mut().unwrap().trials[0].outcome = TrialOutcome::Survived;
    let (matrix, _) = world.judge().unwrap();
    let (status, reasons) = row(&matrix, "G0.1");
    assert_eq!(status, Status::Weak);
    assert!(reasons.contains("The saboteur ignore-budget survived."), "{reasons}");
    assert_eq!(row(&matrix, "G0.2").0, Status::Verified);

    world.profile = ProfileName::Local;
    let (matrix, evaluation) = world.judge().unwrap();
    assert_eq!(row(&matrix, "G0.1").0, Status::Verified);
    assert_eq!(verdict(&evaluation), (Verdict::NotRequired, "Profile local does not require it.".to_owned()));
}

/// A trial of the saboteur of G0.1, whose first scenario came out like this under it.
fn tried(change: impl Fn(&mut World)) -> Trial {
    let world = honest();
    let mut sabotaged = world.clone();
    change(&mut sabotaged);
    sabotaged.run.success = sabotaged.ran[0].attempts == ["PASSED"];
    let read = |world: &World| Results::read(&world.messages()).unwrap();
    let registry = world.registry();
    trial(registry.goal("G0.1".parse().unwrap()).unwrap(), "ignore-budget", &read(&world), &read(&sabotaged))
}

#[test]
fn only_a_declared_assertion_that_does_not_hold_in_a_then_kills() {
    let fails = |assertion: usize| {
        move |world: &mut World| {
            world.ran[0].attempts = vec!["FAILED"];
            world.ran[0].assertions[assertion].3 = false;
        }
    };
    for (assertion, name) in [(0, "git.branch_unmoved"), (1, "event.present")] {
        let killed = tried(fails(assertion));
        assert_eq!(killed.outcome, TrialOutcome::Killed, "{name}");
        assert_eq!((killed.scenarios, killed.noticed.len()), (2, 1));
        assert_eq!(killed.noticed[0].assertion, name);
    }

    let by_another = tried(|world| {
        fails(0)(world);
        world.ran[0].assertions[0].1 = "something_else";
    });
    assert_eq!(by_another.outcome, TrialOutcome::Survived);
    let at = format!("failed on nothing that the goal declares: at \"Then {}\".", honest().ran[0].then);
    assert!(by_another.remarks[0].contains(&at), "{by_another:?}");

    // The name of what must not happen, as a claim that it did.
    let by_a_positive = tried(|world| {
        fails(0)(world);
        world.ran[0].assertions[0].2 = "must";
    });
    assert_eq!(by_a_positive.outcome, TrialOutcome::Survived);

    let by_failing_alone = tried(|world| world.ran[0].attempts = vec!["FAILED"]);
    assert_eq!(by_failing_alone.outcome, TrialOutcome::Survived);
    let by_hanging = tried(|world| world.ran[0].attempts = vec!["UNKNOWN"]);
    assert_eq!(by_hanging.outcome, TrialOutcome::Survived);
    assert!(by_hanging.remarks[0].contains("was unknown"), "{by_hanging:?}");
    // What was seen before it hung is no judgement.
    let by_hanging_in_its_then = tried(|world| {
        fails(0)(world);
        world.ran[0].attempts = vec!["UNKNOWN"];
    });
    assert_eq!(by_hanging_in_its_then.outcome, TrialOutcome::Survived);
    assert_eq!(tried(|_| ()).outcome, TrialOutcome::Survived);
}

#[test]
fn a_scenario_that_does_not_pass_without_a_saboteur_kills_none() {
    let mut world = honest();
    world.ran[0].attempts = vec!["FAILED"];
    world.ran[0].assertions[0].3 = false;
    world.run.success = false;
    let results = Results::read(&world.messages()).unwrap();
    let registry = world.registry();
    let trial = trial(registry.goal("G0.1".parse().unwrap()).unwrap(), "ignore-budget", &results, &results);
    assert_eq!((trial.outcome, trial.scenarios), (TrialOutcome::Survived, 1));
    assert!(trial.remarks[0].contains("does not pass without a saboteur"), "{trial:?}");
}
