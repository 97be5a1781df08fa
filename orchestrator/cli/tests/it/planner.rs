//! Planners that are asked: models by each interface, agents, commands; what is wrong with an answer goes back, and
//! everything is kept but keys.

use std::{
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::Path,
};

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Tool, Turn};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{place::Place, plans::TWO};

const KEY: &str = "sk-the-operators-own-key-0123456789";
const USED: Tokens = Tokens { input: 1000, cached: 600, cache_write: 0, output: 50, reasoning: 20 };

fn says(text: &str) -> Turn {
    Turn { text: Some(text.to_owned()), usage: USED, ..Turn::default() }
}

fn serve(turns: Vec<Turn>) -> ModelServer {
    ModelServer::start(Script { turns, ..Script::default() }).unwrap()
}

fn place(provider: &str, models: &ModelServer, more: &str) -> Place {
    let vendor = if provider == "anthropic" { "anthropic" } else { "openai" };
    let config = format!(
        "planner: {{ provider: {provider}, model: m1 }}\n\
         gateway: {{ {vendor}: {{ base_url: \"{}\", key: OPERATORS_KEY }} }}\n\
         budgets: {{ prices: {{ m1: {{ input: 2, cached_input: 0.5, output: 10 }} }}, prices_as_of: \"2026-01-31\" }}\n{more}",
        models.base_url()
    );
    let mut place = Place::with_config(&config);
    place.sandbox.set("OPERATORS_KEY", KEY);
    place.write(".mycelium/plan.md", "Two things, with the key sk-the-operators-own-key-0123456789.\n");
    place
}

const PLAN: [&str; 3] = ["plan", "--input", ".mycelium/plan.md"];

/// Every file below a folder, by its path, with its text.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            found.push((entry.path().display().to_string(), text));
        }
    }
    found
}

fn kept(place: &Place, name: &str) -> String {
    let all = files(&place.repository.path().join(".mycelium/plans"));
    all.into_iter().find(|(path, _)| path.ends_with(name)).unwrap_or_else(|| panic!("{name} is not kept")).1
}

#[test]
fn a_model_plans_by_each_interface_and_every_token_is_counted() {
    for provider in ["openai", "compatible", "anthropic"] {
        let answer = match provider {
            "anthropic" => Turn {
                tools: vec![Tool { name: "plan".to_owned(), args: serde_json::from_str(TWO).unwrap() }],
                usage: USED,
                ..Turn::default()
            },
            _ => says(TWO),
        };
        let models = serve(vec![answer]);
        let mut place = place(provider, &models, "resources: [{ name: database }]\n");
        let planned = place.run(&[&PLAN[..], &["--json"]].concat()).exits(0).json();
        assert_eq!((&planned["outcome"], &planned["batches"]), (&json!("written"), &json!([["001", "002"]])));
        let mut usage = json!({
            "input_tokens": 1000, "cached_input_tokens": 600, "output_tokens": 50,
            "cost_microusd": 400 * 2 + 300 + 500,
        });
        if provider != "anthropic" {
            usage["reasoning_output_tokens"] = json!(20);
        }
        assert_eq!(planned["asked"]["usage"], usage, "{provider}");
        assert_eq!(planned["asked"]["prices_as_of"], "2026-01-31");
        place.assert_valid("plan", &planned);

        let [asked] = &models.asked()[..] else { panic!("{provider}: asked more than once") };
        let body = asked.body.to_string();
        for part in ["Two things", "src/greet.js", "- database", "additionalProperties"] {
            assert!(body.contains(part), "{provider}: {part} is not told");
        }
        assert!(!body.contains(KEY), "{provider} is told a secret");
        assert!(asked.headers.values().any(|value| value.contains(KEY)), "{provider}");
        for (path, text) in files(place.repository.path()) {
            assert!(!text.contains(KEY) || path.ends_with("/plan.md"), "{path} holds the key");
        }
        // What was said is nobody's work.
        assert!(!place.git("status --porcelain").contains("plans"));
    }
}

#[test]
fn what_is_wrong_with_an_answer_goes_back_until_it_is_a_plan() {
    let unknown = TWO.replace("\"spec\": \"Two.\"", "\"spec\": \"Two.\", \"dependencies\": [\"oo1\"]");
    let models = serve(vec![says("Sure! Here is the plan."), says(&unknown), says(TWO)]);
    let mut place = place("openai", &models, "");
    let told = place.run(&PLAN).exits(0);
    assert!(told.stdout.contains("batch 1: 001 One · 002 Two"), "{told:#?}");
    told.complains(&[
        "planned by openai (m1) in 3 attempts: 3150 tokens (1800 cached, 60 reasoning), $0.004800 at the prices of 2026-01-31",
    ]);
    let told: Vec<String> = models.asked().iter().map(|asked| asked.body.to_string()).collect();
    assert!(told[1].contains("Sure! Here is the plan.") && told[1].contains("the answer is not JSON"));
    assert!(told[2].contains("no task of the plan has the id") && told[2].contains("oo1"));
    // The last question has the first one in it, and nothing of the second.
    assert!(told[2].contains("Two things") && !told[2].contains("Sure!"));
    assert_eq!(kept(&place, "attempt-3/answer.json"), TWO);
    assert!(kept(&place, "attempt-1/problems.txt").starts_with("line 1, column 1: the answer is not JSON"));
    let account: Value = serde_json::from_str(&kept(&place, "asked.json")).unwrap();
    assert_eq!(account["attempts"][1]["problems"], 1);
    assert_eq!(account["usage"]["input_tokens"], 3000);
}

#[test]
fn what_the_planner_used_is_told_with_its_tasks_and_with_each_run_of_them() {
    let models = serve(vec![says("no plan"), says(TWO)]);
    let mut place = place("openai", &models, "");
    place.run(&PLAN).exits(0);
    let told = "planned by openai (m1) in 2 attempts: 2100 tokens (1200 cached, 40 reasoning), $0.003200 at the prices of 2026-01-31";
    place.run(&["status"]).exits(0).complains(&[told, "next: `mycelium run`"]);
    let ran = place.run(&["run", "--run-id", "r1"]).exits(0);
    assert!(ran.stdout.contains(&format!("not counted in this: {told}")), "{ran:#?}");
    // The account is the run's own: another plan does not change it.
    place.write(
        ".mycelium/config.yaml",
        &place.read(".mycelium/config.yaml").replace("provider: openai", "provider: mock"),
    );
    place.sandbox.set("MOCK_LLM_OUTPUT", TWO);
    place.run(&PLAN).exits(0);
    let status = place.run(&["status", "--json"]).exits(0).json();
    place.assert_valid("status", &status);
    assert_eq!(status["planned"]["usage"]["input_tokens"], 2000);
    assert_eq!(status["planned"]["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(status["usage"]["input_tokens"], 0);
    place.git("reset -q --hard HEAD~1");
    let again = place.run(&["run", "--run-id", "r2"]);
    assert!(!again.stdout.contains("planned by"), "{again:#?}");
}

#[test]
fn an_answer_that_is_never_a_plan_is_refused_with_its_problems_and_nothing_is_written() {
    let models = serve(vec![says(r#"{"tasks": [{"id": "001", "nmae": "One"}]}"#)]);
    let mut place = place("compatible", &models, "");
    let before = place.git("status --porcelain");
    let refused = place.run(&[&PLAN[..], &["--json"]].concat()).exits(2);
    let refused =
        refused.complains(&["the planner's answer still has", "after 3 attempts", "did you mean `name`?"]);
    let problems = refused.json()["error"]["problems"].as_array().unwrap().len();
    assert!(problems >= 1);
    assert_eq!(models.asked().len(), 3);
    assert_eq!(place.git("status --porcelain"), before);
    assert!(!place.repository.path().join(".mycelium/tasks").exists());
}

#[test]
fn whoever_gives_no_plan_is_told_apart() {
    let refused = |status, body: Value| Turn {
        status: Some(status),
        headers: [("retry-after".to_owned(), "0".to_owned())].into(),
        body: Some(body),
        ..Turn::default()
    };
    let later = Turn {
        headers: [("retry-after".to_owned(), "3600".to_owned())].into(),
        ..refused(429, json!({"error": {"message": "slow"}}))
    };
    let ended = |response: Value| refused(200, response);
    let refusal =
        json!({"id": "r", "status": "completed", "output": [{"content": [{"refusal": "I will not"}]}]});
    let cut = json!({"id": "r", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []});
    for (turn, code, said, requests) in [
        (
            refused(401, json!({"error": {"message": "bad key"}})),
            2,
            "answered with 401: bad key; the key was not accepted",
            1,
        ),
        (refused(404, json!({"error": {"message": "no model m1"}})), 2, "answered with 404: no model m1", 1),
        (refused(500, json!({"error": {"message": "down"}})), 4, "answered with 500: down", 5),
        (
            later,
            4,
            "answered with 429: mycelium: the provider asks to wait 60 min before it is asked again: slow",
            1,
        ),
        (ended(refusal), 2, "the model declined to answer: I will not", 1),
        (ended(cut), 2, "cut off at the longest", 1),
        (Turn { end: mycelium_fixtures::models::End::CutAfter(2), ..says(TWO) }, 4, "broke off, 3 times", 3),
    ] {
        let models = serve(vec![turn]);
        let mut place = place("openai", &models, "");
        place.run(&PLAN).exits(code).complains(&["the planner gave no plan", said]);
        assert_eq!(models.asked().len(), requests, "{said}");
        assert!(!kept(&place, "attempt-1/prompt.md").is_empty());
    }
}

#[test]
fn without_its_key_nobody_is_asked() {
    let models = serve(vec![says(TWO)]);
    let mut place = place("openai", &models, "");
    place.sandbox.unset("OPERATORS_KEY");
    place.run(&PLAN).exits(2).complains(&["OPERATORS_KEY is not set", "config.yaml:4:"]);
    assert!(models.asked().is_empty());
}

#[test]
fn a_key_that_cannot_be_sent_is_named_and_not_shown_and_one_with_a_line_break_behind_it_is_sent() {
    let models = serve(vec![says(TWO)]);
    let mut place = place("openai", &models, "");
    let unsendable = "holds a line break or another character that cannot be sent";
    for (value, why) in [
        ("".into(), "is empty"),
        (" \r\n".into(), "is empty"),
        (OsString::from("hunter2\nhunter2"), unsendable),
        (OsString::from_vec(b"hunter2\xff".to_vec()), unsendable),
    ] {
        place.sandbox.set("OPERATORS_KEY", value);
        let refused = place.run(&PLAN).exits(2).complains(&[&format!("OPERATORS_KEY {why}")]);
        assert!(!refused.stderr.contains("hunter2"), "{refused:#?}");
    }
    assert!(models.asked().is_empty());
    place.sandbox.set("OPERATORS_KEY", format!(" {KEY}\r\n"));
    place.run(&PLAN).exits(0);
    assert_eq!(models.asked()[0].headers["authorization"], format!("Bearer {KEY}"));
    for (path, text) in files(place.repository.path()) {
        assert!(!text.contains(KEY) || path.ends_with("/plan.md"), "{path} holds the key");
    }
}

#[test]
fn the_prompt_is_a_file_that_the_project_may_replace() {
    let models = serve(vec![says(TWO)]);
    let mut place = place("openai", &models, "");
    fs::create_dir_all(place.repository.path().join(".mycelium/prompts")).unwrap();
    place.write(".mycelium/prompts/planner.md", "Plan this.\n{{ input }} and {{inptu}}\n");
    place.run(&PLAN).exits(2).complains(&[
        ".mycelium/prompts/planner.md:2:17",
        "nothing is called `inptu` here",
        "did you mean `{{input}}`?",
    ]);
    assert!(models.asked().is_empty());
    // Whatever is in the way of the first question, nothing half written is left.
    fs::remove_file(place.repository.path().join(".mycelium/prompts/planner.md")).unwrap();
    fs::create_dir(place.repository.path().join(".mycelium/prompts/planner.md")).unwrap();
    place.run(&PLAN).exits(2).complains(&["planner.md", "neither a file nor a link to one"]);
    assert!(!place.repository.path().join(".mycelium/plans").exists());
    fs::remove_dir(place.repository.path().join(".mycelium/prompts/planner.md")).unwrap();
    place.write(".mycelium/prompts/planner.md", "Our own words: {{ input }}\n");
    place.run(&PLAN).exits(0);
    assert!(models.asked()[0].body.to_string().contains("Our own words: Two things"));
}

#[test]
fn a_dry_run_shows_tasks_locks_and_batches_and_writes_no_task() {
    let plan =
        TWO.replace("\"spec\": \"One.\"", "\"spec\": \"One.\", \"locks\": {\"writes\": [\"database\"]}");
    let models = serve(vec![says(&plan)]);
    let mut place = place("openai", &models, "resources: [{ name: database }]\n");
    let shown = place.run(&[&PLAN[..], &["--dry-run"]].concat()).exits(0).stdout;
    assert_eq!(
        shown,
        "batch 1: 001 One · 002 Two\n\n\
         TASK  BATCH  NAME  AFTER  LOCKS             WRITES\n\
         001   1      One   -      database (write)  src/one.js\n\
         002   1      Two   -      -                 src/two.js\n"
    );
    assert!(!place.repository.path().join(".mycelium/tasks").exists());
}

#[test]
fn a_signal_ends_a_question_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let never = folder.path().join("never");
    let models = serve(vec![Turn { wait_for: Some(never), ..says(TWO) }]);
    let mut place = place("openai", &models, "");
    let mut child = place.command(&PLAN).spawn().unwrap();
    while models.asked().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Nothing holds the repository any more.
    place.write(
        ".mycelium/config.yaml",
        &place.read(".mycelium/config.yaml").replace("openai, model", "mock, model"),
    );
    place.sandbox.set("MOCK_LLM_OUTPUT", TWO);
    place.run(&PLAN).exits(0);
}

#[test]
fn a_command_gets_the_prompt_and_prints_the_plan() {
    let config =
        "planner: { provider: command, command: \"cat > told.txt; cat answer.json\", max_repairs: 0 }\n";
    let mut place = Place::with_config(config);
    place.write("answer.json", TWO);
    let planned = place.run(&[&PLAN[..], &["--json"]].concat()).exits(0).json();
    assert!(planned["asked"]["usage"].is_null());
    assert!(place.read("told.txt").contains("Describe the work here"));
    place.write("answer.json", "[]");
    place.run(&PLAN).exits(2).complains(&["after 1 attempt"]);
    fs::remove_file(place.repository.path().join("answer.json")).unwrap();
    place.run(&PLAN).exits(2).complains(&["the planner gave no plan: the planner's command exited with 1"]);
}

/// An agent that only answers: it keeps what it was started with, and says what a file beside it holds.
const ANSWERS: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$1" in --version) cat "$here/version"; exit 0;; esac
printf '%s\n' "$@" > "$here/arguments"
[ -z "$CODEX_HOME" ] || stat -c %a "$CODEX_HOME/config.toml" > "$here/mode"
cat > "$here/prompt"
cat "$here/events"
"#;

#[test]
fn an_agent_answers_in_the_form_that_it_is_asked_for() {
    let plan = TWO.replace('\n', " ");
    let codex = [
        json!({"type": "thread.started", "thread_id": "0199a213-81c0-7800-8aa1-bbab2a035a53"}),
        json!({"type": "turn.started"}),
        json!({"type": "item.completed", "item": {"id": "item_0", "type": "agent_message", "text": plan}}),
        json!({"type": "turn.completed", "usage": {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0}}),
    ];
    let claude = [json!({
        "type": "result", "subtype": "success", "is_error": false, "session_id": "s", "result": plan,
        "structured_output": serde_json::from_str::<Value>(&plan).unwrap(), "modelUsage": {},
    })];
    for (name, version, events, schema) in [
        ("codex", "codex-cli 0.169.0", &codex[..], "--output-schema"),
        ("claude", "2.1.330 (Claude Code)", &claude[..], "--json-schema"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("agent");
        fs::write(&program, ANSWERS).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("version"), version).unwrap();
        let events: Vec<String> = events.iter().map(Value::to_string).collect();
        fs::write(folder.path().join("events"), events.join("\n") + "\n").unwrap();
        let config = format!(
            "planner: {{ provider: {name}, model: m1, program: {} }}\n\
             gateway: {{ openai: {{ base_url: \"http://127.0.0.1:9\" }}, anthropic: {{ base_url: \"http://127.0.0.1:9\" }} }}\n",
            program.display()
        );
        let mut place = Place::with_config(&config);
        place.run(&PLAN).exits(0).complains(&[&format!("planned by {name} (m1) in 1 attempt")]);
        let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
        assert!(arguments.contains(schema) && arguments.contains("m1"), "{arguments}");
        // Every user of the machine may read a command line, and only this one the file that the address stands in.
        assert!(!arguments.contains("127.0.0.1"), "{arguments}");
        if name == "codex" {
            assert_eq!(fs::read_to_string(folder.path().join("mode")).unwrap(), "600\n");
        }
        assert!(fs::read_to_string(folder.path().join("prompt")).unwrap().contains("Describe the work here"));
        fs::write(folder.path().join("events"), "").unwrap();
        place.run(&PLAN).exits(2).complains(&["the planner gave no plan", name]);
        // One that used tokens which nobody counted did so past the gateway.
        let told = match name {
            "codex" => events.join("\n").replace("\"output_tokens\":0", "\"output_tokens\":9"),
            _ => events.join("\n").replace(
                "\"modelUsage\":{}",
                "\"modelUsage\":{\"m1\":{\"inputTokens\":5,\"outputTokens\":4}}",
            ),
        };
        fs::write(folder.path().join("events"), told + "\n").unwrap();
        let why = "told 9 tokens, none of which passed the gateway: it asks a model that is not counted";
        place.run(&PLAN).exits(2).complains(&["the planner gave no plan", why]);
    }
}
