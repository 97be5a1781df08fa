//! What a human is told about work that waits, and which decisions are taken.

use crate::{
    place::{Done, Place},
    plans::ONE,
};

const THREE: &str = r#"{"tasks": [
    {"id": "001", "name": "One", "files": {"writes": ["src/one.js"]}, "spec": "One."},
    {"id": "002", "name": "Two", "files": {"writes": ["src/two.js"]}, "spec": "Two."},
    {"id": "003", "name": "Three", "files": {"writes": ["src/three.js"]}, "spec": "Three."}
]}"#;
/// Writes a file of the task's own, and spends what the file `spend` in the home says.
const AGENT: &str = "max_retries: 0\nworker: { agent: command, command: 'echo x > src/w$MYCELIUM_TASK_ID.js; printf \"{\\\"type\\\":\\\"turn.completed\\\",\\\"usage\\\":{\\\"input_tokens\\\":1500,\\\"output_tokens\\\":0}}\\\\n\"' }\n";

fn listed(place: &mut Place) -> Done {
    place.run(&["review", "list"]).exits(0)
}

#[test]
fn an_approval_beside_other_blocks_says_what_it_waits_for_and_stays_in_sight() {
    // Each task writes what no manifest allows.
    let mut place = Place::with_plan(&format!("manifest_enforcement: block\n{AGENT}"), THREE);
    place
        .run(&["run", "--run-id", "r1"])
        .exits(1)
        .complains(&["tasks that wait for a human: 001, 002, 003; see `mycelium review list --run-id r1`"]);
    // With its name or without: what failed is no success.
    place.run(&["resume", "--run-id", "r1"]).exits(1);
    place.run(&["resume"]).exits(1).complains(&[
        "run r1 failed and goes on once a human has decided about 001 (needs_human_review), 002",
        "next: `mycelium review list --run-id r1`",
    ]);
    let approved = place.run(&["review", "approve", "002"]).exits(0);
    let approved =
        approved.complains(&["gates still block 001, 003: nothing lands until that is decided too"]);
    assert!(!approved.stderr.contains("acts on it"), "{approved:#?}");
    let head = place.head();
    // Resumed all the same: it lands nothing, and says whom it waits for.
    for words in [&["resume"][..], &["resume", "--run-id", "r1"]] {
        let again = place.run(words).complains(&["001"]);
        assert!(!again.stderr.contains("next: `mycelium run`"), "{again:#?}");
    }
    assert_eq!(place.head(), head);
    let list = listed(&mut place);
    assert!(list.stdout.contains("002  approved  "), "{list:#?}");
    assert!(list.stdout.contains("001  needs_human_review  "), "{list:#?}");
    place.run(&["review", "reject", "001"]).exits(0).complains(&["gates still block 003"]);
    place
        .run(&["review", "approve", "003"])
        .exits(0)
        .complains(&["`mycelium resume --run-id r1` acts on it"]);
    place.run(&["resume"]).exits(1);
    let list = listed(&mut place);
    assert!(!list.stdout.contains("002"), "what landed does not wait: {list:#?}");
    assert_ne!(place.head(), head);
}

#[test]
fn a_retry_that_the_budget_would_block_is_refused_with_the_key_to_change() {
    let limited = |limit: u32| {
        let worker = AGENT.replace("src/w$MYCELIUM_TASK_ID.js", "src/one.js");
        format!(
            "integration_branch: main\ndoctor: scripts/doctor.sh\n{worker}budgets: {{ max_tokens_per_task: {limit} }}\n"
        )
    };
    let mut place = Place::with_plan("", ONE);
    place.write(".mycelium/config.yaml", &limited(1000));
    place.run(&["run", "--run-id", "r1"]).exits(1);
    place.run(&["review", "retry", "001"]).exits(2).complains(&[
        "task 001 has used 1500 tokens, and its limit is 1000 tokens",
        "`budgets.max_tokens_per_task` in .mycelium/config.yaml",
    ]);
    let status = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!((&status["status"], &status["tasks"]["001"]["attempts"]), (&"failed".into(), &1.into()));
    // Enough for what was used, not for another attempt; corrected before it is resumed.
    place.write(".mycelium/config.yaml", &limited(2000));
    place.run(&["review", "retry", "001"]).exits(0);
    let list = listed(&mut place).complains(&["`mycelium resume --run-id r1` acts on it"]);
    assert!(list.stdout.contains("001  to be done again  "), "{list:#?}");
    place.write(".mycelium/config.yaml", &limited(5000));
    place.run(&["review", "retry", "001"]).exits(0);
    place.run(&["resume"]).exits(0);
    let status = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!((&status["status"], &status["tasks"]["001"]["attempts"]), (&"complete".into(), &2.into()));
}

#[test]
fn a_task_that_was_never_begun_is_not_done_again() {
    let mut place = Place::with_plan(
        "max_parallel: 1\ntask_failure_policy: fail_fast\nworker: { agent: command, command: exit 1 }\n",
        THREE,
    );
    place.run(&["run", "--run-id", "r1"]).exits(1);
    place.run(&["review", "retry", "002"]).exits(2).complains(&["it does not wait for a human"]);
    place
        .run(&["review", "show", "02"])
        .exits(2)
        .complains(&["run r1 has no task 02", "did you mean `002`? its tasks are 001, 002, 003"]);
}
