//! Goal files: the reader and the schema that editors use agree on what a goal is.

use std::fs;

use jsonschema::Validator;
use mycelium_schemas::{goal::spec, problem::Source};
use serde_json::Value;

fn validator() -> Validator {
    let schema = mycelium_schemas::schemas().remove("goal").unwrap();
    jsonschema::validator_for(schema.as_value()).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn sample() -> String {
    fs::read_to_string(crate::file("samples/v1/goal.yaml")).unwrap()
}

fn is_read(text: &str) -> bool {
    spec::parse(&Source::new("G0.1.yaml", text)).is_ok()
}

#[test]
fn every_goal_of_this_repository_and_the_kept_sample_are_valid_by_the_schema() {
    let validator = validator();
    let mut goals = vec![sample()];
    for entry in fs::read_dir(crate::file("../traceability/goals")).unwrap() {
        goals.push(fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    assert!(goals.len() > 1);
    for goal in goals {
        let flaws: Vec<String> = validator
            .iter_errors(&yaml(&goal))
            .map(|flaw| format!("{}: {flaw}", flaw.instance_path()))
            .collect();
        assert!(flaws.is_empty(), "{goal}\n{flaws:#?}");
    }
    assert!(is_read(&sample()));
}

#[test]
fn what_the_reader_refuses_the_schema_refuses_and_what_it_takes_the_schema_takes() {
    let validator = validator();
    let line = |key: &str| sample().lines().find(|line| line.starts_with(key)).unwrap().to_owned() + "\n";
    let cases: [(&str, &str, bool); 27] = [
        ("id: G0.1", "id: G3.1", false),
        ("id: G0.1", "id: G0.01", false),
        ("tier: 0", "tier: 3", false),
        ("tier: 0", "tier: zero", false),
        ("title: Budget block never merges", "title: ' '", false),
        (&line("title"), "", false),
        (&line("hook"), "", false),
        (&line("owner"), "ownr: orchestrator\n", false),
        ("scope: [run]", "scope: []", false),
        ("scope: [run]", "scope: [rn]", false),
        ("scope: [run]", "scope: [run, run]", false),
        ("given: a limit, ", "", false),
        ("given: a limit", "given: a limit, but: more", false),
        (&line("artifacts"), "artifacts: {state: [], events: [], git: []}\n", false),
        (&line("artifacts"), "artifacts: {git: [the branch has not moved]}\n", true),
        ("events: [budget.block]", "events: [budget.blok]", false),
        ("assertion: git.branch_unmoved", "assertion: gitt.branch_unmoved", false),
        ("assertion: git.branch_unmoved", "assertion: branch_unmoved", false),
        ("{text: The integration branch moves., assertion: git.branch_unmoved}", "{text: only}", false),
        ("witness:\n  - {text: The block is on record., assertion: event.present}", "witness: []", false),
        (
            "control:\n  - {text: With the limit off the task lands., assertion: git.branch_moved}\n",
            "",
            false,
        ),
        ("flake_risk: low", "flake_risk: none", false),
        ("lanes: [mock, docker]", "lanes: [moon]", false),
        ("ci_jobs: [unit-and-acceptance-local]", "ci_jobs: []", false),
        ("saboteurs: []\n", "", true),
        ("saboteurs: []", "saboteurs:", true),
        ("config: [budgets.mode, budgets.max_tokens_per_task]\n", "", true),
    ];
    for (from, to, good) in cases {
        let text = sample().replace(from, to);
        assert_ne!(text, sample(), "{from}");
        assert_eq!(is_read(&text), good, "the reader on {to:?}");
        assert_eq!(validator.is_valid(&yaml(&text)), good, "the schema on {to:?}");
    }
}
