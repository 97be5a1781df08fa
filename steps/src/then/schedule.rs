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

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(events: &[(&str, &str)]) -> Vec<JournalLine> {
        let line = |(seq, (kind, task)): (usize, &(&str, &str))| {
            let payload = match *kind {
                "task.start" => serde_json::json!({ "base_commit": "a".repeat(40) }),
                "task.validated" => serde_json::json!({ "commit": "a".repeat(40), "changed": [] }),
                _ => serde_json::json!({ "reason": "x", "attempts_left": 1 }),
            };
            let event = serde_json::json!({
                "v": 1, "ts": "2026-01-02T03:04:05Z", "seq": seq + 1, "run_id": "r", "task_id": task,
                "attempt": 1, "type": kind, "payload": payload,
            });
            JournalLine { event: serde_json::from_value(event).unwrap(), payload }
        };
        events.iter().enumerate().map(line).collect()
    }

    fn overlap(events: &[(&str, &str)]) -> bool {
        together(&journal(events), &"a".parse().unwrap(), &"b".parse().unwrap())
    }

    #[test]
    fn tasks_overlap_when_one_begins_while_the_other_is_under_way() {
        assert!(overlap(&[("task.start", "a"), ("task.start", "b"), ("task.validated", "a")]));
        assert!(!overlap(&[("task.start", "a"), ("task.validated", "a"), ("task.start", "b")]));
        assert!(!overlap(&[("task.start", "a"), ("task.start", "c")]));
    }

    #[test]
    fn a_second_attempt_counts_as_well() {
        let first_apart = [("task.start", "a"), ("task.retry", "a"), ("task.start", "b")];
        assert!(!overlap(&first_apart));
        let mut then_together = first_apart.to_vec();
        then_together.push(("task.start", "a"));
        assert!(overlap(&then_together));
    }
}
