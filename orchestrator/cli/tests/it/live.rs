//! What models used so far is seen while an attempt is under way, and is counted once when it has ended.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
};

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Turn};
use serde_json::{Value, json};

use crate::{
    held::{self, HeldRun, Watcher, wait_until},
    place::Place,
    plans::ONE,
};

/// A model that answers once, and then waits for a file.
fn models(go: PathBuf) -> ModelServer {
    let used = |input, output| Tokens { input, output, ..Tokens::default() };
    let works =
        Turn { shell: Some("echo one > src/one.js".to_owned()), usage: used(1000, 30), ..Turn::default() };
    let done =
        Turn { text: Some("Done.".to_owned()), usage: used(200, 5), wait_for: Some(go), ..Turn::default() };
    let turns = vec![works.clone(), done.clone(), works, done];
    ModelServer::start(Script { turns, ..Script::default() }).unwrap()
}

/// A place whose worker is a scripted Codex that asks it.
fn place(models: &ModelServer) -> Place {
    let prices = "prices_as_of: \"2026-01-31\", prices: { m1: { input: 2, output: 10 } }";
    let place = Place::with_plan("", ONE);
    let codex = place.scripted_agent("codex");
    let config = format!(
        "{}worker: {{ agent: codex, model: m1, program: {} }}\n\
         gateway: {{ openai: {{ base_url: \"{}\" }} }}\nbudgets: {{ {prices} }}\n",
        place.read(".mycelium/config.yaml"),
        codex.display(),
        models.base_url()
    );
    place.write(".mycelium/config.yaml", &config);
    place
}

/// A run whose agent asked a second time, after its first answer was counted, and waits for the file.
fn asked_twice(go: &Path) -> (ModelServer, Place, Child) {
    let models = models(go.to_owned());
    let place = place(&models);
    let mut run = held::start(&place, &["run", "--run-id", "held"]);
    wait_until(&mut run, || models.asked().len() == 2);
    (models, place, run)
}

fn status(place: &mut Place) -> Value {
    let status = place.run(&["status", "--json"]).exits(0).json();
    place.assert_valid("status", &status);
    status
}

fn tokens(usage: &Value) -> u64 {
    ["input_tokens", "output_tokens"].iter().map(|key| usage[key].as_u64().unwrap()).sum()
}

#[test]
fn what_is_counted_so_far_is_told_apart_and_settled_once() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let (_models, mut place, mut run) = asked_twice(&go);
    let seen = status(&mut place);
    assert_eq!((tokens(&seen["usage"]), tokens(&seen["tasks"]["001"]["usage"])), (0, 0), "{seen:#}");
    let one = json!({
        "input_tokens": 1000, "cached_input_tokens": 0, "output_tokens": 30, "cost_microusd": 2300,
    });
    assert_eq!(seen["live"], json!({ "usage": one, "tasks": { "001": one } }));
    let text = place.run(&["status"]).exits(0).stdout;
    for part in [
        "· 1030 tokens, $0.002300 at the prices of 2026-01-31\n",
        "\n001   running         1    1030  -\n",
        "\ntask 001: 1030 tokens, $0.002300 are counted so far in its attempt, which goes on\n",
    ] {
        assert!(text.contains(part), "{part:?}: {text}");
    }
    let mut watcher = Watcher::start(&place, &["status", "--watch"]);
    watcher.wait_for("task 001: 1030 tokens, $0.002300 so far");
    fs::write(go, "").unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let (rest, _) = watcher.end();
    assert!(rest.contains("· 1235 tokens, $0.002750"), "{rest}");
    let settled = status(&mut place);
    assert_eq!((tokens(&settled["usage"]), &settled["live"]), (1235, &Value::Null), "{settled:#}");
    assert!(!place.run(&["status"]).exits(0).stdout.contains("so far"));
}

#[test]
fn what_was_counted_in_an_attempt_that_was_cut_off_is_told_until_resume_settles_it() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let (_models, mut place, mut run) = asked_twice(&go);
    run.kill().unwrap();
    run.wait().unwrap();
    let seen = status(&mut place);
    assert_eq!((&seen["status"], tokens(&seen["live"]["usage"])), (&"interrupted".into(), 1030), "{seen:#}");
    let text = place.run(&["status"]).exits(0).stdout;
    let cut_off = "task 001: 1030 tokens, $0.002300 are of an attempt that was cut off, and settled by `mycelium resume`";
    assert!(text.contains(cut_off), "{text}");
    fs::write(go, "").unwrap();
    place.run(&["resume"]).exits(0);
    let settled = status(&mut place);
    assert_eq!((tokens(&settled["usage"]), settled.get("live")), (1030 + 1235, None), "{settled:#}");
    assert_eq!(settled["usage"], settled["tasks"]["001"]["usage"]);
}

#[test]
fn an_agent_at_work_that_told_nothing_yet_is_said_to_have_told_nothing() {
    let (mut place, held) = HeldRun::start();
    let said = "task 001: its agent has told no usage so far in 1 attempt\n";
    assert!(place.run(&["status"]).exits(0).stdout.contains(said));
    assert_eq!(held.release(), Some(0));
    let text = place.run(&["status"]).exits(0).stdout;
    assert!(
        text.contains("task 001: its agent told no usage in 1 attempt, which time alone bounded"),
        "{text}"
    );
}
