//! The gate `flake` and the status *flaky*, against honest and dishonest histories.

use mycelium_schemas::{
    flake::{Execution, Rating, RunKind},
    goal::gates::ProfileName,
    matrix::{Status, StepStatus},
    verdict::{Gate, GateVerdict, Verdict},
};
use mycelium_traceability::flake::{infrastructure, mark};

use crate::support::{World, execution, goal};

const LANES: [&str; 2] = ["mock", "docker"];

/// A world in which every scenario runs in both lanes, for the profile that counts flakes.
fn world() -> World {
    let mut world = World::honest();
    for index in 0..world.features.len() {
        world.scenario(index, |scenario| scenario.tags.push("@docker".to_owned()));
    }
    world.links.clear();
    world.review_all();
    world.profile = ProfileName::Ci;
    world
}

/// So many runs of all scenarios in both lanes, all clean.
pub(crate) fn clean(world: &World, runs: usize) -> Vec<Execution> {
    let catalogue = world.catalogue();
    let mut executions = Vec::new();
    for (number, lane) in (0..runs).flat_map(|number| LANES.map(|lane| (number, lane))) {
        let run = format!("run-{number}");
        executions.extend(catalogue.iter().map(|spec| execution(spec, &run, lane, number as u64)));
    }
    executions
}

pub(crate) fn fail(execution: &mut Execution) {
    execution.outcome = StepStatus::Failed;
    execution.failure = Some(mark("Then it holds", "expected 1, found 2"));
}

fn verdict(world: &World) -> GateVerdict {
    let (_, evaluation) = world.judge().unwrap();
    evaluation.verdicts.into_iter().find(|verdict| verdict.gate == Gate::Flake).unwrap()
}

#[test]
fn ten_clean_runs_in_each_lane_are_green_with_the_bound_that_they_prove() {
    let mut world = world();
    world.history = clean(&world, 10);
    let found = verdict(&world);
    assert_eq!(found.verdict, Verdict::Green, "{:?}", found.reasons);
    for part in [
        "mock: 10 clean runs bound the rate at which a run fails at 25.9 %",
        "docker: 10 clean runs",
        "0 failures in 80 executions bound the mean rate of the 8 scenarios at 3.68 %",
        "nothing of a single one",
    ] {
        assert!(found.reasons[0].contains(part), "no {part:?} in {:?}", found.reasons);
    }
}

#[test]
fn a_profile_that_does_not_ask_for_it_says_so_and_no_more() {
    let mut world = world();
    world.profile = ProfileName::Local;
    assert_eq!(verdict(&world).verdict, Verdict::NotRequired);
}

/// A dishonest history, and what the gate says about it.
type Lie = (&'static str, fn(&mut World), &'static str);

#[test]
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn every_dishonest_history_turns_the_gate_red() {
    let lies: [Lie; 15] = [
        ("no history", |w| w.history.clear(), "Nothing counted how often"),
        (
            "the history of another tree",
            |w| w.history.iter_mut().for_each(|e| e.tree = Some("1".repeat(40))),
            "160 lines of the history are about another tree",
        ),
        (
            "the history of no tree",
            |w| {
                w.history.iter_mut().for_each(|e| e.tree = None);
                w.subject.tree = None;
                w.run.tree = None;
            },
            "Nothing counted",
        ),
        (
            "the history of another program",
            |w| w.history.iter_mut().for_each(|e| e.binary_digest = "d2".to_owned()),
            "Nothing counted",
        ),
        (
            "the history of other texts",
            |w| w.history.iter_mut().for_each(|e| e.fingerprint = "f".repeat(64)),
            "Nothing counted",
        ),
        (
            "the history of a dirty tree",
            |w| w.history.iter_mut().for_each(|e| e.dirty = true),
            "Nothing counted",
        ),
        (
            "a clean history, and a dirty tree now",
            |w| {
                w.subject.dirty = true;
                w.run.dirty = true;
            },
            "Nothing counted",
        ),
        (
            "nine runs",
            |w| w.history.retain(|e| e.run != "run-4"),
            "mock: 9 clean runs of all 8 scenarios, 10 are required.",
        ),
        (
            "one run written down ten times",
            |w| w.history.iter_mut().for_each(|e| e.run = "run-0".to_owned()),
            "mock: 1 clean runs",
        ),
        (
            "ten runs of which one left a scenario out",
            |w| {
                w.history.remove(3);
            },
            "mock: 9 clean runs of all 8 scenarios, 10 are required; 1 more were not whole.",
        ),
        (
            "a scenario that was always skipped",
            |w| w.history.iter_mut().step_by(8).for_each(|e| e.outcome = StepStatus::Skipped),
            "mock: 0 clean runs",
        ),
        ("a lane that never ran", |w| w.history.retain(|e| e.lane == "mock"), "docker: 0 clean runs"),
        (
            "a failure among many clean runs",
            |w| {
                w.history = clean(w, 30);
                fail(&mut w.history[100]);
            },
            "mock: run run-6 (seed 6, jobs=1,folder=plain,tz=UTC,locale=C,umask=022) was not clean: features/",
        ),
        (
            "a failure that was tried again until it passed",
            |w| {
                let mut again = w.history[0].clone();
                fail(&mut again);
                w.history.insert(0, again);
            },
            "mock: run run-0 (seed 0",
        ),
        (
            "a run in which every scenario passed and a process was left",
            |w| w.history[9].flaws.push("a process was left".to_owned()),
            "was not clean: a process was left",
        ),
    ];
    for (name, tell, reason) in lies {
        let mut world = world();
        world.history = clean(&world, 10);
        tell(&mut world);
        let found = verdict(&world);
        assert_eq!(found.verdict, Verdict::Red, "{name}: {:?}", found.reasons);
        assert!(found.reasons.iter().any(|found| found.contains(reason)), "{name}: {:?}", found.reasons);
        assert!(found.mend.is_some(), "{name}");
    }
}

#[test]
fn a_required_lane_in_which_no_scenario_runs_is_red() {
    let mut world = World::honest();
    world.profile = ProfileName::Ci;
    world.history = clean(&world, 10);
    let found = verdict(&world);
    let says = |lane: &str| found.reasons.iter().any(|reason| reason.starts_with(lane));
    assert!(says("docker: no scenario runs in it") && !says("mock"), "{:?}", found.reasons);
}

#[test]
fn a_goal_whose_scenario_failed_and_passed_is_flaky_whatever_this_run_says() {
    let mut world = World::honest();
    world.history = clean(&world, 10);
    fail(&mut world.history[0]);
    let (matrix, _) = world.judge().unwrap();
    let row = matrix.row("G0.1".parse().unwrap()).unwrap();
    assert_eq!(row.status, Status::Flaky, "{:?}", row.reasons);
    assert!(row.reasons[0].contains("failed 1 of 10 times in mock"), "{:?}", row.reasons);
    let others = matrix.rows.iter().filter(|row| row.status != Status::Verified);
    assert_eq!(others.count(), 1);
    // Of another tree it says nothing.
    world.history.iter_mut().for_each(|execution| execution.tree = Some("1".repeat(40)));
    let (matrix, _) = world.judge().unwrap();
    assert!(matrix.rows.iter().all(|row| row.status == Status::Verified));
}

#[test]
fn a_failure_of_what_has_passed_before_is_a_flake_and_one_of_what_never_did_a_failure() {
    let mut world = World::honest();
    world.ran[0].attempts = vec!["FAILED"];
    world.run.success = false;
    world.history = clean(&world, 10);
    world.history.retain(|execution| execution.lane == "mock");
    let status = |world: &World| {
        let (matrix, _) = world.judge().unwrap();
        matrix.row("G0.1".parse().unwrap()).unwrap().status
    };
    assert_eq!(status(&world), Status::Flaky);
    let key = world.history[0].scenario.clone();
    world.history.iter_mut().filter(|execution| execution.scenario == key).for_each(fail);
    let (matrix, _) = world.judge().unwrap();
    let row = matrix.row("G0.1".parse().unwrap()).unwrap();
    assert_eq!(row.status, Status::Failing);
    for reason in ["failed in mock", "failed each of 10 times in mock when it was run again"] {
        assert!(row.reasons.iter().any(|found| found.contains(reason)), "no {reason:?} in {:?}", row.reasons);
    }
    // A history of failures alone, beside a run that passed: it is one of the two.
    world.ran[0].attempts = vec!["PASSED"];
    world.run.success = true;
    assert_eq!(status(&world), Status::Flaky);
}

#[test]
fn what_was_skipped_is_neither_a_pass_nor_a_failure() {
    let mut world = World::honest();
    world.history = clean(&world, 10);
    let key = world.history[0].scenario.clone();
    let of_first = world.history.iter_mut().filter(|execution| execution.scenario == key);
    of_first.for_each(|execution| execution.outcome = StepStatus::Skipped);
    let (matrix, _) = world.judge().unwrap();
    assert_eq!(matrix.flakes.of(&key), (0, 0));
    assert_eq!(matrix.row("G0.1".parse().unwrap()).unwrap().status, Status::Verified);
}

#[test]
fn failures_are_counted_by_scenario_and_told_by_their_cause() {
    let mut world = World::honest();
    world.history = clean(&world, 10);
    // Three scenarios of one run fail of one cause, and one of another run of another one.
    world.history[..3].iter_mut().for_each(fail);
    world.history[16].outcome = StepStatus::Failed;
    world.history[16].failure = Some(mark("Then it holds", "something else"));
    let (matrix, _) = world.judge().unwrap();
    let flakes = &matrix.flakes;
    let counts: Vec<(u64, u64)> = flakes.clusters.iter().map(|c| (c.incidents, c.failures)).collect();
    assert_eq!(counts, [(1, 3), (1, 1)]);
    assert_eq!(flakes.clusters[0].scenarios.len(), 3);
    let first = &flakes.scenarios[0];
    assert_eq!(first.n, 10);
    assert_eq!(flakes.scenarios.iter().map(|scenario| scenario.failed).sum::<u64>(), 4);
    assert!(flakes.scenarios.iter().all(|scenario| scenario.rating == Rating::D));
}

#[test]
fn a_run_in_which_nearly_all_fail_is_listed_and_not_counted() {
    let mut world = World::honest();
    // Ten scenarios: below that, nearly all is too few to say so.
    let extra = [("G0.1", 30), ("G0.2", 30)].map(|(goal, line)| {
        let mut scenario = crate::support::Fixture::new(goal, line, "One more");
        scenario.assertions.truncate(1);
        scenario
    });
    world.features.extend(extra.clone());
    world.ran.extend(extra);
    world.profile = ProfileName::Ci;
    world.history = clean(&world, 11);
    world.history.retain(|execution| execution.lane == "mock");
    world.history[..9].iter_mut().for_each(fail);
    let (matrix, evaluation) = world.judge().unwrap();
    assert!(matrix.flakes.scenarios.iter().all(|scenario| (scenario.n, scenario.failed) == (10, 0)));
    assert!(matrix.flakes.clusters.is_empty());
    let session: Vec<&Execution> = world.history.iter().collect();
    assert_eq!(infrastructure(&session), ["run-0"]);
    let found = evaluation.verdicts.into_iter().find(|verdict| verdict.gate == Gate::Flake).unwrap();
    assert!(!found.reasons.iter().any(|reason| reason.starts_with("mock")), "{:?}", found.reasons);
    assert_eq!(matrix.flakes.lanes[0].runs[0].kind, RunKind::Infrastructure);
    // Eight of ten are no more than 80 %: they count.
    let healed = world.history[0].outcome;
    assert_eq!(healed, StepStatus::Failed);
    world.history[0].outcome = StepStatus::Passed;
    let (matrix, _) = world.judge().unwrap();
    assert_eq!(matrix.flakes.scenarios.iter().map(|scenario| scenario.failed).sum::<u64>(), 8);
}

#[test]
fn a_green_gate_says_which_failures_are_excused_and_counts_them() {
    let mut world = world();
    world.quarantine = world.quarantine_entry("G1.1", "2026-02-01");
    world.history = clean(&world, 10);
    let of_goal = |execution: &&mut Execution| {
        execution.scenario.uri.contains("G1.1-") && execution.scenario.line == 5 && execution.lane == "mock"
    };
    world.history.iter_mut().filter(of_goal).take(2).for_each(fail);
    let found = verdict(&world);
    assert_eq!(found.verdict, Verdict::Green, "{:?}", found.reasons);
    for part in [
        "mock: 10 clean runs bound",
        "2 failures in 80 executions bound",
        " 2 failures of scenarios in quarantine are excused. docker: 10 clean runs",
    ] {
        assert!(found.reasons[0].contains(part), "no {part:?} in {:?}", found.reasons);
    }
    assert_eq!(found.reasons[0].matches("excused").count(), 1, "{:?}", found.reasons);
}

#[test]
fn what_is_in_quarantine_for_one_of_its_goals_is_excused_for_that_one_alone() {
    let mut world = world();
    let second = goal("G1.3", "task.rescope");
    world.goals.push(second);
    for index in [6, 7] {
        world.scenario(index, |scenario| scenario.tags.push("@G1.3".to_owned()));
    }
    world.review_again();
    let entry = |world: &World, goal: &str| world.quarantine_entry(goal, "2026-02-01");
    world.quarantine = entry(&world, "G1.1");
    world.history = clean(&world, 10);
    let of_both = |execution: &&mut Execution| {
        execution.scenario.uri.contains("G1.1-") && execution.scenario.line == 5 && execution.lane == "mock"
    };
    world.history.iter_mut().filter(of_both).take(1).for_each(fail);
    let found = verdict(&world);
    assert_eq!(found.verdict, Verdict::Red, "{:?}", found.reasons);
    assert!(found.reasons[0].contains("was not clean"), "{:?}", found.reasons);
    world.quarantine += &entry(&world, "G1.3");
    assert_eq!(verdict(&world).verdict, Verdict::Green);
}

#[test]
fn a_green_gate_names_the_runs_that_it_did_not_count() {
    let mut world = world();
    // Ten scenarios: below that, nearly all is too few to say so.
    let extra = [("G0.1", 30), ("G0.2", 30)].map(|(goal, line)| {
        let mut scenario = crate::support::Fixture::new(goal, line, "One more");
        scenario.tags.push("@docker".to_owned());
        scenario
    });
    world.features.extend(extra.clone());
    world.ran.extend(extra);
    world.history = clean(&world, 11);
    let in_docker = world.history.iter_mut().filter(|execution| execution.lane == "docker");
    in_docker.for_each(|execution| execution.run.push_str("-docker"));
    world.history[..9].iter_mut().for_each(fail);
    let found = verdict(&world);
    assert_eq!(found.verdict, Verdict::Green, "{:?}", found.reasons);
    let said = " Not counted, because nearly all failed at once: run-0. docker: 11 clean runs";
    assert!(found.reasons[0].contains(said), "{:?}", found.reasons);
    assert_eq!(found.reasons[0].matches("Not counted").count(), 1, "{:?}", found.reasons);
}
