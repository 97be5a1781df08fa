//! What models answered to a plan and a run is answered again elsewhere, without them, their key and a network; what was
//! not asked then is refused, and nothing of it lands.

use std::{fs, process::Stdio};

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Track, Turn};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{place::Place, plans::TWO};

const KEY: &str = "sk-the-operators-own-key-0123456789";
const PLAN: [&str; 3] = ["plan", "--input", ".mycelium/plan.md"];
/// Work that is another one in each attempt.
const WORK: &str = "echo by-$MYCELIUM_TASK_ID-$MYCELIUM_ATTEMPT > src/$(test $MYCELIUM_TASK_ID = 001 && echo one || echo two).js";

fn says(text: &str, input: u64) -> Turn {
    Turn {
        text: Some(text.to_owned()),
        usage: Tokens { input, cached: 10, output: 7, ..Tokens::default() },
        ..Turn::default()
    }
}

/// A planner that errs once, and a validator that does not like the first try at the second task.
fn models() -> ModelServer {
    let report = |pass: bool| format!(r#"{{"pass": {pass}, "summary": "fine", "issues": []}}"#);
    let track = |when: &str, turns| Track { when: when.to_owned(), turns };
    ModelServer::start(Script {
        tracks: vec![
            track("by-002-1", vec![says(&report(false), 300)]),
            track("diff --git", vec![says(&report(true), 200)]),
        ],
        turns: vec![says("no plan", 100), says(TWO, 120)],
    })
    .unwrap()
}

/// Where the providers are, and whether they are recorded or replayed.
fn place(base_url: &str, tape: &str) -> Place {
    let place = Place::with_config(&format!(
        "planner: {{ provider: openai, model: m1 }}\n\
         test_validator: {{ mode: block, provider: anthropic, model: m1 }}\n\
         worker: {{ agent: command, command: '{WORK}' }}\n\
         manifest_enforcement: warn\n\
         gateway: {{ {tape}, openai: {{ base_url: \"{base_url}\", key: OPERATORS_KEY }}, anthropic: {{ base_url: \"{base_url}\", key: OPERATORS_KEY }} }}\n\
         budgets: {{ mode: block, max_tokens_per_run: 100000, prices: {{ m1: {{ input: 2, output: 10 }} }} }}\n"
    ));
    place.write(".mycelium/plan.md", "Two things.\n");
    place
}

/// A plan and a run that are recorded, with what they used and the tree that they landed.
fn recorded() -> (Place, Value) {
    let models = models();
    let mut place = place(&models.base_url(), "record: first");
    place.sandbox.set("OPERATORS_KEY", KEY);
    let planned = place.run(&[&PLAN[..], &["--json"]].concat()).exits(0).json();
    // The validator blocks the first try, a human has it tried again, and then it lands.
    place.run(&["run", "--run-id", "r1"]).exits(1);
    place.run(&["review", "retry", "002"]).exits(0);
    place.run(&["resume", "--run-id", "r1"]).exits(0);
    let came = outcome(&mut place, &planned);
    assert_eq!(models.asked().len(), 5);
    (place, came)
}

/// What a plan and a run came to, whoever answered.
fn outcome(place: &mut Place, planned: &Value) -> Value {
    let status = place.run(&["status", "--json"]).exits(0).json();
    json!({
        "plan": [planned["asked"]["usage"], planned["asked"]["attempts"], planned["tasks"]],
        "run": [status["status"], status["usage"], status["validators"], status["tasks"]["002"]["usage"]],
        "tree": place.git("rev-parse main^{tree}"),
    })
}

/// The cassette of one place in another one, which has no key, and whose providers nobody can reach.
fn with_cassette_of(recorded: &Place, tape: &str) -> Place {
    let place = place("http://127.0.0.1:9", tape);
    let folder = ".mycelium/cassettes/first";
    fs::create_dir_all(place.repository.path().join(folder)).unwrap();
    for file in ["plan.jsonl", "run.jsonl"] {
        let file = format!("{folder}/{file}");
        fs::copy(recorded.repository.path().join(&file), place.repository.path().join(&file)).unwrap();
    }
    place
}

#[test]
fn a_plan_and_a_run_are_repeated_elsewhere_without_a_key_and_without_their_provider() {
    let (recorded, came) = recorded();
    let mut place = with_cassette_of(&recorded, "replay: first");
    let planned = place.run(&[&PLAN[..], &["--json"]].concat()).exits(0).json();
    place.run(&["run", "--run-id", "again"]).exits(1).complains(&["validator"]);
    place.run(&["review", "retry", "002"]).exits(0);
    place.run(&["resume", "--run-id", "again"]).exits(0);
    assert_eq!(outcome(&mut place, &planned), came);
    assert_eq!(came["run"][1]["input_tokens"], 200 + 300 + 200);
    // Nothing of a key or of a question is in the files.
    for file in ["plan.jsonl", "run.jsonl"] {
        let text = place.read(&format!(".mycelium/cassettes/first/{file}"));
        for kept_out in [KEY, "Two things", "by-002-1", "http://"] {
            assert!(!text.contains(kept_out), "{file} holds {kept_out}");
        }
        for line in text.lines() {
            place.assert_valid("cassette", &serde_json::from_str(line).unwrap());
        }
    }
}

#[test]
fn a_question_that_has_changed_is_refused_and_nothing_of_it_lands() {
    let (recorded, _) = recorded();
    let mut place = with_cassette_of(&recorded, "replay: first");
    place.write(".mycelium/plan.md", "Three things.\n");
    place.run(&PLAN).exits(2).complains(&[
        "request 1 of the planner of task plan, attempt 1 (responses), is not in the cassette",
        "take the change back, or record anew",
    ]);
    assert!(!place.repository.path().join(".mycelium/tasks").exists());
    place.write(".mycelium/plan.md", "Two things.\n");
    place.run(&PLAN).exits(0);
    place.write(
        ".mycelium/config.yaml",
        &place.read(".mycelium/config.yaml").replace("echo by-", "echo otherwise-by-"),
    );
    let before = place.head();
    let run = place.run(&["run", "--run-id", "r1"]).exits(4);
    let run = run.complains(&["of the test of task 00", "is not in the cassette", "record anew"]);
    assert!(run.stdout.contains("interrupted"), "{run:#?}");
    assert_eq!(place.head(), before);
    assert!(!place.run(&["logs"]).exits(0).stdout.contains("landing.intent"));
}

#[test]
fn a_cassette_that_cannot_be_used_stops_everything_before_it_begins() {
    let (mut recorded, _) = recorded();
    for command in [&PLAN[..], &["run"]] {
        recorded.run(command).exits(2).complains(&["is whole and is not recorded over", "config.yaml"]);
    }
    let mut place = with_cassette_of(&recorded, "replay: second");
    for command in [&PLAN[..], &["run"]] {
        if command[0] == "run" {
            place.write(
                ".mycelium/config.yaml",
                &place.read(".mycelium/config.yaml").replace("second", "first"),
            );
            place.run(&PLAN).exits(0);
            fs::remove_dir_all(place.repository.path().join(".mycelium/cassettes")).unwrap();
        }
        place.run(command).exits(2).complains(&["there is no cassette", "record it first"]);
    }
    assert!(!place.ran());
}

/// Work that is the same in each attempt, and waits for a file at the second task.
fn waiting(place: &Place) -> String {
    let outside = place.outside();
    let [at_work, go] = ["at-work", "go"].map(|name| outside.join(name).display().to_string());
    format!(
        "test $MYCELIUM_TASK_ID = 001 || {{ touch {at_work}; while [ ! -e {go} ]; do sleep 0.05; done; }}; {}",
        WORK.replace("-$MYCELIUM_ATTEMPT", "")
    )
}

fn set_work(place: &Place, work: &str) {
    let config = place.read(".mycelium/config.yaml");
    place.write(".mycelium/config.yaml", &config.replace(WORK, work));
}

/// Runs until the second task's agent is at work, and kills the run there. From now on nobody waits.
fn kill_at_work(place: &Place) {
    let mut command = place.command(&["run", "--run-id", "r1", "--max-parallel", "1"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !place.outside().join("at-work").exists() {
        assert!(run.try_wait().unwrap().is_none(), "it ended before its command began");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&run), Signal::KILL).unwrap();
    run.wait().unwrap();
    fs::write(place.outside().join("go"), "").unwrap();
}

#[test]
fn recordings_and_replays_that_are_killed_go_on_and_come_to_the_same_end() {
    let models = models();
    let mut place = place(&models.base_url(), "record: first");
    place.sandbox.set("OPERATORS_KEY", KEY);
    set_work(&place, &waiting(&place));
    let planned = place.run(&[&PLAN[..], &["--json"]].concat()).exits(0).json();
    kill_at_work(&place);
    let mut early = with_cassette_of(&place, "replay: first");
    early.run(&PLAN).exits(0);
    early.run(&["run"]).exits(2).complains(&["has no end: its recording was cut off", "mycelium resume"]);
    place.run(&["resume", "--run-id", "r1"]).exits(0);
    let came = outcome(&mut place, &planned);
    drop(models);
    // What the second attempt was answered is answered to the first, where nobody kills it; and to the second where the
    // replay is killed, too.
    for is_killed in [false, true] {
        let mut place = with_cassette_of(&place, "replay: first");
        set_work(&place, &waiting(&place));
        let planned = place.run(&[&PLAN[..], &["--json"]].concat()).exits(0).json();
        if is_killed {
            kill_at_work(&place);
            place.run(&["resume", "--run-id", "r1"]).exits(0);
        } else {
            fs::write(place.outside().join("go"), "").unwrap();
            place.run(&["run", "--max-parallel", "1"]).exits(0);
        }
        assert_eq!(outcome(&mut place, &planned), came, "{is_killed}");
    }
}
