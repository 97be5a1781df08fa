//! Several runs of one project: none does again what another one has landed since.

use crate::{held::HeldRun, place::Place};

/// A place where the run `held` was killed and the run `r2` has landed its work.
fn superseded() -> Place {
    let (mut place, held) = HeldRun::start();
    held.kill_for_good(&place);
    let second = place.run(&["run", "--run-id", "r2"]).exits(0);
    second.complains(&[
        "run held is unfinished (interrupted) since",
        "`mycelium resume --run-id held` continues it",
    ]);
    place
}

#[test]
fn a_run_whose_work_another_run_has_landed_is_not_gone_on_with() {
    let mut place = superseded();
    let (head, run) = (place.head(), place.project_dir().join("runs/held"));
    let files = || ["orchestrator.jsonl", "state.json"].map(|name| std::fs::read(run.join(name)).unwrap());
    let before = files();
    place.run(&["resume", "--run-id", "held"]).exits(2).complains(&[
        "run held would do again what has landed since: task 001 in run r2",
        "`mycelium run` does what is left",
        "`mycelium clean --run-id held --force` removes this run",
    ]);
    for decision in ["approve", "retry"] {
        place.run(&["review", "--run-id", "held", decision, "001"]).exits(2).complains(&["landed since"]);
    }
    assert_eq!((place.head(), files()), (head, before));
}

#[test]
fn resume_without_a_name_passes_over_it_and_says_so() {
    let mut place = superseded();
    let head = place.head();
    let none = place.run(&["resume"]).exits(0).complains(&["run held is unfinished", "task 001 in run r2"]);
    assert_eq!((none.stdout.as_str(), place.head()), ("no run to resume\n", head));
}

#[test]
fn a_task_that_was_named_to_be_done_again_is() {
    let mut place = superseded();
    // Its task had landed when this run began, so that going on with it does what was asked for.
    HeldRun::again(&place, &["run", "--run-id", "again", "--tasks", "001"]).kill_for_good(&place);
    let resumed = place.run(&["resume", "--run-id", "again"]);
    assert!(!resumed.stderr.contains("landed since"), "{resumed:#?}");
    resumed.complains(&["run again: goes on"]);
}
