//! What an agent tells of its own use is laid beside what the gateway counted.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Tool, Turn, agent};
use serde_json::json;

use crate::{
    place::{Place, program},
    plans::ONE,
};

/// It does its work, and says that it used a model which nobody counted.
const ELSEWHERE: &str = r#"#!/bin/sh
case "$1" in --version) echo "codex-cli 0.169.0"; exit 0;; esac
cat >/dev/null
echo one > src/one.js
echo '{"type":"thread.started","thread_id":"0199a213-81c0-7800-8aa1-bbab2a035a53"}'
echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Done."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":40,"cached_input_tokens":0,"output_tokens":2}}'
"#;

fn install(place: &Place, text: &str) -> PathBuf {
    let codex = place.outside().join("codex");
    fs::write(&codex, text).unwrap();
    fs::set_permissions(&codex, fs::Permissions::from_mode(0o755)).unwrap();
    codex
}

/// A place whose worker is a Codex that is this program.
fn place(base_url: &str, text: &str, more: &str) -> Place {
    let mut place = Place::new();
    let codex = install(&place, text);
    place.run(&["init"]).exits(0);
    let config = format!(
        "integration_branch: main\ndoctor: {}\ngateway: {{ openai: {{ base_url: \"{base_url}\" }} }}\n\
         worker: {{ agent: codex, model: m1, program: {} }}\n{more}",
        mycelium_fixtures::Fixture::Toy.doctor(),
        codex.display()
    );
    place.write(".mycelium/config.yaml", &config);
    place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
    place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
    place
}

#[test]
fn work_of_an_agent_that_asked_a_model_past_the_gateway_does_not_land() {
    let mut place = place("http://127.0.0.1:9", ELSEWHERE, "max_retries: 0\n");
    let before = place.head();
    place.run(&["run", "--run-id", "r1"]).exits(1).complains(&[
        "told 42 tokens, none of which passed the gateway: it asks a model that is not counted (config)",
    ]);
    assert_eq!(place.head(), before);
}

#[test]
fn another_use_than_was_counted_is_said_with_both_figures_and_the_count_stands() {
    let used = Tokens { input: 50, output: 10, ..Tokens::default() };
    let spawns = Turn {
        tools: vec![Tool { name: "spawn_agent".to_owned(), args: json!({"prompt": "look around"}) }],
        usage: used,
        ..Turn::default()
    };
    let works = Turn { shell: Some("echo one > src/one.js".to_owned()), usage: used, ..Turn::default() };
    let says = |text: &str| Turn { text: Some(text.to_owned()), usage: used, ..Turn::default() };
    let run = |turns: Vec<Turn>| {
        let models = ModelServer::start(Script { turns, ..Script::default() }).unwrap();
        let mut place = place(&models.base_url(), &agent::launcher("codex", program()), "");
        place.run(&["run", "--run-id", "r1"]).exits(0).stderr
    };
    // What the other agent asks it leaves out, as the real one does.
    let told = run(vec![spawns, says("Seen."), works.clone(), says("Done.")]);
    let said = "task 001, attempt 1: codex told 180 tokens, and the gateway counted 240, which stands";
    assert!(told.contains(said), "{told}");
    let told = run(vec![works, says("Done.")]);
    assert!(!told.contains("the gateway counted"), "{told}");
}
