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

/// The rules that the lint names in a feature, in its order.
fn rules(checkout: &Checkout, text: &str) -> Vec<String> {
    checkout.write(FILE, text);
    let json = checkout.accept("lint --json").json();
    let problems = json["problems"].as_array().unwrap();
    problems.iter().map(|problem| problem["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_background_proves_nothing_for_the_scenarios_below_it() {
    let checkout = Checkout::new();
    let own = "    Then the exit code is 0\n    And no run was created\n";
    let background =
        "  Background:\n    Given the repository \"toy-repo\"\n    When I run \"mycelium status\"\n";
    let start = FEATURE.replace("\n  Scenario", &format!("\n{background}{own}\n  Scenario"));
    let without =
        start.replacen("    Given the repository \"toy-repo\"\n    When I run \"mycelium status\"\n", "", 2);
    assert_ne!(without, start);
    let scenario_without_then = start.replace(
        &format!("so\n    Given the repository \"toy-repo\"\n    When I run \"mycelium status\"\n{own}"),
        "so\n    Given the repository \"toy-repo\"\n",
    );
    assert_ne!(scenario_without_then, start);
    assert_eq!(rules(&checkout, &scenario_without_then), ["background-then", "no-then"]);
    // What the background says must not happen is not said by the scenario.
    let positive_only =
        start.replacen("    And no run was created\n", "", 2).replacen("    And no run was created\n", "", 1);
    let positive_only =
        positive_only.replacen("    Then the exit code is 0\n\n", "    Then no run was created\n\n", 1);
    assert_eq!(rules(&checkout, &positive_only), ["background-then", "no-negative-assertion"]);
    // A rule has a background of its own.
    let in_rule = FEATURE.replace("\n  Scenario", &format!("\n  Rule: r\n{background}{own}\n  Scenario"));
    assert!(rules(&checkout, &in_rule).contains(&"background-then".to_owned()));
}

#[test]
fn a_deed_that_nobody_looks_at_afterwards_is_an_error_at_its_line() {
    let checkout = Checkout::new();
    let again = "    And no run was created\n    When I run \"mycelium status\"\n";
    let trailing = FEATURE.replace("    And no run was created\n", again);
    assert_eq!(rules(&checkout, &trailing), ["unchecked-when"]);
    let answer = checkout.accept("lint");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(answer.err.contains(&format!("{FILE}:9:5: ")), "{}", answer.err);
    // A deed among others is looked at with them.
    let together = FEATURE.replace("    Then", "    And I run \"mycelium status\"\n    Then");
    assert_eq!(rules(&checkout, &together), [""; 0]);
    let looked_at = format!("{trailing}    Then the exit code is 0\n");
    assert_eq!(rules(&checkout, &looked_at), [""; 0]);
}

#[test]
fn a_tag_that_is_said_twice_is_redundant_and_nothing_worse() {
    let checkout = Checkout::new();
    assert_eq!(rules(&checkout, &FEATURE.replace("@tier1", "@tier1 @tier1")), ["redundant-tag"]);
    assert_eq!(checkout.accept("lint").code, Some(0));
}

#[test]
fn a_tag_that_is_nearly_one_of_ours_is_a_slip() {
    let checkout = Checkout::new();
    for (tag, rule, help) in [
        ("@g1.3", "unknown-goal", "did you mean @G1.3?"),
        ("@G-1.3", "unknown-goal", "did you mean @G1.3?"),
        ("@Goal1.3", "unknown-goal", "did you mean @G1.3?"),
        ("@Timeout(2m)", "timeout", "did you mean @timeout(2m)?"),
        ("@contol", "misspelt-tag", "did you mean @control?"),
        ("@Control", "misspelt-tag", "did you mean @control?"),
        ("@dokcer", "misspelt-tag", "did you mean @docker?"),
        ("@skip", "forbidden-tag", "remove it"),
        ("@ignore", "forbidden-tag", "remove it"),
        ("@wip", "forbidden-tag", "remove it"),
    ] {
        assert_eq!(rules(&checkout, &FEATURE.replace("@mock", &format!("@mock {tag}"))), [rule], "{tag}");
        let answer = checkout.accept("lint");
        assert!(answer.err.contains(help), "{tag}: {}", answer.err);
        let code = if rule == "misspelt-tag" { 0 } else { 2 };
        assert_eq!(answer.code, Some(code), "{tag}");
    }
    for tag in ["@slow", "@skipped-reports", "@Good", "@git", "@controller", "@gate.3"] {
        assert_eq!(rules(&checkout, &FEATURE.replace("@mock", &format!("@mock {tag}"))), [""; 0], "{tag}");
    }
}

#[test]
fn a_syntax_error_is_a_plain_sentence_at_the_place_to_mend() {
    let checkout = Checkout::new();
    for (from, to, place, sentence) in [
        ("When I run", "Wehn I run", "6:5", "`Wehn I run \"mycelium status\"` begins with no keyword"),
        (
            "    Then the",
            "    \"\"\"\n    x\n    \"\"\"\n    \"\"\"\n    \"\"\"\n    Then the",
            "10:5",
            "a text in \"\"\" stands below the step that takes it",
        ),
        (
            "    Then the",
            "    | a |\n    \"\"\"\n    x\n    \"\"\"\n    | b |\n    Then the",
            "11:5",
            "a row of a table stands below the step or the Examples",
        ),
        (
            "Then the exit",
            "\"\"\"\n    open\n    Then the exit",
            "7:5",
            "the text that begins here with \"\"\" is never closed",
        ),
        (
            "Feature: A run executes",
            "Featur: A run executes",
            "2:1",
            "`Featur: A run executes` begins with no keyword",
        ),
        ("@mock\n", "@mock not\n", "1:14", "a tag is one word"),
        (
            "    Then the",
            "    | a | b |\n    | a |\n    Then the",
            "8:5",
            "this row has another number of cells",
        ),
        (
            "  Scenario: it",
            "  Background:\n    Given the plan:\n  Examples:\n\n  Scenario: it",
            "6:3",
            "Examples belong to a Scenario Outline",
        ),
        (
            "    Then the",
            "  Background:\n    Then the",
            "7:3",
            "a Background stands before the first scenario",
        ),
        ("    Then the", "  Feature: two\n    Then the", "7:3", "a file has one Feature"),
        ("@G1.3", "# language: xx\n@G1.3", "1:1", "\"xx\" is no language"),
    ] {
        assert!(FEATURE.contains(from));
        checkout.write(FILE, &FEATURE.replacen(from, to, 1));
        let answer = checkout.accept("lint");
        assert_eq!(answer.code, Some(2), "{to}");
        assert!(answer.err.contains(&format!("{FILE}:{place}: ")), "{to}: {}", answer.err);
        assert!(answer.err.contains(sentence), "{to}: {}", answer.err);
        assert!(!answer.err.contains("#TagLine") && !answer.err.contains("#Other"), "{}", answer.err);
    }
    checkout.write(FILE, "@G1.3\n");
    let answer = checkout.accept("lint");
    assert!(answer.err.contains("the file ends before its Feature"), "{}", answer.err);
}

#[test]
fn what_a_terminal_would_obey_is_shown_and_not_sent() {
    let checkout = Checkout::new();
    checkout.write(FILE, &FEATURE.replace("Given the repository", "Given the repo\rsitory \u{1b}[2J"));
    let answer = checkout.accept("lint");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(!answer.err.contains('\r') && !answer.err.contains('\u{1b}'), "{:?}", answer.err);
    assert!(answer.err.contains("\\r") && answer.err.contains("\\u{1b}"), "{}", answer.err);
}
