//! A machine that has too little of something: the run ends as the environment's failure, whatever was missing, and
//! `resume` completes it once it is there. No attempt is charged: none of these tasks may be done again.

use std::fs;

use crate::{
    place::{Done, Place, program},
    plans::CHAIN,
};

fn place() -> Place {
    let more = "max_retries: 0\nworker:\n  agent: command\n  command: echo \"$MYCELIUM_TASK_ID\" >\"src/$([ \"$MYCELIUM_TASK_ID\" = 001 ] && echo one || echo two).js\"\n";
    Place::with_plan(more, CHAIN)
}

/// Runs the program behind a shell's preparation, which applies to it and to all that it starts.
fn run_after(place: &mut Place, preparation: &str) -> Done {
    let folder = place.repository.path().to_owned();
    let script = format!("{preparation}; exec \"$0\" run --run-id r1");
    let words = ["-c".to_owned(), script, program().display().to_string()];
    place.sandbox.run("/bin/sh".as_ref(), &words, &folder).unwrap().into()
}

/// What an operator does afterwards; where the run had not begun, it begins now.
#[track_caller]
fn completes(place: &mut Place) {
    if place.run(&["resume", "--json"]).exits(0).json()["run_id"].is_null() {
        let status = place.run(&["status", "--json"]).exits(0).json();
        if status["status"] != "complete" {
            place.run(&["run", "--run-id", "r1"]).exits(0);
        }
    }
    let state = place.run(&["status", "--run-id", "r1", "--json"]).exits(0).json();
    assert_eq!(state["status"], "complete", "{state:#}");
    for line in fs::read_to_string(state["paths"]["journal"].as_str().unwrap()).unwrap().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let head = place.repository.head_of("main").unwrap().unwrap();
    assert_eq!(place.repository.first_parents(&head, None).unwrap().len(), 3);
}

/// A run either began, with a journal that says so, or left no folder.
#[track_caller]
fn assert_no_half_run(place: &Place) {
    let Ok(mut projects) = fs::read_dir(place.sandbox.mycelium_home().join("projects")) else { return };
    let Some(project) = projects.next() else { return };
    let run = project.unwrap().path().join("runs/r1");
    let begun = fs::read(run.join("orchestrator.jsonl")).is_ok_and(|journal| journal.contains(&b'\n'));
    assert!(begun || !run.exists(), "the folder of a run that never began was left");
}

#[test]
fn too_few_open_files_are_no_tasks_failure() {
    let (mut failed, mut advised) = (0, 0);
    for limit in [12, 16, 20, 24, 28, 32, 48, 64] {
        let mut place = place();
        let run = run_after(&mut place, &format!("ulimit -n {limit}"));
        assert!([0, 4].contains(&run.code), "with {limit} open files: {run:#?}");
        failed += u32::from(run.code == 4);
        advised += u32::from(run.stderr.contains("ulimit -n 1024"));
        completes(&mut place);
    }
    assert!(failed > 0 && advised > 0, "{failed} felt the limit, {advised} said so");
}

#[test]
fn a_limit_on_the_size_of_files_is_no_tasks_failure() {
    let mut failed = 0;
    for blocks in [1, 2, 4, 6, 8, 12] {
        let mut place = place();
        let run = run_after(&mut place, &format!("ulimit -f {blocks}"));
        assert!([0, 4].contains(&run.code), "with {blocks} blocks: {run:#?}");
        failed += u32::from(run.code == 4);
        assert_no_half_run(&place);
        completes(&mut place);
    }
    assert!(failed > 0, "the limits were never felt");
}

#[test]
fn a_run_that_nobody_can_be_told_of_completes() {
    for (closed, code) in
        [("exec >&-", 0), ("exec 2>&-", 0), ("exec <&- >&- 2>&-", 0), ("exec >/dev/full 2>/dev/full", 4)]
    {
        let mut place = place();
        let run = run_after(&mut place, closed);
        assert_eq!(run.code, code, "{closed}: {run:#?}");
        completes(&mut place);
    }
}
