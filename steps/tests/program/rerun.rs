//! `accept run --rerun`: what the last run left, all of it, or the reason why that is not known.

use std::fs;

use crate::checkout::{Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";

/// Two scenarios, of which the program fails both.
const TWO: &str = "
  Scenario: it says so again
    Given the repository \"toy-repo\"
    When I run \"mycelium status\"
    Then the exit code is 0
    And no run was created
";

/// A checkout in which both scenarios have failed.
fn after_two_failures() -> Checkout {
    let checkout = Checkout::new();
    checkout.write(FILE, &format!("{FEATURE}{TWO}"));
    checkout.program("exit 9");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(1));
    checkout
}

#[test]
fn a_failure_that_was_renamed_or_removed_is_named_and_not_forgotten() {
    for changed in [
        format!("{FEATURE}{}", TWO.replace("says so again", "has another name")),
        FEATURE.to_owned(),
        format!("{FEATURE}{}", TWO.replace("  Scenario", "  @docker\n  Scenario"))
            .replace(" @mock", "")
            .replacen("  Scenario", "  @mock\n  Scenario", 1),
    ] {
        let checkout = after_two_failures();
        checkout.program("exit 0");
        checkout.write(FILE, &changed);
        let before = fs::read_to_string(checkout.path("out/messages.ndjson")).unwrap();
        for command in ["run --bin program --out out --rerun", "run --bin program --out out --rerun features"]
        {
            let answer = checkout.accept(command);
            assert_eq!(answer.code, Some(2), "{}", answer.err);
            assert!(answer.err.contains(&format!("{FILE} \"it says so again\"")), "{}", answer.err);
            assert!(!answer.err.contains("\"it says so\""), "{}", answer.err);
        }
        assert_eq!(fs::read_to_string(checkout.path("out/messages.ndjson")).unwrap(), before);
    }
}

#[test]
fn a_rerun_may_be_limited_to_a_part_of_what_is_left() {
    let checkout = after_two_failures();
    checkout.program("exit 0");
    let other = FEATURE.replace("A run executes", "Another").replace("it says so", "nothing of the last run");
    checkout.write("features/tier1/G1.3-b.feature", &other);
    for limit in ["--name again$".to_owned(), format!("{FILE}:10")] {
        let checkout = after_two_failures();
        checkout.program("exit 0");
        let answer = checkout.accept(&format!("run --bin program --out out --rerun --json {limit}"));
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        assert_eq!(answer.json()["scenarios"].as_array().unwrap().len(), 1);
    }
    // Where only another file is looked into, nothing is said of this one.
    let answer = checkout.accept("run --bin program --out out --rerun --json features/tier1/G1.3-b.feature");
    assert_eq!((answer.code, answer.causes()), (Some(1), vec!["nothing_selected".to_owned()]));
}

#[test]
fn a_failure_is_run_again_wherever_its_feature_stands() {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    checkout.write("drafts/G1.3-a-run-executes.feature", FEATURE);
    assert_eq!(checkout.accept("run --bin program --out out drafts").code, Some(1));
    checkout.program("exit 0");
    let answer = checkout.accept("run --bin program --out out --rerun --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(answer.json()["scenarios"][0]["place"], "drafts/G1.3-a-run-executes.feature:4");
    assert_eq!(answer.json()["scenarios"].as_array().unwrap().len(), 1);
}

#[test]
fn where_nothing_was_planned_nothing_is_said_to_have_passed() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    assert_eq!(checkout.accept("run --bin program --out out --tags @nope").code, Some(1));
    let answer = checkout.accept("run --bin program --out out --rerun");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("the last run planned no scenario"), "{}", answer.err);
}

#[test]
fn a_run_that_died_before_its_plan_was_written_is_no_run_that_passed() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    for torn in
        ["", "{\"meta\":", "{\"testRunStarted\":{\"timestamp\":{\"seconds\":0,\"nanos\":0},\"id\":\"1\"}}\n"]
    {
        checkout.write("out/messages.ndjson.planning", torn);
        let answer = checkout.accept("run --bin program --out out --rerun");
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(answer.err.contains("died before"), "{}", answer.err);
    }
    // One whose plan was lost with the power planned nothing.
    checkout.write("out/messages.ndjson.unfinished", "");
    let answer = checkout.accept("run --bin program --out out --rerun");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("planned no scenario"), "{}", answer.err);
}

#[test]
fn a_run_that_dies_in_its_first_scenario_is_run_again_with_all_that_it_did_not_come_to() {
    let checkout = Checkout::new();
    checkout.program("kill -9 $PPID");
    let scenario = FEATURE.split_once("\n\n").unwrap().1;
    let four: Vec<_> = (1..=4).map(|n| scenario.replace("it says so", &format!("number {n}"))).collect();
    let title = FEATURE.strip_suffix(scenario).unwrap();
    checkout.write("features/tier1/G1.3-a-run-executes.feature", &(title.to_owned() + &four.join("\n")));
    assert_eq!(checkout.accept("run --bin program --out out --jobs 1").code, Some(3));
    checkout.program("exit 0");
    let answer = checkout.accept("run --bin program --out out --rerun --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(answer.json()["scenarios"].as_array().unwrap().len(), 4);
}
