//! A quarantine that holds keeps its scenario from failing a run, as it keeps it from failing a gate, and hides nothing.

use std::fs;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::Offset};

use crate::checkout::{Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";
const RUN: &str = "run --bin program --out out --json";

fn day(from_today: i64) -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date().saturating_add(from_today.days())
}

/// A checkout whose one scenario fails, and its quarantine from a day to another one.
fn failing(from: i64, to: i64) -> Checkout {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    let answer = checkout.accept(RUN);
    assert_eq!((answer.code, answer.causes()), (Some(1), vec!["scenarios_failed".to_owned()]));
    let report = checkout.accept("report --bin program --out out --json").json();
    let fingerprint = report["scenarios"][0]["fingerprint"].as_str().unwrap();
    let (from, to) = (day(from), day(to));
    checkout.write(
        "traceability/quarantine.yaml",
        &format!(
            "- {{goal: G1.3, scenario: it says so, fingerprint: {fingerprint}, issue: https://issues/1, hypothesis: h, \
             owner: somebody, evidence: e, first_seen: {from}, quarantined_at: {from}, expires: {to}}}\n"
        ),
    );
    checkout
}

#[test]
fn a_run_in_which_all_that_failed_is_in_quarantine_is_no_failure_and_says_so() {
    let checkout = failing(0, 7);
    let answer = checkout.accept(RUN);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let excused = format!(
        "{FILE}:4 failed and is excused: \"it says so\" is in quarantine for G1.3 until {} (https://issues/1, somebody \
         owns it)",
        day(7)
    );
    assert!(
        answer.err.contains(&format!("excused: {excused}\n1 excused failure and no other")),
        "{}",
        answer.err
    );
    let json = answer.json();
    assert_eq!((&json["passed"], &json["causes"]), (&true.into(), &serde_json::json!([])));
    assert_eq!((&json["excused"][0], &json["scenarios"][0]["status"]), (&excused.into(), &"failed".into()));
    let junit = fs::read_to_string(checkout.path("out/junit.xml")).unwrap();
    assert!(junit.contains("<failure"), "{junit}");
    // And one part of it, or one repetition, as well.
    for more in ["--shard 1/1", "--repeat 2"] {
        let answer = checkout.accept(&format!("{RUN} {more}"));
        assert_eq!(answer.code, Some(0), "{more}: {}", answer.err);
        assert!(
            answer.err.contains("excused: ") && !answer.err.contains(" 2 passed"),
            "{more}: {}",
            answer.err
        );
    }
    let answer = checkout.accept("flake --bin program --repeat 1 --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let json = answer.json();
    assert_eq!(
        (&json["repetitions"][0]["passed"], &json["first_failure"]["scenario"]),
        (&false.into(), &format!("{FILE}:4").into())
    );
    assert_eq!(json["notes"][0], "all that failed is in quarantine, so this is no failure");
}

#[test]
fn a_quarantine_excuses_nothing_else() {
    let refused = |checkout: &Checkout, why: &str| {
        let answer = checkout.accept(RUN);
        assert_eq!((answer.code, answer.causes()), (Some(1), vec!["scenarios_failed".to_owned()]), "{why}");
        let flake = checkout.accept("flake --bin program --repeat 1");
        assert_eq!(flake.code, Some(1), "{why}: {}", flake.err);
    };
    refused(&failing(-8, -1), "it is over");
    let checkout = failing(0, 7);
    checkout.change("the exit code is 0", "the exit code is 1");
    refused(&checkout, "it is about another text");
    let checkout = failing(0, 7);
    let other = "\n  Scenario: another one\n    When I run \"mycelium status\"\n    Then the exit code is 0\n    And no run was created\n";
    checkout.write(FILE, &format!("{FEATURE}{other}"));
    refused(&checkout, "another scenario failed");
    let checkout = failing(0, 7);
    for file in ["traceability/goals/G1.3.yaml", "traceability/quarantine.yaml", FILE] {
        let text = fs::read_to_string(checkout.path(file)).unwrap();
        let text = text.replace("G1.3", "G0.3").replace("tier: 1", "tier: 0").replace("@tier1", "@tier0");
        let text = text.replace("witness: []", "witness: [{text: w, assertion: event.present}]");
        let text = text.replace("control: []", "control: [{text: c, assertion: event.present}]");
        fs::remove_file(checkout.path(file)).unwrap();
        let twin = "\n  @control\n  Scenario: with the knob off\n    When I run \"mycelium status\"\n    Then the exit code is 9\n    And no run was created\n";
        let twin = if file == FILE { twin } else { "" };
        checkout.write(&file.replace("G1.3", "G0.3").replace("tier1", "tier0"), &format!("{text}{twin}"));
    }
    refused(&checkout, "it is of Tier 0");
    let checkout = failing(0, 7);
    let goal = fs::read_to_string(checkout.path("traceability/goals/G1.3.yaml")).unwrap();
    checkout.write("traceability/goals/G1.4.yaml", &goal.replace("G1.3", "G1.4"));
    // The tag of a scenario changes nothing of its fingerprint.
    checkout.change("  Scenario", "  @G1.4\n  Scenario");
    refused(&checkout, "it is there for another goal, too");
}
