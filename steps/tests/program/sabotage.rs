//! Saboteurs: what counts as noticing one, what is refused, and what the gate makes of it. The program is a script, so that
//! each of its faults can be chosen.

use std::fs;

use serde_json::Value;

use crate::checkout::{Answer, Checkout};

/// What is said of a program that nobody built here.
const GIVEN: &str = "The program was given, not built from these sources.";
/// A goal's file.
const GOAL_FILE: &str = "traceability/goals/G1.3.yaml";

/// Knows what `names` says. `make-a-run` does what must not happen, the others go wrong in ways that nobody declared.
fn checkout(names: &str) -> Checkout {
    let checkout = Checkout::new();
    checkout.program(&format!(
        r#"[ "$1" = saboteurs ] && {{ echo '{names}'; exit 0; }}
run() {{ mkdir -p "$MYCELIUM_HOME/projects/p/runs/r"; }}
case "$MYCELIUM_SABOTEUR" in
  make-a-run) run; exit 1;;
  exit-otherwise) exit 9;;
  crash) run; exit 70;;
  panic) run; exit 101;;
  abort) run; kill -ABRT $$;;
esac
exit 0"#
    ));
    let goal = fs::read_to_string(checkout.path(GOAL_FILE)).unwrap();
    checkout.write(GOAL_FILE, &goal.replace("fs.absent", "fs.no_run"));
    checkout
}

/// Lets the goal declare saboteurs.
fn declare(checkout: &Checkout, names: &str) {
    let goal = fs::read_to_string(checkout.path(GOAL_FILE)).unwrap();
    let head = &goal[..goal.find("saboteurs:").unwrap()];
    checkout.write(GOAL_FILE, &format!("{head}saboteurs: [{names}]\n"));
}

/// A checkout whose goal and program know the same saboteurs.
fn agreed(names: &[&str]) -> Checkout {
    let checkout = checkout(&serde_json::json!(names).to_string());
    declare(&checkout, &names.join(", "));
    checkout
}

fn sabotage(checkout: &Checkout, more: &str) -> Answer {
    checkout.accept(&format!("sabotage --bin program --out out --json {more}"))
}

fn trials(answer: &Answer) -> Vec<(String, String)> {
    let json = answer.json();
    let text = |trial: &Value, key: &str| trial[key].as_str().unwrap().to_owned();
    let trials = json["trials"].as_array().unwrap().iter();
    trials.map(|trial| (text(trial, "saboteur"), text(trial, "outcome"))).collect()
}

#[test]
fn a_saboteur_is_noticed_by_the_declared_assertion_behind_others_that_fail_first() {
    let checkout = agreed(&["make-a-run"]);
    let answer = sabotage(&checkout, "");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(trials(&answer), [("make-a-run".to_owned(), "killed".to_owned())]);
    assert_eq!(answer.json()["trials"][0]["noticed"][0]["assertion"], "fs.no_run");
    assert_eq!(answer.json()["partial"], serde_json::json!([GIVEN]));
    let kept = fs::read_to_string(checkout.path("out/sabotage.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), answer.json());
    let told = checkout.accept("sabotage --bin program --out out");
    assert!(told.out.contains("G1.3  make-a-run  killed    1 of 1 scenario  fs.no_run"), "{}", told.out);
}

#[test]
fn what_fails_by_exit_code_crash_or_signal_alone_survives() {
    for name in ["exit-otherwise", "crash", "panic", "abort"] {
        let checkout = agreed(&[name]);
        let answer = sabotage(&checkout, "");
        assert_eq!(answer.code, Some(1), "{name}: {}", answer.err);
        assert_eq!(trials(&answer), [(name.to_owned(), "survived".to_owned())]);
        let remark = answer.json()["trials"][0]["remarks"][0].to_string();
        assert!(remark.contains("failed on nothing that the goal declares"), "{name}: {remark}");
        assert!(answer.err.contains(&format!("{name}  SURVIVED")), "{}", answer.err);
        assert!(checkout.path(&format!("out/sabotage/G1.3-{name}/messages.ndjson")).exists(), "{name}");
    }
}

#[test]
fn a_part_is_tried_and_says_that_it_is_one() {
    let checkout = agreed(&["crash", "make-a-run"]);
    let answer = sabotage(&checkout, "--only make-a-run");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(
        answer.json()["partial"],
        serde_json::json!(["Only the saboteur make-a-run was tried.", GIVEN])
    );
    let gate = checkout.accept("gate --profile release --out out --json");
    assert_eq!(gate.code, Some(2), "without a run of the scenarios nothing is judged: {}", gate.err);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let gate = checkout.accept("gate --profile release --out out --bin program --json");
    let verdict = |name: &str| {
        let verdicts = gate.json()["verdicts"].as_array().unwrap().clone();
        verdicts.into_iter().find(|verdict| verdict["gate"] == name).unwrap()
    };
    let saboteurs = verdict("saboteurs");
    assert_eq!(saboteurs["verdict"], "red");
    for reason in ["cannot be bound to a commit", "Only the saboteur make-a-run", "crash was not tried"] {
        assert!(saboteurs["reasons"].to_string().contains(reason), "{reason}: {saboteurs}");
    }
    let local = checkout.accept("gate --out out --bin program --json").json().to_string();
    assert!(local.contains("Profile local does not require it."), "{local}");
}

#[test]
fn what_goals_and_program_do_not_agree_on_is_refused_before_anything_runs() {
    for (known, declared, said) in [
        (r#"["make-a-run"]"#, "", "the program knows the saboteur make-a-run, and no goal declares it"),
        (
            r#"["make-a-run"]"#,
            "make-a-run, made-up",
            "G1.3 declares the saboteur made-up, which the program does not know",
        ),
        ("[]", "make-a-run", "names no saboteurs"),
        ("no names", "make-a-run", "names no saboteurs"),
    ] {
        let checkout = checkout(known);
        declare(&checkout, declared);
        let answer = sabotage(&checkout, "");
        assert_eq!(answer.code, Some(2), "{said}: {}", answer.err);
        assert!(answer.err.contains(said), "{said}: {}", answer.err);
        assert!(!checkout.path("out/sabotage.json").exists());
    }
    for more in ["--only made-up", "--goal G1.4"] {
        assert_eq!(sabotage(&agreed(&["make-a-run"]), more).code, Some(2), "{more}");
    }
}

#[test]
fn a_tier_0_goal_without_a_saboteur_is_refused() {
    let checkout = agreed(&["make-a-run"]);
    let goal = fs::read_to_string(checkout.path(GOAL_FILE)).unwrap();
    let claim = "\n  - {text: so, assertion: git.branch_moved}";
    let goal = goal.replace("G1.3", "G0.3").replace("tier: 1", "tier: 0").replace("make-a-run", "");
    let goal = goal.replace("witness: []", &format!("witness:{claim}"));
    let goal = goal.replace("control: []", &format!("control:{claim}"));
    checkout.write("traceability/goals/G0.3.yaml", &goal);
    let answer = sabotage(&checkout, "");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("G0.3 is a Tier-0 goal without a saboteur"), "{}", answer.err);
}

#[test]
fn scenarios_that_fail_without_a_saboteur_show_nothing() {
    let checkout = agreed(&["make-a-run"]);
    checkout.change("the exit code is 0", "the exit code is 1");
    let answer = sabotage(&checkout, "");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("does not pass without a saboteur"), "{}", answer.err);
    assert!(!checkout.path("out/sabotage.json").exists());
}

#[test]
fn a_broken_or_foreign_kill_matrix_is_bad_input() {
    let checkout = agreed(&["make-a-run"]);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let newer = r#"{"schema_version": 999, "binary_digest": "", "partial": [], "known": [], "trials": []}"#;
    for (text, said) in [("{", "sabotage.json"), ("[]", "sabotage.json"), (newer, "format version 999")] {
        checkout.write("out/sabotage.json", text);
        let gate = checkout.accept("gate --out out --bin program");
        assert_eq!(gate.code, Some(2), "{text}: {}", gate.err);
        assert!(gate.err.contains(said), "{text}: {}", gate.err);
    }
}
