//! The lane of containers on a machine that has no engine, and the results of both lanes made one.

use std::fs;

use serde_json::Value;

use crate::checkout::{Answer, Checkout};

/// Where no engine listens.
const NOWHERE: &str = "unix:///nowhere/docker.sock";

fn checkout() -> Checkout {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.change("@mock", "@mock @docker");
    checkout
}

fn in_containers(checkout: &Checkout, required: bool) -> Answer {
    let mut command = checkout.command("run --world docker --bin program --out docker --json");
    command.env("DOCKER_HOST", NOWHERE).env_remove("RUN_DOCKER_TESTS");
    if required {
        command.env("RUN_DOCKER_TESTS", "1");
    }
    Answer::new(&command.output().unwrap())
}

#[test]
fn without_an_engine_scenarios_are_not_run_and_never_passed() {
    let checkout = checkout();
    let answer = in_containers(&checkout, false);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(answer.causes(), ["scenarios_not_run"]);
    assert_eq!(answer.json()["scenarios"][0]["status"], "not run", "{answer:?}");
}

#[test]
fn where_they_are_asked_for_that_is_a_failure() {
    let checkout = checkout();
    let answer = in_containers(&checkout, true);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(answer.causes(), ["scenarios_failed"]);
    assert!(answer.err.contains("RUN_DOCKER_TESTS=1"), "{answer:?}");
    // What is told to see it again is told for this lane.
    let rerun = &answer.json()["scenarios"][0]["failure"]["rerun"];
    assert!(rerun.as_str().unwrap().contains(" --world docker --seed "), "{rerun}");
}

#[test]
fn what_runs_again_and_again_in_containers_is_counted_there() {
    let checkout = checkout();
    let mut command = checkout.command("flake --world docker --repeat 1 --bin program --json");
    command.env("DOCKER_HOST", NOWHERE).env("RUN_DOCKER_TESTS", "1");
    let answer = Answer::new(&command.output().unwrap());
    assert_eq!(answer.code, Some(1), "{answer:?}");
    let history = fs::read_to_string(checkout.path("target/flake-history.jsonl")).unwrap();
    let executions: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(executions.len(), 1);
    assert_eq!((&executions[0]["lane"], &executions[0]["outcome"]), (&"docker".into(), &"failed".into()));
    let again = &answer.json()["first_failure"]["again"];
    assert!(again.as_str().unwrap().contains(" --world docker --repeat 1 "), "{again}");
}

#[test]
fn the_results_of_both_lanes_become_one_matrix_that_shows_each() {
    let checkout = checkout();
    in_containers(&checkout, false);
    let mock = checkout.accept("run --bin program --out mock");
    assert_eq!(mock.code, Some(0), "{mock:?}");
    let merged = checkout.accept("merge mock docker --out both");
    assert_eq!(merged.code, Some(0), "{merged:?}");
    let matrix: Value =
        serde_json::from_str(&fs::read_to_string(checkout.path("both/matrix.json")).unwrap()).unwrap();
    let lanes = matrix["scenarios"][0]["lanes"].as_array().unwrap();
    let outcomes: Vec<(&str, &str)> = lanes
        .iter()
        .map(|lane| (lane["lane"].as_str().unwrap(), lane["attempts"][0]["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes, [("docker", "skipped"), ("mock", "passed")], "{matrix:#}");
}
