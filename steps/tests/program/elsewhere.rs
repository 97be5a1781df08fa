//! `accept` from a folder below the root, and the commands and folders that it tells to be used.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::checkout::{Answer, Checkout, FEATURE};

const BLANK: &str = "features/tier1/G1.3-a run.feature";

/// `accept` in a folder of the checkout.
fn accept_in(folder: &Path, arguments: &[&str]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accept"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    Answer::new(&command.output().unwrap())
}

#[test]
fn results_go_into_the_root_of_the_checkout_wherever_accept_is_called() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let features = checkout.path("features");
    let answer = accept_in(&features, &["run", "--bin", "../program", "tier1"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(!checkout.path("features/target").exists(), "results stand among the features");
    assert!(checkout.path("target/acceptance/messages.ndjson").is_file());
    for command in [["steps", "--slow"], ["report", "--bin=../program"]] {
        let answer = accept_in(&features, &command);
        assert_eq!(answer.code, Some(0), "{command:?}: {}", answer.err);
    }
    let answer = accept_in(&features, &["run", "--bin", "../program", "--rerun"]);
    assert!(answer.err.contains("every scenario of the last run passed"), "{}", answer.err);
    let answer = accept_in(&features, &["flake", "--bin", "../program", "--repeat", "1"]);
    assert!(answer.code.is_some_and(|code| code < 2), "{}", answer.err);
    assert!(checkout.path("target/flake-history.jsonl").is_file());
    assert!(!checkout.path("features/target").exists(), "results stand among the features");
    // A folder that is given is one from here.
    let answer = accept_in(&features, &["run", "--bin", "../program", "--out", "../here"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(checkout.path("here/messages.ndjson").is_file());
}

/// The command behind "run it again:".
fn told(answer: &Answer) -> String {
    let line = answer.err.lines().find_map(|line| line.trim().strip_prefix("run it again: "));
    line.unwrap_or_else(|| panic!("no command in {}", answer.err)).to_owned()
}

#[test]
fn the_command_of_a_failure_card_can_be_typed_where_it_is_told() {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    fs::rename(checkout.path("program"), checkout.path("the program's")).unwrap();
    fs::remove_file(checkout.path("features/tier1/G1.3-a-run-executes.feature")).unwrap();
    checkout.write(BLANK, FEATURE);
    for (folder, program) in
        [(".", "the program's"), ("features", "../the program's"), ("docs/deep", "../../the program's")]
    {
        let folder = checkout.path(folder);
        fs::create_dir_all(&folder).unwrap();
        let answer = accept_in(&folder, &["run", "--json", "--seed", "7", "--bin", program]);
        assert_eq!(answer.code, Some(1), "{}", answer.err);
        let command = told(&answer);
        assert_eq!(answer.json()["scenarios"][0]["failure"]["rerun"], command.as_str());
        let typed = command.replacen("cargo accept", env!("CARGO_BIN_EXE_accept"), 1);
        let output = Command::new("sh").args(["-c", &typed]).current_dir(&folder).output().unwrap();
        let again = Answer::new(&output);
        assert_eq!(again.code, Some(1), "{command}: {}", again.err);
        assert!(again.err.contains("1 scenario ran, 0 passed"), "{command}: {}", again.err);
        assert_eq!(told(&again), command);
    }
}

#[test]
fn a_folder_that_is_kept_is_told() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let answer = checkout.accept("run --bin program --out out --keep");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let told = answer.err.lines().find_map(|line| line.trim().strip_prefix("its folder: "));
    let told = told.unwrap_or_else(|| panic!("no folder in {}", answer.err));
    assert!(Path::new(told).is_dir(), "{told}");
    assert!(!checkout.accept("run --bin program --out out").err.contains("its folder: "));
}
