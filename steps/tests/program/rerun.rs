//! `accept run --rerun`: what the last run left, all of it, or the reason why that is not known.

use std::fs;

use crate::checkout::{Answer, Checkout, FEATURE};

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

#[test]
fn what_left_something_is_run_again_beside_what_failed() {
    let checkout = Checkout::new();
    checkout.write(FILE, &format!("{FEATURE}{}", TWO.replace("mycelium status", "mycelium doctor")));
    let leaves = "[ \"$1\" = status ] && { setsid sleep 600 >/dev/null 2>&1 & exit 0; }";
    checkout.program(&format!("{leaves}; exit 9"));
    let answer = checkout.accept("run --bin program --out out --json");
    assert_eq!(answer.causes(), ["process_left", "scenarios_failed"]);
    // The other one is mended.
    checkout.program(&format!("{leaves}; exit 0"));
    let answer = checkout.accept("run --bin program --out out --rerun --json");
    assert_eq!(
        (answer.code, answer.causes()),
        (Some(1), vec!["process_left".into(), "scenarios_failed".into()])
    );
    assert_eq!(answer.json()["scenarios"].as_array().unwrap().len(), 2);
}

#[test]
fn what_belongs_to_no_scenario_is_no_reason_to_forget_one() {
    let checkout = after_two_failures();
    let path = checkout.path("out/messages.ndjson");
    let stream = fs::read_to_string(&path).unwrap();
    let beside = r#"{"attachment":{"body":"a thread panicked","contentEncoding":"IDENTITY","mediaType":"text/x.mycelium.beside+plain"}}"#;
    let passed = stream.replace("\"status\":\"FAILED\"", "\"status\":\"PASSED\"");
    checkout.program("exit 0");
    for (stream, count) in [(format!("{stream}{beside}\n"), 2), (format!("{passed}{beside}\n"), 2)] {
        fs::write(&path, stream).unwrap();
        let answer = checkout.accept("run --bin program --out out --rerun --json");
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        assert_eq!(answer.json()["scenarios"].as_array().unwrap().len(), count);
        assert!(answer.err.contains("by what belongs to no scenario: a thread panicked"), "{}", answer.err);
    }
}

/// On a machine where no engine listens.
fn without_engine(checkout: &Checkout, line: &str) -> Answer {
    let mut command = checkout.command(line);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env_remove("RUN_DOCKER_TESTS");
    Answer::new(&command.output().unwrap())
}

#[test]
fn a_rerun_is_in_the_world_of_the_last_run_or_refused() {
    let checkout = Checkout::new();
    checkout.write(FILE, &FEATURE.replace("@mock", "@mock @docker"));
    checkout.program("exit 0");
    let answer = without_engine(&checkout, "run --bin program --out out --world docker");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let answer = without_engine(&checkout, "run --bin program --out out --rerun --world mock");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("leave out --world mock"), "{}", answer.err);
    let answer = without_engine(&checkout, "run --bin program --out out --rerun --json");
    assert_eq!(
        (answer.code, answer.causes()),
        (Some(1), vec!["scenarios_not_run".to_owned()]),
        "{}",
        answer.err
    );
}

#[test]
fn a_row_of_examples_is_known_by_what_it_says() {
    let checkout = Checkout::new();
    let rows = |rows: &[&str]| {
        let outline = FEATURE.replace("Scenario:", "Scenario Outline:").replace("status", "<command>");
        let table: String = rows.iter().flat_map(|row| ["      | ", row, " |\n"]).collect();
        checkout.write(FILE, &format!("{outline}\n    Examples:\n      | command |\n{table}"));
    };
    rows(&["status", "plan", "doctor"]);
    checkout.program("[ \"$1\" = status ] || exit 9");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(1));
    // Another row stands before them, and one of the two is mended.
    rows(&["logs", "status", "plan", "doctor"]);
    checkout.program("[ \"$1\" = doctor ] && exit 9; exit 0");
    let answer = checkout.accept("run --bin program --out out --rerun --json");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let ran: Vec<_> =
        answer.json()["scenarios"].as_array().unwrap().iter().map(|s| s["status"].clone()).collect();
    assert!(ran.len() == 2 && ran.contains(&"failed".into()) && ran.contains(&"passed".into()), "{ran:?}");
    // And one that failed is changed.
    rows(&["status", "plan", "log"]);
    let answer = checkout.accept("run --bin program --out out --rerun");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("mycelium doctor"), "{}", answer.err);
}

#[test]
fn repetitions_are_named_where_there_is_no_last_run() {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    assert_eq!(checkout.accept("run --bin program --out out --repeat 2").code, Some(1));
    let answer = checkout.accept("run --bin program --out out --rerun --json");
    assert_eq!((answer.code, answer.json()["exit_code"].as_u64()), (Some(2), Some(2)), "{}", answer.err);
    assert!(answer.json()["error"].as_str().unwrap().contains("repetitions/1"), "{}", answer.err);
}
