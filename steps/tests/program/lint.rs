//! `accept lint`: what it prints for whom, what it mends, and what it exits with.

use std::fs;

use crate::checkout::{Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";

#[test]
fn each_reader_gets_the_problems_in_its_own_format() {
    let checkout = Checkout::new();
    checkout.change("Given the repository", "Given the repositry");
    let text = checkout.accept("lint");
    assert_eq!((text.code, text.out.as_str()), (Some(1), ""));
    assert!(text.err.contains(&format!("error: {FILE}:5:5: no step is")), "{}", text.err);
    let json = checkout.accept("lint --format json").json();
    assert_eq!(json, checkout.accept("lint --json").json());
    let problem = &json["problems"][0];
    assert_eq!((&problem["rule"], &problem["severity"]), (&"undefined-step".into(), &"error".into()));
    assert_eq!(
        (&problem["file"], &problem["line"], &problem["column"]),
        (&FILE.into(), &5.into(), &5.into())
    );
    let github = checkout.accept("lint --format github");
    assert_eq!(github.code, Some(1));
    let start = format!("::error file={FILE},line=5,col=5,title=accept lint: undefined-step::no step is");
    assert!(github.out.starts_with(&start), "{}", github.out);
    assert_eq!(github.out.lines().count(), 1, "{}", github.out);
    let sarif = checkout.accept("lint --format sarif");
    assert_eq!(sarif.code, Some(1));
    let result = &sarif.json()["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&result["ruleId"], &place["artifactLocation"]["uri"]),
        (&"undefined-step".into(), &FILE.into())
    );
}

#[test]
fn a_log_without_problems_is_a_whole_log() {
    let checkout = Checkout::new();
    let log = checkout.accept("lint --format sarif").json();
    assert_eq!((&log["version"], &log["runs"][0]["results"]), (&"2.1.0".into(), &serde_json::json!([])));
    assert_eq!(checkout.accept("lint --format github").out, "");
}

#[test]
fn a_warning_is_told_and_stops_nobody() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.change("  Scenario", "  @mock\n  Scenario");
    let answer = checkout.accept("lint");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(
        answer.err.contains("warning: ") && answer.err.contains("0 errors and 1 warning"),
        "{}",
        answer.err
    );
    let answer = checkout.accept("run --bin program --out out");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(checkout.accept("lint --json").json()["passed"], true);
}

#[test]
fn fix_mends_what_is_safe_and_reports_the_rest() {
    let checkout = Checkout::new();
    let loose = FEATURE.replace("  Scenario", "  @mock\n Scenario").replace("When I run", "When I rnu");
    checkout.write(FILE, &loose);
    let answer = checkout.accept("lint --fix");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(answer.err.contains(&format!("fixed {FILE}")), "{}", answer.err);
    assert!(answer.err.contains("1 error and 0 warnings"), "{}", answer.err);
    let wanted = FEATURE.replace("When I run", "When I rnu");
    assert_eq!(fs::read_to_string(checkout.path(FILE)).unwrap(), wanted);
}

#[test]
fn a_value_that_is_not_allowed_is_answered_with_those_that_are() {
    let checkout = Checkout::new();
    checkout.change("toy-repo", "toy-rep");
    let answer = checkout.accept("lint");
    let list = "{fixture} is one of \"toy-repo\", \"conflict-repo\", \"large-repo-sim\"";
    assert!(answer.err.contains(list), "{}", answer.err);
}
