//! `doctor`: what it finds, its mends and its exit codes.

use std::fs;

use serde_json::Value;

use crate::{
    held::HeldRun,
    place::{ONE, Place},
};

fn check<'a>(document: &'a Value, name: &str) -> &'a Value {
    let checks = document["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {document:#}"))
}

#[test]
fn a_sound_project_passes_and_nothing_is_written() {
    let mut place = Place::with_plan("", ONE);
    let git = fs::read_dir(place.repository.path().join(".git")).unwrap().count();
    let found = place.run(&["doctor", "--json"]).exits(0).json();
    place.assert_valid("doctor", &found);
    for name in [
        "repository",
        "configuration",
        "integration branch",
        "checkout",
        "doctor script",
        "plan",
        "lock",
        "leftovers",
    ] {
        assert_eq!(check(&found, name)["status"], "ok", "{found:#}");
    }
    assert!(check(&found, "disk space")["message"].as_str().unwrap().contains("MiB free at"));
    let text = place.run(&["doctor"]).exits(0).stdout;
    assert!(text.lines().any(|line| line.starts_with("ok    plan ") && line.ends_with("1 tasks")), "{text}");
    assert!(!place.ran(), "a check wrote something");
    assert_eq!(fs::read_dir(place.repository.path().join(".git")).unwrap().count(), git);
}

#[test]
fn every_problem_of_the_project_is_found_at_once_with_its_mend() {
    let mut place = Place::with_plan("worker:\n  agent: command\n  command: no-such-agent --fast\n", ONE);
    let text = place.read(".mycelium/config.yaml").replace("main", "mian");
    place.write(".mycelium/config.yaml", &text.replace("doctor: ", "doctor: missing/"));
    fs::remove_file(place.repository.path().join(".mycelium/tasks/001-one/spec.md")).unwrap();
    // The agent's program is missing too, which is the machine's fault and weighs more.
    let found = place.run(&["doctor", "--json"]).exits(4).json();
    for name in ["integration branch", "doctor script", "plan", "worker"] {
        let check = check(&found, name);
        assert!(check["status"] == "fail" && check["mend"].is_string(), "{check:#}");
    }
    place.write(".mycelium/config.yaml", "max_paralel: 1\n");
    let broken = place.run(&["doctor"]).exits(2).stdout;
    assert!(
        broken.contains("FAIL  configuration") && broken.contains("did you mean `max_parallel`?"),
        "{broken}"
    );
}

#[test]
fn a_doctor_that_cannot_fail_and_one_that_always_fails_are_warned_of() {
    let mut place = Place::with_config("");
    place.write(".mycelium/config.yaml", "integration_branch: main\ndoctor: .mycelium/doctor.sh\n");
    let found = place.run(&["doctor", "--json"]).exits(0).json();
    assert!(check(&found, "doctor script")["message"].as_str().unwrap().contains("refuses everything"));
    assert_eq!((&check(&found, "plan")["status"], &found["status"]), (&"warn".into(), &"warn".into()));
    place.write(".mycelium/doctor.sh", "#!/bin/sh\nmake check\nexit 0\n");
    let found = place.run(&["doctor", "--json"]).exits(0).json();
    assert!(check(&found, "doctor script")["message"].as_str().unwrap().contains("could not fail"));
}

#[test]
fn a_dirty_checkout_of_the_branch_is_a_failure() {
    let mut place = Place::with_plan("", ONE);
    place.write("README.md", "changed");
    let found = place.run(&["doctor", "--json"]).exits(2).json();
    assert!(check(&found, "checkout")["message"].as_str().unwrap().contains("README.md"), "{found:#}");
}

#[test]
fn a_home_that_is_no_folder_is_the_machines_fault() {
    let mut place = Place::with_plan("", ONE);
    let file = place.outside().join("file");
    fs::write(&file, "").unwrap();
    place.sandbox.set("MYCELIUM_HOME", file.join("home"));
    let found = place.run(&["doctor", "--json"]).exits(4).json();
    assert_eq!(check(&found, "home")["status"], "fail", "{found:#}");
}

#[test]
fn outside_a_repository_that_is_the_first_thing_said() {
    let mut place = Place::new();
    let outside = place.outside();
    let found = place.run_in(&outside, &["doctor", "--json"]).exits(2).json();
    assert_eq!(found["checks"][0]["name"], "repository");
    assert!(found["checks"][0]["message"].as_str().unwrap().contains("is not inside a git repository"));
}

#[test]
fn a_run_at_work_and_then_its_remains_are_seen() {
    let (mut place, held) = HeldRun::start();
    let found = place.run(&["doctor", "--json"]).exits(0).json();
    assert!(check(&found, "lock")["message"].as_str().unwrap().contains("run held"), "{found:#}");
    assert!(
        found["checks"].as_array().unwrap().iter().all(|check| check["name"] != "processes"),
        "{found:#}"
    );
    let gate = held.kill();
    let found = place.run(&["doctor", "--json"]).exits(0).json();
    let left = check(&found, "processes");
    assert!(left["message"].as_str().unwrap().contains("left running: process "), "{found:#}");
    assert!(left["mend"].as_str().unwrap().contains("mycelium clean"), "{found:#}");
    assert_eq!(
        (&check(&found, "lock")["status"], &check(&found, "interrupted runs")["message"]),
        (&"ok".into(), &"held".into())
    );
    drop(gate);
}
