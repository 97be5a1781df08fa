//! The gates, tested by lying to them: every dishonest input is red, for the right reason; the honest one is green.

use mycelium_schemas::{
    goal::gates::ProfileName,
    matrix::{Link, Status},
    verdict::{Gate, Outcome, Verdict},
};
use serde_json::Value;

use crate::{
    lies::{RED, lies, twice_unmoved, witnessed_by},
    support::{Fixture, World, goal},
};

#[test]
fn the_honest_world_is_green_in_every_gate_that_local_requires() {
    let (matrix, evaluation) = World::honest().judge().unwrap();
    for row in &matrix.rows {
        assert_eq!(row.status, Status::Verified, "{}: {:#?}", row.goal, row.reasons);
    }
    for verdict in &evaluation.verdicts {
        assert_ne!(verdict.verdict, Verdict::Red, "{verdict:#?}");
        assert_eq!(verdict.profile, "local");
        assert!(!verdict.reasons.is_empty());
    }
    assert_eq!((evaluation.outcome, evaluation.outcome.code()), (Outcome::Green, 0));
}

#[test]
fn a_clean_tree_binds_results_by_itself() {
    let mut world = World::honest();
    (world.run.source_digest, world.subject.source_digest) = (None, None);
    let (_, evaluation) = world.judge().unwrap();
    assert_eq!(evaluation.outcome, Outcome::Green, "{:#?}", evaluation.verdicts);
}

#[test]
fn what_ci_asks_for_beyond_that_is_green_where_it_is_proved() {
    let (matrix, evaluation) = World::of_ci().judge().unwrap();
    assert!(matrix.rows.iter().all(|row| row.status == Status::Verified), "{:#?}", matrix.rows);
    for gate in [Gate::ResumeCorrectness, Gate::ArtifactSchema] {
        let verdict = evaluation.verdicts.iter().find(|verdict| verdict.gate == gate).unwrap();
        assert_eq!(verdict.verdict, Verdict::Green, "{verdict:#?}");
    }
}

#[test]
fn nobody_misses_the_artifacts_of_what_was_not_run() {
    let mut world = World::of_ci();
    world.ran[2].attempts = vec!["SKIPPED"];
    world.ran[2].assertions.clear();
    let (matrix, evaluation) = world.judge().unwrap();
    let verdict = evaluation.verdicts.iter().find(|verdict| verdict.gate == Gate::ArtifactSchema).unwrap();
    assert_eq!(verdict.verdict, Verdict::Green, "{verdict:#?}");
    assert!(matrix.rows.iter().any(|row| row.status == Status::NotRun), "{:#?}", matrix.rows);
}

#[test]
fn every_lie_is_red_for_the_right_reason() {
    let mut undetected = Vec::new();
    for lie in lies() {
        let mut world = World::honest();
        (lie.tell)(&mut world);
        let (matrix, evaluation) =
            world.judge().unwrap_or_else(|problems| panic!("{}: {problems:#?}", lie.name));
        let verdict = evaluation.verdicts.iter().find(|verdict| verdict.gate == lie.gate).unwrap();
        if evaluation.outcome != lie.outcome {
            undetected.push(format!("{}: outcome {:?}", lie.name, evaluation.outcome));
        }
        let named = verdict.reasons.iter().any(|reason| reason.contains(lie.reason));
        if verdict.verdict != Verdict::Red || verdict.mend.is_none() || !named {
            undetected.push(format!("{}: {verdict:#?}", lie.name));
        }
        if let Some((goal, status, reason)) = lie.row {
            let row = matrix.row(goal.parse().unwrap()).unwrap();
            if row.status != status || !row.reasons.iter().any(|found| found.contains(reason)) {
                undetected.push(format!("{}: {} is {}: {:#?}", lie.name, row.goal, row.status, row.reasons));
            }
        }
    }
    assert!(undetected.is_empty(), "{}", undetected.join("\n"));
}

#[test]
fn a_witness_may_be_what_one_of_the_goals_own_events_says_or_where_it_stands() {
    for (check, subject) in [
        ("payload", "what a budget.block event says"),
        ("order", "the order of run.start, budget.block"),
        ("present", "budget.block task 001"),
        ("count", "budget.block events"),
    ] {
        let mut world = World::honest();
        witnessed_by(&mut world, check, subject);
        let (matrix, evaluation) = world.judge().unwrap();
        assert_eq!(evaluation.outcome, Outcome::Green, "{subject}: {:?}", matrix.rows[0].reasons);
    }
}

#[test]
fn a_control_twin_below_tier_0_may_show_what_does_not_happen() {
    let mut world = World::honest();
    world.goals[3] = world.goals[3].replace("git.branch_moved", "event.absent");
    world.review_again();
    assert_eq!(world.judge().unwrap().1.outcome, Outcome::Green);
}

#[test]
fn two_claims_with_one_assertion_are_proved_in_two_scenarios_or_about_two_things() {
    let mut world = World::honest();
    twice_unmoved(&mut world);
    let other = Fixture::new("G0.1", 30, "Another block keeps work away");
    world.features.push(other.clone());
    world.ran.push(other);
    world.review_again();
    let (matrix, evaluation) = world.judge().unwrap();
    assert_eq!(evaluation.outcome, Outcome::Green, "{:?}", matrix.rows[0].reasons);
    let mut world = World::honest();
    twice_unmoved(&mut world);
    // The same assertion again in the same step, about another branch.
    world.ran[0].assertions.push(("git", "branch_unmoved", "must_not", true));
    world.review_again();
    world.edit = |messages| {
        let of_first = |message: &&mut Value| {
            let body = message["attachment"]["body"].as_str().unwrap_or_default();
            let step = message["attachment"]["testStepId"].as_str().unwrap_or_default();
            body.contains("branch_unmoved") && step.ends_with("G0.1-block.feature:5")
        };
        let last = messages.iter_mut().filter(of_first).last().unwrap();
        let body = last["attachment"]["body"].as_str().unwrap().replace("refs/heads/main", "refs/heads/next");
        last["attachment"]["body"] = Value::from(body);
    };
    let (matrix, evaluation) = world.judge().unwrap();
    assert_eq!(evaluation.outcome, Outcome::Green, "{:?}", matrix.rows[0].reasons);
}

#[test]
fn a_lie_about_one_goal_leaves_the_other_goals_verified() {
    let mut world = World::honest();
    world.ran[0].attempts = vec!["FAILED"];
    world.run.success = false;
    let (matrix, _) = world.judge().unwrap();
    let verified = matrix.rows.iter().filter(|row| row.status == Status::Verified).count();
    assert_eq!(verified, 3);
}

#[test]
fn what_runs_in_a_lane_that_is_not_asked_for_is_not_said_to_have_passed() {
    let mut world = World::honest();
    world.goals[0] = world.goals[0].replace("lanes: [mock]", "lanes: [mock, docker]");
    let mut contained = crate::support::Fixture::new("G0.1", 40, "A block keeps work away from containers");
    contained.tags.retain(|tag| tag != "@mock");
    contained.tags.push("@docker".to_owned());
    contained.attempts.clear();
    world.features.push(contained.clone());
    world.ran.push(contained);
    (world.links, world.denominator) = Default::default();
    world.review_all();
    let (matrix, _) = world.judge().unwrap();
    let row = matrix.row("G0.1".parse().unwrap()).unwrap();
    assert_eq!(row.status, Status::Verified, "{:?}", row.reasons);
    assert!(
        row.reasons[0].starts_with("All 2 scenarios, a control twin among them, passed"),
        "{:?}",
        row.reasons
    );
}

#[test]
fn without_results_nothing_can_be_judged() {
    let (matrix, evaluation) = World::honest().judge_results(None);
    assert_eq!(evaluation.outcome.code(), 2);
    assert!(matrix.rows.iter().all(|row| row.status == Status::NotRun));
}

#[test]
fn a_matrix_of_one_profile_cannot_be_judged_by_another() {
    let world = World::honest();
    let (mut matrix, _) = world.judge().unwrap();
    matrix.profile = "release".to_owned();
    let rules = world.registry().rules;
    let evaluation = mycelium_traceability::evaluate(&matrix, &rules, ProfileName::Local);
    assert_eq!(evaluation.outcome, Outcome::BadInput);
}

#[test]
fn tier_1_needs_four_of_five_and_nothing_is_rounded_up() {
    for (total, broken, outcome) in
        [(5, 1, Outcome::Green), (5, 2, RED), (4, 1, RED), (9, 2, RED), (10, 2, Outcome::Green)]
    {
        let mut world = World::honest();
        for number in 2..=total {
            let id = format!("G1.{number}");
            world.goals.push(goal(&id, "run.complete"));
            for fixture in [Fixture::new(&id, 5, "A block keeps work away"), Fixture::control(&id, 12)] {
                world.features.push(fixture.clone());
                world.ran.push(fixture);
            }
        }
        world.backlog.clear();
        world.links.clear();
        world.review_all();
        // The scenarios of G1.1 begin at 6, two for each goal.
        for goal in 0..broken {
            world.ran[6 + 2 * goal].attempts = vec!["FAILED"];
        }
        world.run.success = broken == 0;
        let (_, evaluation) = world.judge().unwrap();
        assert_eq!(evaluation.outcome, outcome, "{broken} of {total} broken");
    }
}

#[test]
fn a_row_that_is_not_verified_says_why() {
    for lie in lies() {
        let mut world = World::honest();
        (lie.tell)(&mut world);
        let (matrix, _) = world.judge().unwrap();
        assert!(matrix.rows.iter().all(|row| !row.reasons.is_empty()), "{}", lie.name);
    }
}

#[test]
fn moving_a_scenario_or_folding_a_goal_needs_no_new_review() {
    let mut world = World::honest();
    world.scenario(0, |scenario| scenario.line = 6);
    world.goals[0] = world.goals[0]
        .replace("owner: orchestrator", "owner: somebody")
        .replace("This is what I expect", "This is\n  what I   expect");
    let (_, evaluation) = world.judge().unwrap();
    assert_eq!(evaluation.outcome, Outcome::Green, "{evaluation:#?}");
}

#[test]
fn what_is_not_proved_is_not_shown_as_proved() {
    let bend: [fn(&mut World); 5] = [
        |world| {
            world.run.success = false;
            world.edit = |messages| {
                let first = messages.iter_mut().find(|message| message.get("testStepFinished").is_some());
                first.unwrap()["testStepFinished"]["testStepResult"]["status"] = "FAILED".into();
            };
        },
        |world| {
            world.ran[0].attempts = vec!["FAILED"];
            world.run.success = false;
        },
        |world| world.ran[0].attempts = vec!["FAILED", "PASSED"],
        |world| world.ran[0].assertions[0].3 = false,
        |world| world.goals[0] = world.goals[0].replace("[mock]", "[docker]"),
    ];
    for (number, bend) in bend.into_iter().enumerate() {
        let mut world = World::honest();
        bend(&mut world);
        let (matrix, _) = world.judge().unwrap();
        assert!(!matrix.rows[0].must_not[0].executed, "case {number}");
        assert!(matrix.rows[1].must_not[0].executed, "case {number}");
    }
}

#[test]
fn a_lane_is_never_shown_as_passed_where_a_scenario_did_not_run() {
    let mut world = World::honest();
    world.ran[0].attempts.clear();
    world.goals[1] = world.goals[1].replace("[mock]", "[mock, docker]");
    let (matrix, _) = world.judge().unwrap();
    let lanes = |row: usize| -> Vec<String> {
        let cells = matrix.rows[row].lanes.iter();
        cells.map(|cell| format!("{} {} {}", cell.lane, cell.required, cell.result.name())).collect()
    };
    assert_eq!(lanes(0), ["mock true not-run"]);
    assert_eq!(lanes(1), ["mock true passed", "docker false not-run"]);
}

#[test]
fn every_part_of_a_promise_and_of_a_scenario_needs_a_new_review_when_it_changes() {
    let parts = [
        ("title: A block", "title: Block"),
        ("after budget.block nothing", "before budget.block nothing"),
        ("scope: [run]", "scope: [run, plan]"),
        ("config: [budgets.mode]", "config: []"),
        ("given: a limit", "given: a bound"),
        ("when: I run", "when: it runs"),
        ("then: nothing lands", "then: it lands"),
        ("state: [status is failed]", "state: []"),
        ("events: [budget.block]", "events: [budget.block, run.stop]"),
        ("git: [the branch has not moved]", "git: []"),
        ("The integration branch moves.", "The branch moves."),
        ("The block was logged.", "It was logged."),
        ("assertion: git.branch_moved", "assertion: git.moved"),
        ("lanes: [mock]", "lanes: [mock, docker]"),
        ("saboteurs: []", "saboteurs: [ignore-budget-block]"),
    ];
    for (old, new) in parts {
        let mut world = World::honest();
        assert!(world.goals[0].contains(old), "{old}");
        world.goals[0] = world.goals[0].replace(old, new);
        assert!(is_suspect(&world, 0), "{new}");
        assert!(!is_suspect(&world, 1), "{new}");
    }
    let changes: [fn(&mut Fixture); 4] = [
        |scenario| scenario.name = "renamed".to_owned(),
        |scenario| scenario.tags.push("@nightly".to_owned()),
        |scenario| scenario.then = "something else".to_owned(),
        |scenario| scenario.doc_string = Some("other"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut world = World::honest();
        world.scenario(0, change);
        assert!(is_suspect(&world, 0), "change {number}");
    }
}

fn is_suspect(world: &World, row: usize) -> bool {
    let (matrix, _) = world.judge().expect("the stream is whole");
    matches!(matrix.rows[row].link, Link::Suspect { .. })
}
