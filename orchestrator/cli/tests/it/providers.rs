//! What becomes of an attempt whose provider refuses, as the agents tell it.

use std::{fs, os::unix::fs::PermissionsExt};

use mycelium_fixtures::models::{ModelServer, Script, Turn, agent};

use crate::{
    place::{Place, program},
    plans::ONE,
};

/// A place whose worker is a scripted agent of that name, and whose provider answers with this alone.
fn place(name: &str, answer: Turn) -> (Place, ModelServer) {
    let models = ModelServer::start(Script { turns: vec![answer], ..Script::default() }).unwrap();
    let mut place = Place::new();
    let path = place.outside().join(name);
    fs::write(&path, agent::launcher(name, program())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
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
    place.sandbox.set("OPERATORS_KEY", "sk-the-operators-own-key-0123456789");
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
fn one_that_is_asked_again_is_told_of() {
    let headers = [("retry-after".to_owned(), "0".to_owned())].into();
    let (mut place, models) = place("codex", Turn { status: Some(503), headers, ..Turn::default() });
    place.run(&["run"]).exits(1).complains(&["the provider is asked again", "503", "001"]);
    assert_eq!(models.asked().len(), 5);
}
