//! `demo`: the whole way, on nothing but this program.

use std::fs;

use crate::place::Place;

#[test]
fn the_demonstration_plans_runs_and_lands_and_leaves_nothing() {
    let mut place = Place::new();
    let outside = place.outside();
    let done = place.run_in(&outside, &["demo"]).exits(0);
    for part in [
        "$ mycelium init\n",
        "$ mycelium plan --input .mycelium/plan.md\nbatch 1: 001 Greet politely · 002 Test the greeting\n",
        "$ mycelium run --run-id demo\n",
        "every task landed\n",
        "$ mycelium status --run-id demo\n",
        " 003: Document the greeting\n",
    ] {
        assert!(done.stdout.contains(part), "{part:?}: {done:#?}");
    }
    assert_eq!(fs::read_dir(place.sandbox.temporary()).unwrap().count(), 0);
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    assert!(!place.ran(), "the demonstration touched the operator's own runs");
}

#[test]
fn a_kept_demonstration_can_be_looked_at() {
    let mut place = Place::new();
    let outside = place.outside();
    let json = place.run_in(&outside, &["demo", "--keep", "here", "--json"]).exits(0).json();
    assert_eq!((&json["kept"], json["steps"].as_array().map(Vec::len)), (&true.into(), Some(4)));
    let repository = outside.join("here/toy-repo");
    assert_eq!(json["repository"], repository.to_str().unwrap());
    assert_eq!(fs::read_to_string(repository.join("docs/greeting.md")).unwrap(), "003\n");

    let full =
        place.run_in(&outside, &["demo", "--keep", "here"]).exits(2).complains(&["is not empty", "--keep"]);
    assert_eq!(full.stdout, "");
}

#[test]
fn an_agent_that_asks_a_model_is_demonstrated_without_a_key() {
    for agent in ["codex", "claude"] {
        let mut place = Place::new();
        let outside = place.outside();
        let json =
            place.run_in(&outside, &["demo", "--agent", agent, "--keep", "here", "--json"]).exits(0).json();
        let status = json["steps"][3]["output"].as_str().unwrap();
        // Three tasks of two answers each, counted by the gateway.
        assert!(status.contains("7716 tokens"), "{agent}: {status}");
        let repository = outside.join("here/toy-repo");
        assert_eq!(fs::read_to_string(repository.join("docs/greeting.md")).unwrap(), "003\n", "{agent}");
        let kept = fs::read_to_string(repository.join(".mycelium/config.yaml")).unwrap();
        assert!(kept.contains(&format!("agent: {agent}\n")), "{kept}");
    }
}
