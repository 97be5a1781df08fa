//! `status --watch` and the progress of `run`, on a terminal and without one.

use rustix::process::Signal;

use crate::{
    held::{HeldRun, Watcher, gate},
    place::Place,
    plans::{CHAIN, ONE},
    terminal::Terminal,
};

#[test]
fn without_a_terminal_each_change_is_a_line_and_the_end_is_the_state() {
    let (mut place, held) = HeldRun::start();
    let mut watcher = Watcher::start(&place, &["status", "--watch"]);
    let begin = watcher.wait_for("held of");
    assert!(
        begin.contains(" task 001: running, attempts 1\n") && begin.contains(": running · main at"),
        "{begin}"
    );
    assert_eq!(held.release(), Some(0));
    let (rest, code) = watcher.end();
    assert!(rest.contains(" task 001: landed, attempts 1\n"), "{rest}");
    let status = place.run(&["status"]).exits(0).stdout;
    assert!(rest.ends_with(&status), "{rest}");
    assert_eq!((code, rest.contains('\u{1b}')), (Some(0), false));
}

#[test]
fn as_json_the_end_is_the_only_document() {
    let (mut place, held) = HeldRun::start();
    let watcher = Watcher::start(&place, &["status", "--watch", "--json"]);
    assert_eq!(held.release(), Some(0));
    let (text, code) = watcher.end();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["status"], code), (&"complete".into(), Some(0)));
    // Nothing at work: there is nothing to wait for.
    assert_eq!(place.run(&["status", "--watch", "--json"]).exits(0).json(), document);
}

#[test]
fn a_watched_run_that_is_killed_is_seen_to_be_interrupted() {
    let (place, held) = HeldRun::start();
    let mut watcher = Watcher::start(&place, &["status", "--watch"]);
    watcher.wait_for("running · main");
    let gate = held.kill();
    let (rest, code) = watcher.end();
    assert!(rest.contains("held of") && rest.contains(": interrupted · main"), "{rest}");
    assert_eq!(code, Some(0));
    drop(gate);
}

#[test]
fn on_a_terminal_the_table_is_replaced_and_ctrl_c_leaves_nothing_of_it() {
    let (place, held) = HeldRun::start();
    let mut terminal = Terminal::start(place.command(&["status", "--watch"]));
    terminal.wait_for("TASK");
    terminal.signal(Signal::INT);
    let (screen, code) = terminal.end();
    assert_eq!((screen.trim(), code), ("", Some(130)));
    assert_eq!(held.release(), Some(0), "watching changed the run");
}

#[test]
fn on_a_terminal_a_run_shows_what_is_at_work_and_clears_it_at_the_end() {
    let place = Place::with_plan("", ONE);
    let mut terminal = Terminal::start(place.command(&["run", "--run-id", "r1"]));
    terminal.wait_for("1/1 landed");
    let (screen, code) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("task 001: passed its gates with 1 changed file"), "{screen}");
    assert!(screen.contains("every task landed"), "{screen}");
    assert!(!screen.contains("at work") && !screen.contains("agent works"), "{screen}");
}

#[test]
fn a_terminal_that_is_taken_away_does_not_fail_a_run() {
    let mut place = HeldRun::place();
    let mut terminal = Terminal::start_for_errors(place.command(&["run", "--run-id", "held"]));
    // Only the display that moves says this: it has drawn, and has more to draw when the agent goes on.
    terminal.wait_for("agent works");
    let gate = terminal.open_when_read(&gate(&place));
    let mut run = terminal.abandon();
    drop(gate);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(place.run(&["status", "--json"]).exits(0).json()["status"], "complete");
}

#[test]
fn a_run_that_goes_on_counts_from_where_it_was() {
    let mut place = Place::with_plan("", CHAIN);
    // The second task fails once.
    let command = format!(
        "if [ $MYCELIUM_TASK_ID = 001 ]; then\n\
           echo '{{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":100,\"output_tokens\":5}}}}'\n\
           echo one >src/one.js; exit\n\
         fi\n\
         if mkdir '{}'; then exit 1; fi; echo two >src/two.js",
        place.outside().join("done").display()
    );
    let worker = format!(
        "max_parallel: 1\nmax_retries: 0\nworker:\n  agent: command\n  command: {}\n",
        serde_json::Value::from(command)
    );
    place.write(".mycelium/config.yaml", &format!("{}{worker}", place.read(".mycelium/config.yaml")));
    place.run(&["run", "--run-id", "r1"]).exits(1);
    place.run(&["review", "retry", "002"]).exits(0);
    let mut terminal = Terminal::start_for_errors(place.command(&["resume"]));
    terminal.wait_for("run r1 · 1/2 landed · 0 at work · 105 tokens");
    terminal.wait_for("2/2 landed");
    let (_, code) = terminal.end();
    assert_eq!(code, Some(0));
}
