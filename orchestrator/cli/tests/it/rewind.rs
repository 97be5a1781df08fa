//! Somebody takes what the run landed off the branch while it goes on, or between a kill and `resume`.

use std::fs;

use serde_json::Value;

use crate::{
    place::{Done, Place},
    plans::CHAIN,
};

/// A place, with the branch not checked out, whose second task first does something once, in the repository. Tells the
/// commit that the branch begins at, too.
fn place(deed: &str) -> (Place, String) {
    let place = Place::with_plan("", CHAIN);
    let root = place.head();
    let command = format!(
        "if [ $MYCELIUM_TASK_ID = 001 ]; then echo one >src/one.js; exit; fi\n\
         if mkdir '{}'; then (cd '{}'; git branch -q -f was main; git branch -q -f main {root}; {deed}) >&2; fi\n\
         cp src/one.js src/two.js",
        place.outside().join("done").display(),
        place.repository.path().display()
    );
    let worker = format!("max_retries: 1\nworker:\n  agent: command\n  command: {}\n", Value::from(command));
    place.write(".mycelium/config.yaml", &format!("{}{worker}", place.read(".mycelium/config.yaml")));
    place.git("checkout -q --detach");
    (place, root)
}

/// The run waits for a human: it names what is lost, and nothing landed on top.
#[track_caller]
fn waits(place: &mut Place, run: &Done, head: &str) {
    assert_eq!(run.code, 3, "{run:#?}");
    let lost = place.git("rev-parse --short=10 was");
    for part in ["landing 1 of 001", &lost, "main", "resume", "run again"] {
        assert!(run.stderr.contains(part) || run.stdout.contains(part), "{part:?} is not said: {run:#?}");
    }
    assert_eq!(place.head(), head);
    let reviewed = place.run(&["review"]).exits(0).stderr;
    for part in ["no task waits for a human, but run ", "put main back to where it holds", &lost] {
        assert!(reviewed.contains(part), "{part:?} is not said: {reviewed}");
    }
    let failures = place.run(&["logs", "failures"]).exits(0).stdout;
    assert!(failures.contains(": run.stop\n") && failures.contains("put main back"), "{failures}");
    let state = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!(
        (&state["status"], &state["stop_reason"]),
        (&"needs_human_review".into(), &"branch_rewound".into())
    );
}

/// Both tasks are in the branch, once.
#[track_caller]
fn landed_once(place: &Place) {
    for task in ["001", "002"] {
        place.landed_once(task);
    }
    assert_eq!(place.git("show main:src/two.js"), "one");
}

#[test]
fn nothing_lands_on_a_branch_that_lost_what_it_builds_on() {
    let (mut place, root) = place("true");
    let run = place.run(&["run"]);
    waits(&mut place, &run, &root);
    let again = place.run(&["resume"]);
    waits(&mut place, &again, &root);
    place.git("branch -f main was");
    place.run(&["resume"]).exits(0);
    landed_once(&place);
    assert_eq!(place.run(&["status", "--json"]).json()["tasks"]["002"]["attempts"], 1, "its work was kept");
}

#[test]
fn after_a_kill_no_agent_begins_without_what_its_task_depends_on() {
    let (mut place, root) = place("kill -9 $PPID");
    let mut run = place.command(&["run"]);
    assert_eq!(run.output().unwrap().status.code(), None);
    let resumed = place.run(&["resume"]);
    waits(&mut place, &resumed, &root);
    assert_eq!(place.run(&["status", "--json"]).json()["tasks"]["002"]["attempts"], 1, "none was begun");
    place.git("branch -f main was");
    place.run(&["resume"]).exits(0);
    landed_once(&place);
}

#[test]
fn a_branch_that_lost_a_landing_does_not_make_a_run_complete() {
    let (mut place, root) = place("git branch -q -f main was");
    place.write(
        ".mycelium/config.yaml",
        &format!("{}cleanup:\n  workspaces: never\n", place.read(".mycelium/config.yaml")),
    );
    place.run(&["run", "--run-id", "r1"]).exits(0);
    landed_once(&place);
    // As after a kill just before the end.
    let journal = place.project_dir().join("runs/r1/orchestrator.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
    assert!(last.contains("run.complete"), "{last}");
    fs::write(&journal, format!("{before}\n")).unwrap();
    let landed = place.head();
    place.git(&format!("branch -f main {root}"));
    let resumed = place.run(&["resume", "--run-id", "r1"]);
    waits(&mut place, &resumed, &root);
    place.git(&format!("branch -f main {landed}"));
    place.run(&["resume"]).exits(0);
    landed_once(&place);
}
