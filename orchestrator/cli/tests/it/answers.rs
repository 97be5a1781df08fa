//! Under `--json` every command answers one document, valid by the schema that the program itself prints.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{place::Place, plans::ONE};

/// An agent that does what the manifest does not allow.
const STRAY: &str = "manifest_enforcement: block\nmax_retries: 0\nworker:\n  agent: command\n  command: echo stray >stray.txt\n";

/// Schemas of what is written to files; those of `accept` are checked where it is.
const OF_FILES: [&str; 21] = [
    "bench",
    "cassette",
    "candidate",
    "compliance",
    "config",
    "conflict",
    "evaluation",
    "event",
    "execution",
    "goal",
    "goal-review",
    "impact",
    "manifest",
    "matrix",
    "model-response",
    "mutation",
    "plan-index",
    "plan-snapshot",
    "sabotage",
    "state",
    "validator-report",
];

/// Asks, and has every answer checked.
struct Asked {
    place: Place,
    schemas: BTreeSet<String>,
}

impl Asked {
    fn new(place: Place) -> Self {
        Self { place, schemas: BTreeSet::new() }
    }

    /// The answer to a command, by its schema and no other of those that an answer could be mistaken for.
    #[track_caller]
    fn ask(&mut self, schema: &str, code: i32, command: &str) -> Value {
        let words: Vec<&str> = command.split_whitespace().chain(["--json"]).collect();
        let answer = self.place.run(&words).exits(code).json();
        self.place.assert_valid(schema, &answer);
        self.schemas.insert(schema.to_owned());
        answer
    }
}

fn before_the_first_run(asked: &mut Asked) {
    assert_eq!(asked.ask("init", 0, "init")["files"][0]["written"], "created");
    assert_eq!(asked.ask("init", 0, "init")["files"][0]["written"], "kept");
    assert_eq!(asked.ask("init", 0, "init --force")["files"][0]["written"], "replaced");
    for command in ["status", "resume", "review list", "logs query", "logs timeline", "logs failures"] {
        let schema = command.strip_suffix(" list").or(command.strip_suffix(" query")).unwrap_or(command);
        asked.ask(&schema.replace(' ', "-"), 0, command);
    }
    asked.ask("clean", 0, "clean --dry-run");
    asked.ask("version", 0, "--version");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert_eq!(asked.ask("completions", 0, &format!("completions {shell}"))["shell"], shell);
    }
    assert_eq!(asked.ask("demo", 0, "demo")["kept"], false);
    let known = asked.ask("schema", 0, "schema");
    for name in known.as_array().unwrap() {
        asked.ask("schema", 0, &format!("schema {}", name.as_str().unwrap()));
    }
}

fn planned_and_run(asked: &mut Asked) {
    asked.place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
    for (words, outcome) in [("--dry-run", "dry_run"), ("", "written"), ("", "unchanged")] {
        let command = format!("plan --input .mycelium/plan.md {words}");
        assert_eq!(asked.ask("plan", 0, &command)["outcome"], outcome);
    }
    assert_eq!(asked.ask("run", 0, "run --dry-run")["batches"][0][0], "001");
    assert_eq!(asked.ask("run", 1, "run --run-id r1")["status"], "failed");
    assert_eq!(asked.ask("status", 0, "status")["run_id"], "r1");
    assert_eq!(asked.ask("review", 0, "review list")["waiting"][0]["task"], "001");
    assert_eq!(asked.ask("review", 0, "review show 001")["task"], "001");
    asked.ask("logs", 0, "logs query");
    asked.ask("logs", 0, "logs follow");
    assert_eq!(asked.ask("logs-timeline", 0, "logs timeline")["run_id"], "r1");
    assert_eq!(asked.ask("logs-failures", 0, "logs failures")["run_id"], "r1");
    assert_eq!(asked.ask("resume", 1, "resume --run-id r1")["status"], "failed");
    assert_eq!(asked.ask("review", 0, "review retry 001")["run_id"], "r1");
    assert_eq!(asked.ask("resume", 1, "resume")["status"], "failed");
    asked.ask("doctor", 0, "doctor");
}

#[test]
fn every_answer_is_as_its_schema_says_and_every_schema_has_an_answer() {
    let mut asked = Asked::new(Place::new());
    before_the_first_run(&mut asked);
    let Asked { schemas, .. } = asked;
    let mut asked = Asked { place: Place::with_config(STRAY), schemas };
    planned_and_run(&mut asked);
    asked.ask("review", 0, "review reject 001");
    let refused = asked.ask("error", 2, "run --run-id r1");
    assert_eq!(refused["error"]["kind"], "input");
    asked.place.write(".mycelium/config.yaml", "integration_branch: 1\nnonsense: 2\n");
    assert!(asked.ask("error", 2, "run")["error"]["problems"].as_array().unwrap().len() > 1);
    assert_eq!(asked.ask("error", 2, "stauts")["error"]["kind"], "usage");
    asked.ask("clean", 0, "clean --all --force");
    let known = asked.place.run(&["schema"]).exits(0).stdout;
    let known: BTreeSet<&str> = known.lines().filter(|name| !OF_FILES.contains(name)).collect();
    assert_eq!(asked.schemas.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[test]
fn work_that_is_approved_and_work_that_is_done_answer_by_their_schemas() {
    let mut asked = Asked::new(Place::with_plan(STRAY, ONE));
    asked.ask("run", 1, "run --run-id r1");
    asked.ask("review", 0, "review approve 001");
    assert_eq!(asked.ask("resume", 0, "resume")["status"], "complete");
    assert_eq!(asked.ask("resume", 0, "resume --run-id r1")["status"], "complete");
    assert!(asked.ask("resume", 0, "resume")["run_id"].is_null());
    assert_eq!(asked.ask("review", 0, "review")["waiting"], serde_json::json!([]));
    assert_eq!(asked.ask("run", 0, "run")["landed_before"]["001"], "r1");
}
