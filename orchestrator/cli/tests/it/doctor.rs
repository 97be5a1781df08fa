//! `doctor`: what it finds, its mends and its exit codes.

use std::fs;

use serde_json::Value;

use crate::{held::HeldRun, place::Place, plans::ONE};

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
fn what_keeps_a_run_from_starting_in_the_checkout_is_found_before_it() {
    let mut place = Place::with_plan("", ONE);
    let heads = place.repository.path().join(".git");
    fs::write(heads.join("refs/heads/alias"), "ref: refs/heads/main\n").unwrap();
    fs::write(heads.join("HEAD"), "ref: refs/heads/alias\n").unwrap();
    let why = "HEAD is on an alias of the branch main";
    place.run(&["run"]).exits(2).complains(&[why]);
    let found = place.run(&["doctor", "--json"]).exits(2).json();
    let branch = check(&found, "integration branch");
    assert!(branch["message"].as_str().unwrap().contains(why), "{found:#}");
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

#[test]
fn a_key_that_stands_in_the_configuration_is_not_shown() {
    let mut place = Place::with_plan("", ONE);
    // Torn, so that this file holds none.
    let key = ["gh", "p_", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ0bC2eF4hJ6"].concat();
    let config = place.read(".mycelium/config.yaml");
    for (written, said) in [
        (format!("{config}worker: {{ env: ['MY TOKEN={key}'] }}\n"), "is neither `NAME` nor `NAME=value`"),
        (format!("{config}{key}: 1\n"), "[redacted:"),
        (config.replace("main", &key), "[redacted:"),
    ] {
        place.write(".mycelium/config.yaml", &written);
        for words in [vec!["doctor"], vec!["doctor", "--json"]] {
            let found = place.run(&words).exits(2);
            assert!(found.stdout.contains(said), "{found:#?}");
            // Nor a part of it.
            assert!(!found.stdout.contains(&key[..20]) && !found.stderr.contains(&key[..20]), "{found:#?}");
        }
    }
}

#[test]
fn files_that_git_keeps_through_a_program_are_refused_before_anything_begins() {
    let mut place = Place::with_plan("", ONE);
    place.write(".gitattributes", "*.bin filter=lfs\n");
    place.git("add .gitattributes");
    place.git("-c user.name=U -c user.email=u@localhost commit -qm attributes");
    place.git("config filter.lfs.process git-lfs");
    place.run(&["run", "--run-id", "none-of-those-files"]).exits(0);
    place.write("large.bin", "a pointer\n");
    place.git("-c filter.lfs.process= add large.bin");
    place.git("-c user.name=U -c user.email=u@localhost commit -qm large");
    let refused = place.run(&["run"]).exits(2);
    let message = "large.bin is kept through the filter lfs (.gitattributes), which Mycelium does not run";
    assert!(refused.stderr.contains(message) && refused.stderr.contains("large.bin -filter"), "{refused:#?}");
    let found = place.run(&["doctor", "--json"]).exits(2).json();
    assert_eq!(check(&found, "filters")["message"], message);
    place.git("config --unset filter.lfs.process");
    let home = place.outside().join("home");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join(".gitconfig"), "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n").unwrap();
    let run = place.command(&["run"]).env("HOME", &home).output().unwrap();
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    place.run(&["doctor"]).exits(0);
}
