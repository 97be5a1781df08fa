//! `logs`: events, timeline, failures, and following a run.

use std::{fs, io::Write, path::PathBuf};

use mycelium_fixtures::Fixture;
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    held::{HeldRun, Watcher},
    place::Place,
    plans::{ONE, TWO},
};

/// A place after a run `r1` that landed two tasks one after the other.
fn after_a_run() -> Place {
    let mut place = Place::with_plan("max_parallel: 1\n", TWO);
    place.sandbox.set("MOCK_CODEX_USAGE", r#"{"input_tokens": 100, "output_tokens": 5}"#);
    place.run(&["run", "--run-id", "r1"]).exits(0);
    place
}

fn journal(place: &Place) -> PathBuf {
    place.project_dir().join("runs/r1/orchestrator.jsonl")
}

fn query(place: &mut Place, words: &[&str]) -> Vec<Value> {
    let done = place.run(&[&["logs", "--json"], words].concat()).exits(0);
    done.json().as_array().unwrap().clone()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn a_task_that_the_run_does_not_have_is_refused_with_those_that_there_are() {
    let mut place = after_a_run();
    for view in ["query", "timeline", "failures", "follow"] {
        place
            .run(&["logs", view, "--task", "0012"])
            .exits(2)
            .complains(&["run r1 has no task 0012", "did you mean `001`? its tasks are 001, 002"]);
    }
    let none = place.run(&["logs", "--task", "001", "--type", "task.fail"]).exits(0);
    assert_eq!(none.stdout, "");
}

#[test]
fn the_events_of_journal_and_agents_are_one_stream() {
    let mut place = after_a_run();
    let events = query(&mut place, &[]);
    place.assert_valid("logs", &Value::from(events.clone()));
    let mine: Vec<Value> = events.into_iter().filter(|event| event["task_id"] == "001").collect();
    assert_eq!(
        types(&mine),
        [
            "task.start",
            "worker.start",
            "agent.event",
            "worker.exit",
            "usage.update",
            "task.validated",
            "task.landed"
        ]
    );
    let lines = place.run(&["logs", "query"]).exits(0).stdout;
    assert!(
        lines.contains(" 001#1    task.validated      passed its gates with 1 changed file\n"),
        "{lines}"
    );
    assert!(lines.contains(" run      run.complete        complete at "), "{lines}");
    assert!(lines.contains(r#" 001#1    agent.event         {"type":"turn.completed""#), "{lines}");
}

#[test]
fn a_clock_that_was_set_back_changes_no_order_and_no_length() {
    let mut place = after_a_run();
    let told = query(&mut place, &[]);
    let before = types(&told);
    // As the journal of a machine that lost its time while the first agent worked.
    let text = fs::read_to_string(journal(&place)).unwrap();
    let exit = text.find(r#""type":"worker.exit""#).unwrap();
    let (early, late) = text.split_at(text[..exit].rfind('\n').unwrap());
    fs::write(journal(&place), format!("{early}{}", late.replace(r#""ts":"2026"#, r#""ts":"1970"#))).unwrap();
    let after = query(&mut place, &[]);
    assert_eq!(types(&after), before);
    assert!(after.iter().any(|event| event["ts"].as_str().unwrap().starts_with("1970")), "{after:?}");
    let timeline = place.run(&["logs", "timeline", "--json"]).exits(0).json();
    place.assert_valid("logs-timeline", &timeline);
    assert_eq!(timeline["spans"][0]["duration_ms"], Value::Null);
    assert!(timeline["spans"][0]["work_ms"].is_u64(), "{timeline}");
    place.run(&["logs", "timeline"]).exits(0);
}

#[test]
fn conditions_narrow_the_stream_together() {
    let mut place = after_a_run();
    let all = query(&mut place, &[]).len();
    let landed = query(&mut place, &["--type", "task.landed"]);
    assert_eq!(types(&landed), ["task.landed"; 2]);
    let second = query(&mut place, &["--type", "*.landed", "--task", "002"]);
    assert_eq!((second.len(), &second[0]["task_id"]), (1, &"002".into()));
    let of_second = query(&mut place, &["--task", "002"]);
    assert!(types(&of_second).contains(&"landing.done"), "a landing that names the task is about it");
    assert!(of_second.iter().all(|event| event["task_id"] != "001"));
    let last = query(&mut place, &["--limit", "2"]);
    assert_eq!(types(&last), ["batch.complete", "run.complete"]);
    let since = last[0]["ts"].as_str().unwrap().to_owned();
    assert_eq!(types(&query(&mut place, &["--since", &since])), ["batch.complete", "run.complete"]);
    assert_eq!(query(&mut place, &["--since", "1h"]).len(), all);
    assert_eq!(types(&query(&mut place, &["--grep", r#""changed":\["src/two"#])), ["task.validated"]);
    let none = place.run(&["logs", "--type", "task.lost"]).exits(0).complains(&["no type of event"]);
    assert_eq!(none.stdout, "");
}

#[test]
fn a_question_that_is_nonsense_is_refused() {
    let mut place = after_a_run();
    place.run(&["logs", "--type", "["]).exits(2).complains(&["is not a glob"]);
    place.run(&["logs", "--grep", "("]).exits(2).complains(&["is not a regular expression"]);
    place.run(&["logs", "--since", "yesterday"]).exits(2).complains(&["neither a time nor a duration"]);
    place.run(&["logs", "--run-id", "r9"]).exits(2).complains(&["there is no run r9"]);
    place.run(&["logs", "timeline", "--type", "task.*"]).exits(2).complains(&["--type does not apply"]);
    let mut fresh = Place::with_config("");
    let none = fresh.run(&["logs", "--json"]).exits(0).complains(&["no runs yet"]);
    assert_eq!(none.json(), serde_json::json!([]));
    assert!(!fresh.ran(), "a reader wrote something");
}

#[test]
fn what_cannot_be_read_is_skipped_and_counted_and_what_is_unknown_is_shown() {
    let mut place = after_a_run();
    let before = query(&mut place, &[]).len();
    let future = r#"{"v":1,"ts":"2026-01-02T03:05:00Z","seq":99,"type":"from.the.future","run_id":"r1","payload":{"new":1}}"#;
    let mut file = fs::OpenOptions::new().append(true).open(journal(&place)).unwrap();
    write!(file, "not json\n\u{1b}[2J{{}}\n{future}\n{{\"v\":1,\"ts\":\"20").unwrap();
    let bytes = fs::read(journal(&place)).unwrap();
    let done = place.run(&["logs", "--json"]).exits(0).complains(&[
        "lines that are no events and were skipped: 2",
        "last lines that have no end and were skipped: 1",
    ]);
    let events = done.json();
    assert_eq!(events.as_array().unwrap().len(), before + 1);
    assert_eq!(events[before]["type"], "from.the.future");
    let lines = place.run(&["logs"]).exits(0).stdout;
    assert!(lines.ends_with("run      from.the.future     {\"new\":1}\n"), "{lines}");
    for view in ["timeline", "failures"] {
        place.run(&["logs", view]).exits(0).complains(&["skipped: 2", "skipped: 1"]);
    }
    assert_eq!(fs::read(journal(&place)).unwrap(), bytes, "a reader wrote something");
}

#[test]
fn a_stream_that_breaks_off_is_a_whole_document_nevertheless() {
    let mut place = after_a_run();
    let events = place.project_dir().join("runs/r1/tasks/001/attempt-1/events.jsonl");
    fs::remove_file(&events).unwrap();
    fs::create_dir(&events).unwrap();
    let why = ["events.jsonl", "it is not a file"];
    let broken = place.run(&["logs", "--json"]).exits(4).complains(&why);
    let told = broken.json();
    assert_eq!(types(told.as_array().unwrap())[..2], ["run.start", "batch.start"], "{told}");
    place.run(&["logs", "follow", "--json", "--limit", "100"]).exits(4).complains(&why);
    // Where nothing was told yet, the error is the document.
    let none =
        place.run(&["logs", "--json", "--type", "task.landed", "--limit", "1"]).exits(4).complains(&why);
    assert_eq!(none.json()["error"]["kind"], "environment");
}

#[test]
fn the_timeline_shows_attempts_and_landings_with_their_times() {
    let mut place = after_a_run();
    let timeline = place.run(&["logs", "timeline", "--json"]).exits(0).json();
    place.assert_valid("logs-timeline", &timeline);
    let spans: Vec<_> = timeline["spans"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = spans.iter().map(|span| (span["kind"].as_str(), span["tasks"][0].as_str())).collect();
    assert_eq!(
        kinds,
        [("attempt", "001"), ("landing", "001"), ("attempt", "002"), ("landing", "002")]
            .map(|(kind, task)| (Some(kind), Some(task)))
    );
    assert!(spans.iter().all(|span| span["work_ms"].is_u64() && span["duration_ms"].is_u64()), "{timeline}");
    assert_eq!((&timeline["status"], &spans[0]["outcome"]), (&"complete".into(), &"passed its gates".into()));
    let text = place.run(&["logs", "timeline", "--task", "002"]).exits(0).stdout;
    assert!(text.starts_with("run r1: complete · began 2026-01-02T03:04:05.000Z"), "{text}");
    assert!(text.contains("  002   attempt 1  ") && !text.contains("  001  "), "{text}");
}

#[test]
fn each_failure_is_told_once_with_the_file_that_shows_it() {
    let mut place = Place::with_plan("max_retries: 1\n", ONE);
    assert_eq!(place.run(&["run", "--run-id", "r0", "--dry-run"]).code, 0);
    place.sandbox.set("MOCK_CODEX_USAGE", "nonsense");
    place.run(&["run", "--run-id", "r1"]).exits(1);
    let found = place.run(&["logs", "failures", "--json"]).exits(0).json();
    place.assert_valid("logs-failures", &found);
    let failures = found["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 2, "{found:#}");
    for (failure, then) in failures.iter().zip(["tried again (1 left)", "the task failed"]) {
        assert_eq!((&failure["type"], &failure["then"]), (&"worker.exit".into(), &then.into()), "{failure}");
        let log = fs::read_to_string(failure["log"].as_str().unwrap()).unwrap();
        assert!(log.contains("MOCK_CODEX_USAGE"), "{log}");
    }
    let text = place.run(&["logs", "failures", "--limit", "1"]).exits(0).stdout;
    assert!(text.contains("task 001, attempt 2: worker.exit\n  what  the agent exited with"), "{text}");
    assert!(text.contains("  log   ") && !text.contains("attempt 1:"), "{text}");
    let text = place.run(&["logs", "failures", "--type", "budget.*"]).exits(0).stdout;
    assert_eq!(text, "run r1: no failure matches; it ended as failed (task_failed): failed: 001\n");
}

#[test]
fn a_refusing_doctor_a_budget_and_a_verify_command_are_failures_with_their_logs() {
    let refusing = format!("integration_branch: main\ndoctor: {}\nmax_retries: 0\n", ".mycelium/doctor.sh");
    let mut place = Place::with_plan("", ONE);
    place.write(".mycelium/config.yaml", &refusing);
    place.run(&["run", "--run-id", "r1"]).exits(1);
    let found = place.run(&["logs", "failures", "--json"]).exits(0).json();
    let failures = found["failures"].as_array().unwrap();
    assert_eq!((failures.len(), &failures[0]["type"]), (1, &"landing.doctor_fail".into()), "{found:#}");
    assert_eq!(failures[0]["then"], "the task failed");
    assert!(failures[0]["what"].as_str().unwrap().contains("exited with 1"), "{found:#}");
    let log = failures[0]["log"].as_str().unwrap();
    assert!(fs::read_to_string(log).unwrap().contains("replace this with your build and tests"));

    let budget = format!(
        "integration_branch: main\ndoctor: {}\nbudgets: {{ max_tokens_per_task: 10 }}\n",
        Fixture::Toy.doctor()
    );
    place.write(".mycelium/config.yaml", &budget);
    place.sandbox.set("MOCK_CODEX_USAGE", r#"{"input_tokens": 100, "output_tokens": 5}"#);
    place.run(&["run", "--run-id", "r2"]).exits(1);
    let found = place.run(&["logs", "failures", "--run-id", "r2", "--json"]).exits(0).json();
    let failures = found["failures"].as_array().unwrap();
    assert_eq!(
        (failures.len(), &failures[0]["what"]),
        (1, &"the task used 105 tokens of 10".into()),
        "{found:#}"
    );
}

#[test]
fn an_attempt_that_fails_in_its_verify_command_shows_that_log() {
    let plan = r#"{"tasks": [{"id": "001", "name": "One", "files": {"writes": ["src/one.js"]},
        "verify": {"doctor": "echo it does not work; exit 3"}, "spec": "One."}]}"#;
    let mut place = Place::with_plan("max_retries: 0\n", plan);
    place.run(&["run", "--run-id", "r1"]).exits(1);
    let found = place.run(&["logs", "failures", "--json"]).exits(0).json();
    let failures = found["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{found:#}");
    assert!(failures[0]["what"].as_str().unwrap().contains("verify command"), "{found:#}");
    assert_eq!(fs::read_to_string(failures[0]["log"].as_str().unwrap()).unwrap(), "it does not work\n");
}

#[test]
fn following_shows_what_comes_and_ends_with_the_run() {
    let (place, held) = HeldRun::start();
    let mut watcher = Watcher::start(&place, &["logs", "follow"]);
    let begin = watcher.wait_for("worker.start");
    assert!(!begin.contains("worker.exit"), "{begin}");
    assert_eq!(held.release(), Some(0));
    let (rest, code) = watcher.end();
    assert!(rest.contains("worker.exit") && rest.contains("run.complete"), "{rest}");
    assert_eq!(code, Some(0));
}

#[test]
fn following_ends_by_ctrl_c_with_a_whole_document() {
    let (place, held) = HeldRun::start();
    let mut watcher = Watcher::start(&place, &["logs", "follow", "--json", "--type", "worker.*"]);
    let mut text = watcher.wait_for("worker.start");
    watcher.signal(Signal::INT);
    let (rest, code) = watcher.end();
    text += &rest;
    let events: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((types(events.as_array().unwrap()), code), (vec!["worker.start"], Some(130)));
    assert_eq!(held.release(), Some(0), "watching changed the run");
}
