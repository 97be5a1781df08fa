//! What fails the same way each time is tried once, and what would fail as another task did does not begin.

use mycelium_fixtures::models::{ModelServer, Script, Track, Turn};
use serde_json::{Value, json};

use crate::{place::Place, plans::TWO};

fn place(models: &ModelServer) -> Place {
    let mut place = Place::new();
    let codex = place.scripted_agent("codex");
    place.run(&["init"]).exits(0);
    let config = format!(
        "integration_branch: main\ndoctor: {}\nmax_parallel: 1\ngateway: {{ openai: {{ base_url: \"{}\" }} }}\n\
         worker: {{ agent: codex, model: m1, program: {} }}\n",
        mycelium_fixtures::Fixture::Toy.doctor(),
        models.base_url(),
        codex.display()
    );
    place.write(".mycelium/config.yaml", &config);
    place.sandbox.set("MOCK_LLM_OUTPUT", TWO);
    place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
    place
}

fn refused(status: u16, message: &str) -> Turn {
    let body = json!({"error": {"type": "invalid_request_error", "message": message}});
    Turn { status: Some(status), body: Some(body), ..Turn::default() }
}

fn works() -> Vec<Turn> {
    let work = "test $MYCELIUM_TASK_ID = 001 && echo one > src/one.js || echo two > src/two.js";
    let says = Turn { text: Some("Done.".to_owned()), ..Turn::default() };
    [Turn { shell: Some(work.to_owned()), ..Turn::default() }, says].into()
}

fn tried(place: &mut Place) -> [(String, u64); 2] {
    let status = place.run(&["status", "--json"]).exits(0).json();
    ["001", "002"].map(|task| {
        let task: &Value = &status["tasks"][task];
        (task["status"].as_str().unwrap().to_owned(), task["attempts"].as_u64().unwrap())
    })
}

#[test]
fn where_key_or_model_are_refused_one_attempt_shows_it_and_a_human_has_it_go_on() {
    for (turn, class) in [
        (refused(401, "Incorrect API key provided"), "auth"),
        (refused(404, "no model m1"), "config"),
        (refused(400, "unknown parameter"), "config"),
    ] {
        let models = ModelServer::start(Script { turns: vec![turn], ..Script::default() }).unwrap();
        let mut place = place(&models);
        let why = format!("({class}); another attempt would fail the same way");
        place.run(&["run", "--run-id", "r1"]).exits(1).complains(&[&why]);
        assert_eq!(tried(&mut place), [("failed".to_owned(), 1), ("skipped".to_owned(), 0)], "{class}");
        assert_eq!(models.asked().len(), 1, "{class}");
        let stop = place.run(&["logs", "--type", "run.stop", "--json"]).exits(0).stdout;
        assert!(stop.contains("every other task would fail as 001 did"), "{stop}");
        // Once that is mended both are done, and nobody had to decide about the one that never began.
        models.change(|script| {
            script.turns = [vec![Turn { times: Some(1), ..refused(401, "") }], works(), works()].concat();
        });
        place.run(&["review", "retry", "001", "--run-id", "r1"]).exits(0);
        place.run(&["resume", "--run-id", "r1"]).exits(0);
        assert_eq!(tried(&mut place), [("landed".to_owned(), 2), ("landed".to_owned(), 1)], "{class}");
    }
}

#[test]
fn what_is_refused_after_an_answer_ends_its_task_alone() {
    let [work, says] = <[Turn; 2]>::try_from(works()).unwrap();
    let flagged = vec![work.clone(), refused(400, "this prompt was flagged")];
    let track = |when: &str, turns| Track { when: when.to_owned(), turns };
    let tracks = vec![track("One.", flagged), track("Two.", vec![work, says])];
    let models = ModelServer::start(Script { tracks, ..Script::default() }).unwrap();
    let mut place = place(&models);
    place.run(&["run", "--run-id", "r1"]).exits(1).complains(&["this prompt was flagged (config)"]);
    assert_eq!(tried(&mut place), [("failed".to_owned(), 1), ("landed".to_owned(), 1)]);
}
