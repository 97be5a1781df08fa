//! The green-lie probe: one promise, one linked test, the real program. Then somebody lies, in each of the ways in which a
//! typed link passes for a proof elsewhere, and the gate has to be red for that reason.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::checkout::{Answer, Checkout};

const FEATURE: &str = "features/tier0/G0.1-a-block-never-merges.feature";
const GOAL: &str = "traceability/goals/G0.1.yaml";

const PROMISE: &str = "\
id: G0.1
tier: 0
title: A block never merges
statement: \"This is what I expect to happen: behind a block nothing lands.\"
scope: [run]
config: [budgets.mode]
scenario: {given: a budget, when: it is exceeded, then: nothing lands}
artifacts: {state: [], events: [budget.block, validator.block, manifest.block], git: [the branch is unmoved]}
must_not:
  - {text: The integration branch moves., assertion: git.branch_unmoved}
witness:
  - {text: The block is on record., assertion: event.present}
control:
  - {text: Without a limit the work lands., assertion: git.branch_moved}
hook: toy-repo
owner: orchestrator
flake_risk: low
lanes: [mock]
ci_jobs: [unit-and-acceptance-local]
saboteurs: []
";

const PROOF: &str = "\
@G0.1 @tier0
Feature: A block never merges

  Background:
    Given the repository \"toy-repo\"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the agent reports 1500 tokens

  @mock
  Scenario: Behind a block nothing lands
    Given the configuration:
      \"\"\"
      budgets: {mode: block, max_tokens_per_task: 1000}
      \"\"\"
    When I run \"mycelium run\"
    Then the log has a \"budget.block\" event for task \"001\"
    And the integration branch has not moved

  @control @mock
  Scenario: Without a limit the work lands
    When I run \"mycelium run\"
    Then the integration branch has moved
    And the log has no \"budget.block\" event
";

/// The other kinds of block, which the promise names as well.
const OTHER_BLOCKS: &str = "
  @mock
  Scenario: Behind a validator's block nothing lands
    Given the configuration:
      \"\"\"
      style_validator: {mode: block, provider: command, command: exit 9}
      \"\"\"
    When I run \"mycelium run\"
    Then the log has a \"validator.block\" event for task \"001\"
    And the integration branch has not moved

  @mock
  Scenario: Behind a manifest's block nothing lands
    Given the configuration:
      \"\"\"
      manifest_enforcement: block
      \"\"\"
    And the agent runs:
      \"\"\"
      write src/other.js nobody asked
      \"\"\"
    When I run \"mycelium run\"
    Then the log has a \"manifest.block\" event for task \"001\"
    And the integration branch has not moved
";

/// The program that this repository builds.
fn mycelium() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let profile = Path::new(env!("CARGO_BIN_EXE_accept")).parent().unwrap();
        let name = profile.file_name().unwrap().to_str().unwrap();
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--package", "mycelium", "--bin", "mycelium"])
            .args(["--profile", if name == "debug" { "dev" } else { name }])
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "mycelium does not build");
        profile.join("mycelium")
    })
}

/// Two promises, proved, reviewed and committed.
fn honest() -> Checkout {
    let checkout = Checkout::new();
    edit(&checkout, "traceability/goals/G1.3.yaml", "fs.absent", "fs.no_run");
    checkout.write(GOAL, PROMISE);
    checkout.write(FEATURE, &format!("{PROOF}{OTHER_BLOCKS}"));
    checkout.write(".gitignore", "out*\nprogram\ntarget\n");
    fs::copy(mycelium(), checkout.path("program")).unwrap();
    review(&checkout);
    checkout
}

fn edit(checkout: &Checkout, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(checkout.path(file)).unwrap();
    assert!(text.contains(from), "{text}");
    checkout.write(file, &text.replacen(from, to, 1));
}

/// Somebody signs for everything as it is, and commits it.
fn review(checkout: &Checkout) {
    let answer = checkout.accept("review G0.1 G1.3 --by reviewer --today 2026-01-01");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    checkout.commit();
}

fn run(checkout: &Checkout, more: &str) -> Option<i32> {
    checkout.accept(&format!("run --bin program --out out --seed 1 {more}")).code
}

/// What `accept gate` exits with, and every reason of every red gate, with its name in front.
fn gate(checkout: &Checkout) -> (Option<i32>, Vec<String>) {
    gate_on(checkout, "2026-01-08")
}

/// The same on a day.
fn gate_on(checkout: &Checkout, today: &str) -> (Option<i32>, Vec<String>) {
    judged(&checkout.accept(&format!("gate --out out --bin program --json --today {today}")))
}

fn judged(answer: &Answer) -> (Option<i32>, Vec<String>) {
    let json: serde_json::Value =
        serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {}", answer.err));
    let verdicts = json["verdicts"].as_array().unwrap();
    let red = verdicts.iter().filter(|verdict| verdict["verdict"] == "red");
    let reasons = red.flat_map(|verdict| {
        let name = verdict["gate"].as_str().unwrap();
        let reasons = verdict["reasons"].as_array().unwrap().iter();
        reasons.map(move |reason| format!("{name}: {}", reason.as_str().unwrap()))
    });
    (answer.code, reasons.collect())
}

fn assert_red(checkout: &Checkout, expected: &[&str]) {
    let (code, reasons) = gate(checkout);
    assert_eq!(code, Some(1), "{reasons:#?}");
    for part in expected {
        assert!(reasons.iter().any(|reason| reason.contains(part)), "{part} is not in {reasons:#?}");
    }
}

#[test]
fn the_honest_promise_is_green_and_nothing_at_all_is_no_verdict() {
    let checkout = honest();
    let nothing = checkout.accept("gate --out out --bin program");
    assert_eq!(nothing.code, Some(2), "{}", nothing.err);
    // Nor is a run of nothing.
    assert_eq!(run(&checkout, "--tags @nope"), Some(1));
    let (code, reasons) = gate(&checkout);
    assert_eq!(code, Some(2), "{reasons:#?}");
    assert!(reasons.contains(&"whole-run: No scenario that is there now ran.".to_owned()), "{reasons:#?}");
    assert_eq!(run(&checkout, ""), Some(0));
    assert_eq!(gate(&checkout), (Some(0), Vec::new()));
}

#[test]
fn uncommitted_changes_that_became_other_ones_are_red() {
    const OTHER: &str =
        "current-results: The uncommitted changes are other ones than when the scenarios ran.";
    let checkout = honest();
    checkout.write("notes/draft.txt", "one");
    checkout.write("readme.txt", "one");
    assert_eq!(run(&checkout, ""), Some(0));
    assert_eq!(gate(&checkout), (Some(0), Vec::new()));
    checkout.write("notes/draft.txt", "two");
    assert_red(&checkout, &[OTHER]);
    checkout.write("notes/draft.txt", "one");
    assert_eq!(gate(&checkout), (Some(0), Vec::new()));
    checkout.write("notes/more.txt", "one");
    assert_red(&checkout, &[OTHER]);
}

#[test]
fn what_git_is_told_to_overlook_is_an_uncommitted_change() {
    const CHANGED: &str = "current-results: The working tree had none when the scenarios ran, and has uncommitted \
        changes now.";
    for flag in ["--skip-worktree", "--assume-unchanged"] {
        let checkout = honest();
        assert_eq!(run(&checkout, ""), Some(0));
        let git =
            Command::new("git").current_dir(checkout.path("")).args(["update-index", flag, FEATURE]).status();
        assert!(git.unwrap().success());
        assert_eq!(gate(&checkout), (Some(0), Vec::new()), "nothing is changed");
        let text = fs::read_to_string(checkout.path(FEATURE)).unwrap();
        checkout.write(FEATURE, &(text + "\n# A word.\n"));
        assert_red(&checkout, &[CHANGED]);
    }
    // Nor is any other file: the program is built of it.
    for flag in ["--skip-worktree", "--assume-unchanged"] {
        let checkout = honest();
        checkout.write("src/main.rs", "fn main() {}\n");
        checkout.commit();
        let git = Command::new("git")
            .current_dir(checkout.path(""))
            .args(["update-index", flag, "src/main.rs"])
            .status();
        assert!(git.unwrap().success());
        assert_eq!(run(&checkout, ""), Some(0));
        assert_eq!(gate(&checkout), (Some(0), Vec::new()), "nothing is changed");
        checkout.write("src/main.rs", "fn main() { lie() }\n");
        assert_red(&checkout, &[CHANGED]);
        fs::remove_file(checkout.path("src/main.rs")).unwrap();
        assert_red(&checkout, &[CHANGED]);
    }
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    checkout.write(".git/info/exclude", "/features/hidden.feature\n");
    checkout.write("features/hidden.feature", PROOF);
    assert_red(&checkout, &[CHANGED]);
}

#[test]
fn a_linked_test_that_fails_is_red() {
    let checkout = honest();
    // The real program, but a block is only a warning to it.
    checkout.bare_program(&format!(
        "[ \"$1\" = run ] && sed -i 's/mode: block/mode: warn/' .mycelium/config.yaml\nexec '{}' \"$@\"",
        mycelium().display()
    ));
    assert_eq!(run(&checkout, ""), Some(1));
    assert_red(&checkout, &["tier-coverage: Tier 0: 0 of 1 goals are verified", "G0.1 is failing"]);
}

#[test]
fn a_linked_test_that_is_skipped_is_red() {
    let checkout = honest();
    // In no lane of this machine, with the signature of a reviewer.
    let text = fs::read_to_string(checkout.path(FEATURE)).unwrap();
    checkout.write(FEATURE, &text.replace("  @mock\n", "  @docker\n"));
    review(&checkout);
    assert_eq!(run(&checkout, ""), Some(0), "nothing fails");
    assert_red(&checkout, &["G0.1 is not-run"]);
    // Or the stream says so.
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    let stream = fs::read_to_string(checkout.path("out/messages.ndjson")).unwrap();
    checkout.write("out/messages.ndjson", &stream.replace("\"PASSED\"", "\"SKIPPED\""));
    assert_red(&checkout, &["G0.1 is not-run"]);
}

#[test]
fn a_linked_test_that_does_not_run_is_red() {
    let checkout = honest();
    assert_eq!(run(&checkout, "--tags @G1.3"), Some(0), "nothing fails");
    assert_red(&checkout, &["whole-run: The run was not whole", "G0.1 is not-run"]);
}

#[test]
fn a_promise_that_changed_after_its_review_is_red() {
    let checkout = honest();
    edit(&checkout, GOAL, "nothing lands.", "little lands.");
    checkout.commit();
    assert_eq!(run(&checkout, ""), Some(0), "nothing fails");
    assert_red(
        &checkout,
        &[
            "suspect-links: G0.1: The text of the goal changed",
            "denominator: The statement of G0.1 is not the locked one",
            "G0.1 is suspect",
        ],
    );
}

#[test]
fn a_promise_that_a_review_makes_easier_to_prove_is_red() {
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    edit(&checkout, GOAL, "manifest.block]", "manifest.block, usage.update]");
    review(&checkout);
    edit(&checkout, GOAL, ", usage.update]", "]");
    edit(&checkout, GOAL, "nothing lands.", "little lands.");
    let answer = checkout.accept("review G0.1 --by reviewer --dry-run");
    for told in [
        "its statement is not the locked one: who records this review signs for the new one",
        "\"event usage.update\" is locked and not declared any more: no review gives that up, but a sign-off in \
         traceability/denominator.yaml",
    ] {
        assert!(answer.err.contains(told), "{}", answer.err);
    }
    review(&checkout);
    assert_eq!(run(&checkout, ""), Some(0), "nothing fails");
    let lost =
        "denominator: G0.1 does not declare \"event usage.update\" any more, and nobody signed for it.";
    assert_eq!(gate(&checkout), (Some(1), vec![lost.to_owned()]));
    let signed = "signoffs:\n  - {goal: G0.1, what: weakened, lost: [event usage.update], reason: r, by: b, date: 2026-01-01}\n";
    edit(&checkout, "traceability/denominator.yaml", "signoffs: []\n", signed);
    checkout.commit();
    assert_eq!(run(&checkout, ""), Some(0));
    assert_eq!(gate(&checkout), (Some(0), Vec::new()));
}

#[test]
fn a_deadline_is_judged_by_the_day_that_is_given() {
    let checkout = honest();
    let text = "0".repeat(64);
    checkout.write(
        "traceability/quarantine.yaml",
        &format!(
            "- {{goal: G1.3, scenario: it says so, fingerprint: {text}, issue: https://issues/1, hypothesis: h, \
             owner: o, evidence: e, first_seen: 2026-01-01, quarantined_at: 2026-01-01, expires: 2026-01-08}}\n"
        ),
    );
    checkout.commit();
    assert_eq!(run(&checkout, ""), Some(0));
    let expired = |today: &str| {
        gate_on(&checkout, today).1.iter().any(|reason| reason.contains("expired on 2026-01-08"))
    };
    assert!(!expired("2026-01-08") && expired("2026-01-09"));
    for day in ["tomorrow", "2026-02-30"] {
        let answer = checkout.accept(&format!("gate --out out --bin program --today {day}"));
        assert_eq!(answer.code, Some(2), "{}", answer.err);
    }
}

/// The page is what people read: it never says more than the gate over the same.
#[test]
fn the_page_says_what_the_gate_says_of_a_history_that_is_handed_on() {
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    let flake = checkout.accept("flake --bin program --repeat 2 --history out-shared.jsonl");
    assert_eq!(flake.code, Some(0), "{}", flake.err);
    let shared = checkout.path("out-shared.jsonl");
    let lines = fs::read_to_string(&shared).unwrap();
    fs::write(&shared, lines.replacen("\"passed\"", "\"failed\"", 1)).unwrap();
    let page = |more: &str| {
        let answer = checkout.accept(&format!("report --bin program --out out --today 2026-01-08 {more}"));
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        fs::read_to_string(checkout.path("out/summary.md")).unwrap()
    };
    assert!(page("").contains("Yes: "), "{}", page(""));
    let handed_on = "--history out-shared.jsonl";
    let gate =
        checkout.accept(&format!("gate --bin program --out out --json --today 2026-01-08 {handed_on}"));
    assert!(judged(&gate).1.iter().any(|reason| reason.contains("is flaky")), "{:?}", judged(&gate));
    assert!(!page(handed_on).contains("Yes: "), "{}", page(handed_on));
    let matrix = checkout.accept(&format!("matrix --bin program --out out --json {handed_on}")).json();
    let rows = matrix["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["status"] == "flaky"), "{matrix}");
}

#[test]
fn a_quarantine_that_begins_later_or_is_written_anew_is_red() {
    let checkout = honest();
    let enter = |from: &str, to: &str| {
        let text = "0".repeat(64);
        checkout.write(
            "traceability/quarantine.yaml",
            &format!(
                "- {{goal: G1.3, scenario: it says so, fingerprint: {text}, issue: https://issues/1, hypothesis: h, \
                 owner: o, evidence: e, first_seen: {from}, quarantined_at: {from}, expires: {to}}}\n"
            ),
        );
        checkout.commit();
    };
    enter("2026-01-01", "2026-01-08");
    checkout.write("traceability/quarantine.yaml", "[]\n");
    checkout.commit();
    enter("2026-01-10", "2026-01-17");
    assert_eq!(run(&checkout, ""), Some(0));
    let red = |today: &str| {
        let reasons = gate_on(&checkout, today).1;
        reasons.into_iter().filter(|reason| reason.starts_with("quarantine: The")).collect::<Vec<_>>()
    };
    let entry = "quarantine: The quarantine of \"it says so\" for G1.3";
    assert_eq!(red("2026-01-09"), [format!("{entry} begins on 2026-01-10, and today is 2026-01-09.")]);
    let before =
        "was there until 2026-01-08 before, 9 of the last 90 days in all: one renewal is all there is";
    assert_eq!(red("2026-01-10"), [format!("{entry} {before}.")]);
}

#[test]
fn a_link_to_no_promise_is_red() {
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    edit(&checkout, FEATURE, "  @control", "  @G0.9 @control");
    assert_red(
        &checkout,
        &["orphans: features/tier0/G0.1-a-block-never-merges.feature:22: There is no goal G0.9"],
    );
    let refused = checkout.accept("run --bin program --out out");
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("unknown-goal"), "{}", refused.err);
}

#[test]
fn a_promise_whose_scenarios_are_deleted_is_red() {
    let checkout = honest();
    fs::remove_file(checkout.path("features/tier1/G1.3-a-run-executes.feature")).unwrap();
    checkout.commit();
    assert_eq!(run(&checkout, ""), Some(0), "nothing fails");
    assert_red(
        &checkout,
        &[
            "suspect-links: G1.3: No scenario is tagged with it.",
            "denominator: G1.3 does not declare \"scenario mock\" any more, and nobody signed for it.",
        ],
    );
}

#[test]
fn a_proof_that_a_review_exchanges_for_none_is_red_and_named() {
    let checkout = honest();
    // The real program, but a block is only a warning to it.
    checkout.bare_program(&format!(
        "[ \"$1\" = run ] && sed -i '/budgets/,/max_/s/mode: block/mode: warn/' .mycelium/config.yaml\nexec '{}' \"$@\"",
        mycelium().display()
    ));
    // Instead of a block an agent that fails.
    let from = PROOF.find("    Given the configuration:").unwrap();
    let to = PROOF.find("    And the integration branch has not moved").unwrap();
    let nothing = |witness: &str| {
        let nothing = "    Given the agent runs:\n      \"\"\"\n      exit 1\n      \"\"\"\n    When I run \"mycelium run\"\n";
        format!("{}{nothing}    Then {witness}\n{}", &PROOF[..from], &PROOF[to..])
    };
    let other_events =
        ["validator.block", "manifest.block"].iter().fold(OTHER_BLOCKS.to_owned(), |text, block| {
            text.replace(&format!("\"{block}\" event for task \"001\""), "\"run.start\" event")
        });
    // The witness is another block, so that nothing shows what happens after this one.
    let witness = "the log has a \"run.start\" event";
    checkout.write(FEATURE, &format!("{}{OTHER_BLOCKS}", nothing(witness)));
    review(&checkout);
    assert_eq!(run(&checkout, ""), Some(0), "nothing fails");
    let unseen = "no-merge-safety: No scenario of G0.1 finds a budget.block event and the integration branch where it was.";
    assert_eq!(gate(&checkout), (Some(1), vec![unseen.to_owned()]));
    let answer = checkout.accept("gate --out out --bin program --json --today 2026-01-08");
    assert!(answer.out.contains("Reviews replaced locked scenarios of G0.1."), "{}", answer.out);
    // The witness is what an event says that every run has, or that there is none.
    for (assertion, witness) in [
        (
            "event.payload",
            "a \"run.start\" event says:\n      | field | value |\n      | integration_branch | main |",
        ),
        ("event.count", "the log has 0 \"budget.block\" events"),
    ] {
        checkout.write(GOAL, &PROMISE.replace("event.present", assertion));
        checkout.write(FEATURE, &format!("{}{other_events}", nothing(witness)));
        review(&checkout);
        assert_eq!(run(&checkout, ""), Some(0), "{assertion}: nothing fails");
        assert_red(&checkout, &["G0.1 is weak"]);
    }
}

#[test]
fn what_stands_behind_a_link_is_no_input_and_hides_nothing() {
    let checkout = honest();
    for (file, is_red) in [("denominator.yaml", true), ("quarantine.yaml", true), ("gates.yaml", false)] {
        let (path, elsewhere) =
            (checkout.path(&format!("traceability/{file}")), checkout.path("elsewhere.yaml"));
        let before = checkout.commit();
        assert_eq!(run(&checkout, ""), Some(0));
        if !path.exists() {
            fs::write(&path, "[]\n").unwrap();
        }
        fs::rename(&path, &elsewhere).unwrap();
        symlink("../elsewhere.yaml", &path).unwrap();
        let linked = checkout.commit();
        for command in
            ["run --bin program --out out --seed 1", "gate --bin program --out out", "review G0.1 --by a"]
        {
            let answer = checkout.accept(command);
            assert_eq!(answer.code, Some(2), "{command}: {}", answer.err);
            assert!(answer.err.contains(&format!("{file} is a link")), "{command}: {}", answer.err);
        }
        // With the file in its place again the history still does not say what was locked meanwhile.
        fs::remove_file(&path).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
        checkout.commit();
        assert_eq!(run(&checkout, ""), Some(0));
        let told = gate(&checkout)
            .1
            .iter()
            .any(|reason| reason.starts_with(&format!("denominator: In commit {linked} {file} is a link")));
        assert_eq!(told, is_red, "{file} after {before}");
    }
    let (goals, elsewhere) = (checkout.path("traceability/goals"), checkout.path("out/goals"));
    fs::rename(&goals, &elsewhere).unwrap();
    symlink("../out/goals", &goals).unwrap();
    let answer = checkout.accept("gate --bin program --out out");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("traceability/goals is a link"), "{}", answer.err);
}

#[test]
fn a_history_that_a_file_cuts_off_is_red() {
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    assert_eq!(gate(&checkout), (Some(0), Vec::new()));
    let commit = checkout.commit();
    assert_eq!(run(&checkout, ""), Some(0));
    checkout.write(".git/info/grafts", &format!("{commit}\n"));
    let (code, reasons) = gate(&checkout);
    assert_eq!(code, Some(1), "{reasons:#?}");
    let said = "denominator: The history is cut off, so nobody knows what was locked: remove ";
    assert!(reasons[0].starts_with(said) && reasons[0].ends_with(".git/info/grafts."), "{reasons:#?}");
}

#[test]
fn a_promise_that_is_given_up_with_its_lock_is_red() {
    let checkout = honest();
    for (from, to) in [
        ("traceability/goals/G1.3.yaml", "traceability/goals/G1.4.yaml"),
        ("features/tier1/G1.3-a-run-executes.feature", "features/tier1/G1.4-it-says-so.feature"),
    ] {
        let text = fs::read_to_string(checkout.path(from)).unwrap();
        checkout.write(to, &text.replace("G1.3", "G1.4"));
        fs::remove_file(checkout.path(from)).unwrap();
    }
    // Everything that names it goes with it, and somebody signs for the rest.
    for file in ["traceability/denominator.yaml", "traceability/links.yaml"] {
        fs::remove_file(checkout.path(file)).unwrap();
    }
    let answer = checkout.accept("review G0.1 G1.4 --by reviewer --today 2026-01-01");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    checkout.commit();
    assert_eq!(run(&checkout, ""), Some(0), "nothing fails");
    let (code, reasons) = gate(&checkout);
    assert_eq!((code, reasons.len()), (Some(1), 1), "{reasons:#?}");
    assert!(reasons[0].starts_with("denominator: The lock of G1.3 was taken away; commit "), "{reasons:#?}");
}

#[test]
fn a_promise_that_is_given_up_while_the_project_moves_is_red() {
    let checkout = honest();
    let sub = checkout.path("sub");
    fs::create_dir(&sub).unwrap();
    for folder in ["traceability", "features"] {
        fs::rename(checkout.path(folder), sub.join(folder)).unwrap();
    }
    for file in ["goals/G1.3.yaml", "denominator.yaml", "links.yaml"] {
        let path = sub.join("traceability").join(file);
        if file.starts_with("goals") {
            let text = fs::read_to_string(&path).unwrap();
            checkout.write("sub/traceability/goals/G1.4.yaml", &text.replace("G1.3", "G1.4"));
        }
        fs::remove_file(path).unwrap();
    }
    let feature = sub.join("features/tier1/G1.3-a-run-executes.feature");
    let text = fs::read_to_string(&feature).unwrap();
    checkout.write("sub/features/tier1/G1.4-it-says-so.feature", &text.replace("G1.3", "G1.4"));
    fs::remove_file(feature).unwrap();
    let accept =
        |arguments: &str| Answer::new(&checkout.command(arguments).current_dir(&sub).output().unwrap());
    assert_eq!(accept("review G0.1 G1.4 --by reviewer --today 2026-01-01").code, Some(0));
    checkout.commit();
    let ran = accept("run --bin ../program --out ../out --seed 1");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let (code, reasons) = judged(&accept("gate --out ../out --bin ../program --json --today 2026-01-08"));
    assert_eq!((code, reasons.len()), (Some(1), 1), "{reasons:#?}");
    assert!(reasons[0].starts_with("denominator: The lock of G1.3 was taken away; commit "), "{reasons:#?}");
}

#[test]
fn a_review_on_a_day_that_did_not_come_yet_is_red() {
    let checkout = honest();
    assert_eq!(run(&checkout, ""), Some(0));
    assert_eq!(gate_on(&checkout, "2026-01-01"), (Some(0), Vec::new()));
    let (code, reasons) = gate_on(&checkout, "2025-12-31");
    assert_eq!(code, Some(1), "{reasons:#?}");
    let expected = "suspect-links: G0.1: traceability/links.yaml says that it was reviewed on 2026-01-01, and today is \
                    2025-12-31.";
    assert!(reasons.contains(&expected.to_owned()), "{reasons:#?}");
}
