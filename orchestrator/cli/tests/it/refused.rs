//! What a provider refuses is told with its reason wherever somebody looks, and with what to do next.

use mycelium_fixtures::models::{ModelServer, Script, Turn};

use crate::{place::Place, plans::ONE};

#[test]
fn an_agent_that_its_provider_refuses_says_why_and_what_to_do_next() {
    for (name, provider, status, why, next) in [
        ("codex", "openai", 401, "401", "set the variable that `gateway` names"),
        ("claude", "anthropic", 401, "401", "set the variable that `gateway` names"),
        ("codex", "openai", 429, "429", "wait, or lower `max_parallel`"),
        ("claude", "anthropic", 404, "404", "correct `model` or `base_url`"),
        ("codex", "openai", 502, "502", "look at `base_url` in `gateway`"),
    ] {
        let headers = [("retry-after".to_owned(), "0".to_owned())].into();
        let turn = Turn { status: Some(status), headers, times: Some(100), ..Turn::default() };
        let models = ModelServer::start(Script { turns: vec![turn], ..Script::default() }).unwrap();
        let mut place = Place::with_plan("", ONE);
        let agent_program = place.scripted_agent(name);
        let config = format!(
            "{}max_retries: 0\nworker: {{ agent: {name}, model: m1, program: {} }}\n\
             gateway: {{ {provider}: {{ base_url: \"{}\" }} }}\n",
            place.read(".mycelium/config.yaml"),
            agent_program.display(),
            models.base_url()
        );
        place.write(".mycelium/config.yaml", &config);
        place.run(&["run", "--run-id", "r1"]).exits(1).complains(&[
            "task 001: failed: the agent failed:",
            why,
            next,
        ]);
        let failures = place.run(&["logs", "failures"]).exits(0).stdout;
        let what = failures.lines().find(|line| line.starts_with("  what  ")).unwrap();
        assert!(what.starts_with("  what  the agent exited with 1: ") && what.contains(why), "{failures}");
    }
}
