//! What `.ci/mutants` left, as the gate of the built program reads it.

use std::fs;

use serde_json::{Value, json};

use crate::checkout::{Answer, Checkout};

const FILE: &str = "target/mutants/mutation.json";

/// A commit with a run of it, and the commit's tree.
fn checkout() -> (Checkout, String) {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.write(".gitignore", "/target\n/out\n/program\n");
    checkout.commit();
    let ran = checkout.accept("run --bin program --out out");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let repository = git2::Repository::open(checkout.path("")).unwrap();
    let tree = repository.head().unwrap().peel_to_tree().unwrap().id().to_string();
    (checkout, tree)
}

/// An answer in which all is noticed, about a tree.
fn answer(tree: &str) -> Value {
    let files = [
        "orchestrator/core/src/budget.rs",
        "orchestrator/core/src/manifest.rs",
        "orchestrator/core/src/permit.rs",
        "orchestrator/core/src/settle.rs",
        "traceability/src/catalogue.rs",
        "traceability/src/denominator.rs",
        "traceability/src/fingerprint.rs",
        "traceability/src/flake/bound.rs",
        "traceability/src/gates.rs",
        "traceability/src/gates/judge.rs",
        "traceability/src/matrix.rs",
        "traceability/src/matrix/row.rs",
        "traceability/src/mutation.rs",
        "traceability/src/performance.rs",
        "traceability/src/results/read.rs",
        "traceability/src/sabotage.rs",
    ];
    let files = files.map(|file| json!({"file": file, "noticed": 2, "not_code": 0, "survived": 0}));
    json!({"schema_version": 1, "tree": tree, "partial": [], "files": files, "survivors": []})
}

fn gate(checkout: &Checkout) -> Answer {
    checkout.accept("gate --profile nightly --bin program --out out --json --today 2026-01-08")
}

/// What the gate `mutation` says.
fn verdict(checkout: &Checkout) -> (String, String) {
    let answer = gate(checkout);
    let json = answer.json();
    let verdicts = json["verdicts"].as_array().unwrap();
    let verdict = verdicts.iter().find(|verdict| verdict["gate"] == "mutation").unwrap();
    (verdict["verdict"].as_str().unwrap().to_owned(), verdict["reasons"].to_string())
}

#[test]
fn the_gate_is_green_over_an_answer_about_this_tree_alone() {
    let (checkout, tree) = checkout();
    let (found, reasons) = verdict(&checkout);
    assert!(found == "red" && reasons.contains("Nobody asked"), "{found}: {reasons}");
    checkout.write(FILE, &answer(&tree).to_string());
    let (found, reasons) = verdict(&checkout);
    assert!(found == "green" && reasons.contains("Tests notice 32 changes"), "{found}: {reasons}");
    checkout.write(FILE, &answer(&"0".repeat(40)).to_string());
    let (found, reasons) = verdict(&checkout);
    assert!(found == "red" && reasons.contains("another than what is here now"), "{found}: {reasons}");
}

#[test]
fn an_answer_that_cannot_be_read_is_bad_input() {
    let (checkout, tree) = checkout();
    for (text, said) in [
        (
            answer(&tree).to_string().replace("\"schema_version\":1", "\"schema_version\":2"),
            "format version 2",
        ),
        (answer(&tree).to_string()[..90].to_owned(), "cannot understand"),
        (String::new(), "cannot understand"),
    ] {
        checkout.write(FILE, &text);
        let answer = gate(&checkout);
        assert_eq!(answer.code, Some(2), "{answer:?}");
        assert!(answer.err.contains(said) && answer.err.contains("mutation.json"), "{said}: {}", answer.err);
    }
    fs::remove_file(checkout.path(FILE)).unwrap();
    fs::create_dir(checkout.path(FILE)).unwrap();
    assert_eq!(gate(&checkout).code, Some(2), "a folder is no answer");
}
