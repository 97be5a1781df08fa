//! `run` and `status`: outcome, output and exit code.

use std::fs;

use crate::{
    place::Place,
    plans::{ONE, TWO},
};

#[test]
fn a_run_lands_every_task_and_status_shows_it() {
    let mut place = Place::with_plan("", TWO);
    let before = place.head();
    let run = place.run(&["run", "--run-id", "r1"]).exits(0).complains(&[
        "run r1: 2 tasks from main",
        "task 001: passed its gates with 1 changed file",
        "001, 002 landed as",
        "every task landed",
    ]);
    assert_ne!(place.head(), before);
    assert_eq!(fs::read_to_string(place.repository.path().join("src/two.js")).unwrap(), "002\n");
    assert!(run.stdout.contains("001   landed         1       0  "), "{run:#?}");

    let status = place.run(&["status"]).exits(0);
    assert_eq!(status.stdout, run.stdout);
    let json = place.run(&["status", "--run-id", "r1", "--json"]).exits(0).json();
    assert_eq!((&json["status"], &json["head_commit"]), (&"complete".into(), &place.head().into()));
    for path in ["run_dir", "journal", "state", "config", "plan"] {
        let path = json["paths"][path].as_str().unwrap();
        assert!(fs::exists(path).unwrap(), "{path}");
    }
    place.run(&["run", "--run-id", "r1"]).exits(2).complains(&["the run r1 exists already"]);
}

#[test]
fn a_run_as_json_is_one_document_with_progress_beside_it() {
    let mut place = Place::with_plan("", TWO);
    let run = place.run(&["run", "--json", "--tasks", "002"]).exits(0).complains(&["task 002: starts"]);
    let json = run.json();
    assert_eq!((&json["status"], &json["tasks"]["002"]["status"]), (&"complete".into(), &"landed".into()));
    assert!(json["tasks"]["001"].is_null(), "{json}");
    place.run(&["run", "--tasks", "009"]).exits(2).complains(&["--tasks names 009, not planned"]);
}

#[test]
fn a_quiet_run_says_nothing_on_standard_error() {
    let mut place = Place::with_plan("", ONE);
    assert_eq!(place.run(&["run", "-q"]).exits(0).stderr, "");
}

#[test]
fn a_dry_run_shows_the_batches_and_leaves_no_trace() {
    let mut place = Place::with_plan("max_parallel: 1\n", TWO);
    let dry = place.run(&["run", "--dry-run"]).exits(0);
    assert_eq!(dry.stdout, "batch 1: 001\nbatch 2: 002\n");
    let wide = place.run(&["run", "--dry-run", "--max-parallel", "2", "--json"]).exits(0).json();
    assert_eq!(wide, serde_json::json!({ "batches": [["001", "002"]] }));
    assert!(!place.ran());
}

#[test]
fn a_blocked_run_exits_with_one_and_says_why() {
    let mut place = Place::with_plan("budgets: { max_tokens_per_task: 10 }\n", ONE);
    let before = place.head();
    place.sandbox.set("MOCK_CODEX_USAGE", r#"{"input_tokens": 100, "output_tokens": 5}"#);
    let run = place
        .run(&["run"])
        .exits(1)
        .complains(&["task 001: blocked by the budget: 105 tokens of 10", "next: "]);
    assert!(run.stdout.contains("failed (budget_block)"), "{run:#?}");
    assert_eq!(place.head(), before);
    assert_eq!(place.run(&["status", "--json"]).exits(0).json()["stop_reason"], "budget_block");
}

#[test]
fn an_agent_that_fails_is_a_failed_run() {
    let mut place = Place::with_plan("max_retries: 0\n", ONE);
    place.sandbox.set("MOCK_CODEX_USAGE", "nonsense");
    let run = place.run(&["run"]).exits(1).complains(&["task 001: failed"]);
    assert!(run.stdout.contains("failed (task_failed)"), "{run:#?}");
}

#[test]
fn the_latest_run_is_the_one_that_began_last_whatever_the_clock_said() {
    let mut place = Place::with_plan("", TWO);
    place.run(&["run", "--run-id", "older", "--tasks", "001"]).exits(0);
    place.sandbox.set("MYCELIUM_NOW", "1970-01-01T00:00:05Z");
    place.run(&["run", "--run-id", "newer", "--tasks", "002"]).exits(0);
    let mut latest = || place.run(&["status", "--json"]).exits(0).json();
    let found = latest();
    assert_eq!((&found["run_id"], &found["number"]), (&"newer".into(), &2.into()), "{found}");
    assert!(found["started_at"].as_str().unwrap().starts_with("1970"), "{found}");
}
