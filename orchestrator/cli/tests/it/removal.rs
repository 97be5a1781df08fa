//! What a run removes once a task has landed: it can take long, be interrupted, and fail.

use std::{fs, process::Child};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    held::{file_of_held, start, wait_until},
    place::Place,
    plans::ONE,
};

/// How many files an agent leaves that its workspace ignores, so that their removal takes a moment.
const MANY: usize = 3_000;

/// A run, named `held`, that stands still in the middle of removing the workspace of its only task, which has landed.
fn stopped_in_removal() -> (Place, Child) {
    let agent = format!(
        "mkdir -p many && cd many && echo '*' > .gitignore && seq {MANY} | xargs touch && cd .. && echo one > src/one.js"
    );
    let config = format!("worker:\n  agent: command\n  command: {}\n", Value::from(agent));
    // Where this process is held up between its look and the stop, all is removed already: then another run is tried.
    for _ in 0..10 {
        let place = Place::with_plan(&config, ONE);
        let mut child = start(&place, &["run", "--run-id", "held"]);
        wait_until(&mut child, || {
            file_of_held(&place, "orchestrator.jsonl").is_some_and(|text| text.contains("landing.done"))
        });
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::STOP).unwrap();
        let many = place.project_dir().join("workspaces/held/001/many");
        if fs::read_dir(many).is_ok_and(|mut left| left.next().is_some()) {
            return (place, child);
        }
        kill_process(pid, Signal::CONT).unwrap();
        child.wait().unwrap();
    }
    panic!("no run was stopped in time");
}

/// Lets the run go on and gives its exit code.
fn go_on(child: &mut Child) -> Option<i32> {
    kill_process(Pid::from_child(child), Signal::CONT).unwrap();
    child.wait().unwrap().code()
}

/// `resume` completes the run, which did its task once and leaves nothing of it.
fn is_completed_by_resume(place: &mut Place) {
    place.run(&["resume"]).exits(0);
    assert!(!place.project_dir().join("workspaces/held").exists(), "workspaces are left");
    assert!(!place.project_dir().join("runs/held/objects.git").exists(), "objects are left");
    place.landed_once("001");
}

#[test]
fn a_signal_is_heard_while_the_workspace_of_a_landed_task_is_removed() {
    let (mut place, mut child) = stopped_in_removal();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    // Who does not listen removes it to the end, completes the run and exits with 0.
    assert_eq!(go_on(&mut child), Some(130));
    let state = place.run(&["status", "--json"]).json();
    assert_eq!(state["stop_reason"], "signal", "{state:#}");
    is_completed_by_resume(&mut place);
}

#[test]
fn what_a_signal_kept_from_being_removed_goes_with_clean() {
    let (mut place, mut child) = stopped_in_removal();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(go_on(&mut child), Some(143));
    place.run(&["clean", "--run-id", "held", "--force"]).exits(0);
    let project = place.project_dir();
    assert!(!project.join("workspaces/held").exists() && !project.join("runs/held").exists());
    place.landed_once("001");
}

#[test]
fn a_run_whose_last_note_cannot_be_removed_is_interrupted_and_completed_later() {
    let (mut place, mut child) = stopped_in_removal();
    // A folder in its place can be neither read nor removed as the file that it should be.
    let note = place.repository.path().join(".git/mycelium.ref-lock");
    fs::create_dir(&note).unwrap();
    assert_eq!(go_on(&mut child), Some(4));
    let state = place.run(&["status", "--json"]).json();
    assert_eq!(state["status"], "interrupted", "{state:#}");
    assert_eq!(state["stop_reason"], "environment", "{state:#}");
    assert_eq!(state["tasks"]["001"]["status"], "landed", "{state:#}");
    place.run(&["resume"]).exits(4).complains(&["mycelium.ref-lock"]);
    fs::remove_dir(&note).unwrap();
    is_completed_by_resume(&mut place);
}
