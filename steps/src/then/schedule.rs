//! Which tasks ran at the same time, by the journal's order.

use cucumber::then;
use mycelium_schemas::evidence::AssertionKind::Event;

use crate::world::{Claim, JournalLine, MyceliumWorld, TaskName, Verdict, WorldError, summary};

const JOURNAL: &str = "orchestrator.jsonl";

/// Types of the events that end an attempt.
const ENDS: [&str; 5] = ["task.validated", "task.retry", "task.rescope", "task.fail", "task.review"];

/// No attempt of one task began while one of the other was under way. Both must have begun.
#[then(expr = "tasks {task} and {task} never run at the same time")]
fn never_together(world: &mut MyceliumWorld, one: TaskName, other: TaskName) -> Result<(), WorldError> {
    let journal = world.run_folder()?.journal()?;
    let subject = format!("tasks {} and {} together", one.as_str(), other.as_str());
    let began = |task: &TaskName| journal.iter().any(|line| line.is("task.start", Some(task.as_str())));
    let held = began(&one) && began(&other) && !together(&journal, &one, &other);
    let expected = "each attempt of one ends before an attempt of the other begins";
    world.never(
        Claim::new(Event, "no_overlap", subject, JOURNAL),
        Verdict::of(held, expected, summary(&journal)),
    )
}

/// An attempt of one task began while one of the other was under way.
#[then(expr = "tasks {task} and {task} run at the same time")]
fn run_together(world: &mut MyceliumWorld, one: TaskName, other: TaskName) -> Result<(), WorldError> {
    let journal = world.run_folder()?.journal()?;
    let subject = format!("tasks {} and {} together", one.as_str(), other.as_str());
    let held = together(&journal, &one, &other);
    let expected = "an attempt of one begins while one of the other is under way";
    world.must(Claim::new(Event, "overlap", subject, JOURNAL), Verdict::of(held, expected, summary(&journal)))
}

fn together(journal: &[JournalLine], one: &TaskName, other: &TaskName) -> bool {
    let mut running = [false, false];
    for line in journal {
        for (slot, task) in [one, other].into_iter().enumerate() {
            if line.is("task.start", Some(task.as_str())) {
                running[slot] = true;
            } else if ENDS.iter().any(|end| line.is(end, Some(task.as_str()))) {
                running[slot] = false;
            }
        }
        if running == [true, true] {
            return true;
        }
    }
    false
}
