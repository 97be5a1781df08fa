//! Whether the two records of a run agree. The journal is folded here by hand: what is looked for must not depend on the
//! code that is looked at.

use std::collections::BTreeMap;

use cucumber::then;
use mycelium_schemas::{evidence::AssertionKind::State, state::RunStatus};

use crate::world::{Claim, JournalLine, MyceliumWorld, Verdict, WorldError, lines};

/// `state.json` says of run, head and tasks what the journal says, event by event.
#[then(expr = "the state is what the journal says")]
fn agrees(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let folder = world.run_folder()?;
    let state = folder.state()?;
    let tasks = state.tasks.iter().map(|(id, task)| {
        let status = match task.status.to_string().as_str() {
            // Of a task that waits when the run ends.
            "skipped" if state.status != RunStatus::Running => "pending".to_owned(),
            status => status.to_owned(),
        };
        format!("task {id} is {status} after {} attempts", task.attempts)
    });
    let found = lines(tasks.chain([format!("the run is {} at {}", state.status, state.head_commit)]));
    let claim = Claim::new(State, "agrees", "state and journal", "state.json and orchestrator.jsonl");
    world.must(claim, Verdict::equal(fold(&folder.journal()?), found))
}

fn fold(journal: &[JournalLine]) -> String {
    let (mut run, mut head) = ("running".to_owned(), String::new());
    let mut tasks: BTreeMap<String, (&str, u32)> = BTreeMap::new();
    for line in journal {
        let of = |field: &str| line.payload[field].as_str().map(str::to_owned);
        let kind = line.event.kind.type_name();
        match kind {
            "run.start" => {
                let ids = line.payload["tasks"].as_array().into_iter().flatten();
                tasks.extend(ids.filter_map(|id| Some((id.as_str()?.to_owned(), ("pending", 0)))));
            }
            "run.resume" => "running".clone_into(&mut run),
            "run.complete" => "complete".clone_into(&mut run),
            "run.stop" => run = of("status").unwrap_or_default(),
            "review.approve" | "review.retry" | "review.reject" => "interrupted".clone_into(&mut run),
            _ => {}
        }
        let moved = ["base_commit", "head_commit", "found"].into_iter().find_map(of);
        head = match kind {
            "landing.done" => of("commit"),
            "run.start" | "batch.start" | "run.resume" | "landing.refused" => moved,
            _ => None,
        }
        .unwrap_or(head);
        let status = match kind {
            "task.start" => "running",
            "task.retry" | "task.rescope" | "worker.lost" | "review.retry" => "pending",
            "task.validated" | "review.approve" => "validated",
            "task.landed" => "landed",
            "task.fail" | "review.reject" => "failed",
            "task.review" => "needs_human_review",
            _ => continue,
        };
        if let Some(task) = line.event.task_id.as_ref().and_then(|id| tasks.get_mut(id.as_str())) {
            task.0 = status;
            task.1 += u32::from(kind == "task.start");
        }
    }
    let tasks = tasks.iter().map(|(id, (status, n))| format!("task {id} is {status} after {n} attempts"));
    lines(tasks.chain([format!("the run is {run} at {head}")]))
}
