//! Validators that ask a model: they see the diff that would land, what they use counts, and without a report nothing
//! lands where they block.

use std::fs;

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Turn};
use serde_json::{Value, json};

use crate::{place::Place, plans::ONE};

const KEY: &str = "sk-the-operators-own-key-0123456789";
const USED: Tokens = Tokens { input: 1000, cached: 600, cache_write: 0, output: 50, reasoning: 20 };

fn says(text: &str) -> Turn {
    Turn { text: Some(text.to_owned()), usage: USED, ..Turn::default() }
}

fn passes() -> Turn {
    says(r#"{"pass": true, "summary": "fine", "issues": []}"#)
}

fn serve(turns: Vec<Turn>) -> ModelServer {
    ModelServer::start(Script { turns, ..Script::default() }).unwrap()
}

fn place(mode: &str, models: &ModelServer, more: &str) -> Place {
    let config = format!(
        "test_validator: {{ mode: {mode}, provider: openai, model: m1 }}\n\
         gateway: {{ openai: {{ base_url: \"{}\", key: OPERATORS_KEY }} }}\nmax_retries: 0\n{more}",
        models.base_url()
    );
    let mut place = Place::with_plan(&config, ONE);
    place.sandbox.set("OPERATORS_KEY", KEY);
    place
}

const PRICES: &str = "prices: { m1: { input: 2, cached_input: 0.5, output: 10 }, default: { input: 1, output: 1 } }, prices_as_of: \"2026-01-31\"";

fn used(status: &Value) -> Value {
    json!([status["usage"], status["tasks"]["001"]["usage"], status["validators"]["test"]])
}

#[test]
fn a_validator_sees_the_diff_that_would_land_and_what_it_used_is_told_apart() {
    let models = serve(vec![passes()]);
    let mut place = place("block", &models, &format!("budgets: {{ {PRICES} }}\n"));
    // The mock agent tells a usage of its own.
    place
        .sandbox
        .set("MOCK_CODEX_USAGE", r#"{"input_tokens": 30, "cached_input_tokens": 10, "output_tokens": 5}"#);
    let ran = place.run(&["run", "--run-id", "r1"]).exits(0);
    for part in [
        "1085 tokens (610 cached, 20 reasoning), $0.001635 at the prices of 2026-01-31",
        "of these, the test validator used 1050 tokens (600 cached, 20 reasoning), $0.001600",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    let status = place.run(&["status", "--json"]).exits(0).json();
    place.assert_valid("status", &status);
    let all = json!({
        "input_tokens": 1030, "cached_input_tokens": 610, "output_tokens": 55, "reasoning_output_tokens": 20,
        "cost_microusd": 1635,
    });
    let judge = json!({
        "input_tokens": 1000, "cached_input_tokens": 600, "output_tokens": 50, "reasoning_output_tokens": 20,
        "cost_microusd": 1600,
    });
    assert_eq!(used(&status), json!([all, all, judge]));
    let [asked] = &models.asked()[..] else { panic!("asked more than once") };
    let told = asked.body.to_string();
    assert!(told.contains("diff --git a/src/one.js b/src/one.js") && told.contains("001 One"), "{told}");
    assert!(asked.headers.values().any(|value| value.contains(KEY)));
    let prompt = place.project_dir().join("runs/r1/tasks/001/attempt-1/validator-test.prompt.md");
    assert!(fs::read_to_string(prompt).unwrap().contains("+001"));
    // The attempt's event says what of it was the validator's.
    let events = place.run(&["logs", "--type", "usage.update", "--json"]).exits(0).json().to_string();
    assert!(events.contains(r#""validators":{"test":{"#), "{events}");
}

#[test]
fn without_a_report_nothing_lands_where_the_validator_blocks() {
    let refused = |status| Turn {
        status: Some(status),
        headers: [("retry-after".to_owned(), "0".to_owned())].into(),
        ..Turn::default()
    };
    for (turn, said) in [
        (says(r#"{"pass": false, "summary": "no test", "issues": []}"#), "no test"),
        (says("looks good to me"), "is not one report"),
        (refused(500), "answered with 500"),
        (refused(401), "the key was not accepted"),
    ] {
        let models = serve(vec![turn.clone()]);
        let mut blocked = place("block", &models, "");
        let before = blocked.head();
        blocked.run(&["run", "--run-id", "r1"]).exits(1).complains(&[said]);
        assert_eq!(blocked.head(), before, "{said}");
        let models = serve(vec![turn]);
        let mut warned = place("warn", &models, "");
        warned.run(&["run", "--run-id", "r1"]).exits(0).complains(&[said]);
        warned.landed_once("001");
    }
}

#[test]
fn a_validator_that_does_not_answer_in_time_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let models = serve(vec![Turn { wait_for: Some(folder.path().join("never")), ..passes() }]);
    let mut place = place("block", &models, "timeout_minutes: 0.05\n");
    let before = place.head();
    place.run(&["run", "--run-id", "r1"]).exits(1).complains(&["there was no answer within 3 s"]);
    assert_eq!(place.head(), before);
}

#[test]
fn a_budget_stops_a_validator_too_and_nothing_lands() {
    let models = serve(vec![passes()]);
    let mut place = place("warn", &models, "budgets: { max_tokens_per_task: 1035 }\n");
    place.sandbox.set("MOCK_CODEX_USAGE", r#"{"input_tokens": 30, "output_tokens": 5}"#);
    let before = place.head();
    place
        .run(&["run", "--run-id", "r1"])
        .exits(1)
        .complains(&["task 001: blocked by the budget: 1085 tokens of 1035"]);
    assert_eq!(place.head(), before);
}

#[test]
fn a_prompt_of_the_project_is_frozen_with_the_run_and_checked_before_it() {
    let models = serve(vec![passes()]);
    let mut place = place("block", &models, "");
    fs::create_dir_all(place.repository.path().join(".mycelium/prompts")).unwrap();
    place.write(".mycelium/prompts/test_validator.md", "Judge {{dif}}\n");
    place
        .run(&["run", "--run-id", "r1"])
        .exits(2)
        .complains(&["test_validator.md:1:7", "did you mean `{{diff}}`?"]);
    assert!(models.asked().is_empty());
    place.write(".mycelium/prompts/test_validator.md", "Our judge reads {{diff}}\n");
    place.run(&["run", "--run-id", "r1"]).exits(0);
    let told = models.asked()[0].body.to_string();
    assert!(told.contains("Our judge reads diff --git"), "{told}");
    let frozen = fs::read_to_string(place.project_dir().join("runs/r1/prompts/test_validator.md")).unwrap();
    assert_eq!(frozen, "Our judge reads {{diff}}\n");
}

#[test]
fn who_judges_the_doctor_is_told_the_frozen_one_and_blocks_like_the_others() {
    let no = r#"{"pass": false, "summary": "it runs no test", "issues": []}"#;
    let models = serve(vec![says(no)]);
    let doctor = "doctor_validator: { mode: block, provider: openai, model: m1 }\n";
    let mut place = place("\"off\"", &models, doctor);
    let before = place.head();
    place.run(&["run", "--run-id", "r1"]).exits(1).complains(&["doctor validator", "it runs no test"]);
    assert_eq!(place.head(), before);
    let [asked] = &models.asked()[..] else { panic!("asked more than once") };
    let told = asked.body.to_string();
    for part in ["doctor: $needed is missing", "diff --git a/src/one.js b/src/one.js", "001 One"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let report = place.project_dir().join("runs/r1/tasks/001/attempt-1/validator-doctor.json");
    assert!(fs::read_to_string(report).unwrap().contains("it runs no test"));
    // A prompt that never says what the doctor is cannot be answered.
    fs::create_dir_all(place.repository.path().join(".mycelium/prompts")).unwrap();
    place.write(".mycelium/prompts/doctor_validator.md", "Judge {{diff}}\n");
    place.run(&["run", "--run-id", "r2"]).exits(2).complains(&["doctor_validator.md:1:1", "`{{doctor}}`"]);
}

#[test]
fn an_agent_that_tells_no_usage_is_said_to_tell_none() {
    let mut place = Place::with_plan("worker: { agent: command, command: \"echo x > src/one.js\" }\n", ONE);
    let ran = place.run(&["run", "--run-id", "r1"]).exits(0);
    assert!(
        ran.stdout.contains("task 001: its agent told no usage in 1 attempt, which time alone bounded"),
        "{ran:#?}"
    );
    let status = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!(status["tasks"]["001"]["unmetered_attempts"], 1);
    // One that tells it is not.
    let tells = r#"echo x > src/one.js; echo '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}'"#;
    let config = format!("worker: {{ agent: command, command: {} }}\n", Value::from(tells));
    let mut place = Place::with_plan(&config, ONE);
    let ran = place.run(&["run", "--run-id", "r1"]).exits(0);
    assert!(!ran.stdout.contains("told no usage"), "{ran:#?}");
}
