//! What becomes of an attempt whose provider refuses, as the agents tell it.

use std::{fs, path::Path};

use mycelium_fixtures::models::{ModelServer, Script, Turn};
use serde_json::json;

use crate::{place::Place, plans::ONE};

const KEY: &str = "sk-the-operators-own-key-0123456789";

/// A place whose worker is a scripted agent of that name, and whose provider answers with this alone.
fn place(name: &str, answer: Turn) -> (Place, ModelServer) {
    let models = ModelServer::start(Script { turns: vec![answer], ..Script::default() }).unwrap();
    let mut place = Place::new();
    let path = place.scripted_agent(name);
    place.run(&["init"]).exits(0);
    let provider = if name == "codex" { "openai" } else { "anthropic" };
    let config = format!(
        "integration_branch: main\ndoctor: {}\nmax_retries: 0\n\
         gateway: {{ {provider}: {{ base_url: \"{}\", key: OPERATORS_KEY }} }}\n\
         worker: {{ agent: {name}, model: m1, program: {} }}\n",
        mycelium_fixtures::Fixture::Toy.doctor(),
        models.base_url(),
        path.display()
    );
    place.write(".mycelium/config.yaml", &config);
    place.sandbox.set("OPERATORS_KEY", KEY);
    place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
    place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
    (place, models)
}

#[test]
fn one_that_asks_to_wait_too_long_fails_the_attempt_with_how_long() {
    for name in ["codex", "claude"] {
        let headers = [("retry-after".to_owned(), "3600".to_owned())].into();
        let (mut place, models) = place(name, Turn { status: Some(429), headers, ..Turn::default() });
        let said = "the provider asks to wait 60 min before it is asked again: scripted 429 (rate_limit)";
        place.run(&["run"]).exits(1).complains(&[said]);
        assert_eq!(models.asked().len(), 1, "{name}");
    }
}

#[test]
fn one_that_repeats_the_key_does_not_tell_it_to_the_agent() {
    for name in ["codex", "claude"] {
        let said = format!("Incorrect API key provided: {KEY}, sk-the-o********6789.");
        let body = Some(json!({"error": {"message": said}}));
        let (mut place, models) = place(name, Turn { status: Some(401), body, ..Turn::default() });
        let shown = "Incorrect API key provided: [redacted:OPERATORS_KEY], [redacted:OPERATORS_KEY].";
        let run = place.run(&["run", "-vv"]).exits(1).complains(&[shown, "(auth)"]);
        let mut found = vec![("what was said".to_owned(), run.stdout + &run.stderr)];
        files(&place.sandbox.mycelium_home(), &mut found);
        assert!(found.iter().any(|(path, text)| path.ends_with("agent.log") && text.contains(shown)));
        for (path, text) in found {
            assert!(!text.contains(KEY) && !text.contains("sk-the-o"), "{path} holds the key: {text}");
        }
        assert_eq!(models.asked().len(), 1);
    }
}

/// Every file below a folder, by its path, with its text.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else if entry.file_type().unwrap().is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            found.push((entry.path().display().to_string(), text));
        }
    }
}

#[test]
fn one_that_is_asked_again_is_told_of() {
    let headers = [("retry-after".to_owned(), "0".to_owned())].into();
    let (mut place, models) = place("codex", Turn { status: Some(503), headers, ..Turn::default() });
    place.run(&["run"]).exits(1).complains(&["the provider is asked again", "503", "001"]);
    assert_eq!(models.asked().len(), 5);
}

#[test]
fn one_that_is_not_there_is_named_by_its_own_address() {
    for name in ["codex", "claude"] {
        let (mut place, models) = place(name, Turn::default());
        let base_url = models.base_url();
        drop(models);
        let run = place.run(&["run"]).exits(1);
        assert!(run.stderr.contains("Connection refused"), "{name}: {}", run.stderr);
        if name == "codex" {
            assert!(run.stderr.contains(&format!("url: {base_url}/v1/responses")), "{}", run.stderr);
        }
        assert!(!run.stderr.contains("/t/"), "{name}: {}", run.stderr);
    }
}
