//! The beginning of a run, and events of it, as every test here needs them.

use mycelium_core::settle::Draft;
use mycelium_schemas::{
    event::{Event, EventKind, Local, RunStart, World},
    id::{CommitId, TaskId},
};

/// A run of these tasks begins on the branch `main`.
pub(crate) fn run_start(tasks: Vec<TaskId>, base_commit: CommitId) -> EventKind {
    EventKind::RunStart(RunStart {
        tasks,
        landed_before: Vec::new(),
        number: None,
        integration_branch: "main".into(),
        base_commit,
        max_parallel: 4,
        config_digest: String::new(),
        doctor_digest: String::new(),
        world: World::default(),
        local: Local::default(),
    })
}

/// A draft as the event of the run `r` with a number.
pub(crate) fn event(seq: u64, Draft { task, attempt, batch, kind }: Draft) -> Event {
    Event {
        v: 1,
        ts: "2026-01-02T03:04:05Z".parse().unwrap(),
        seq,
        run_id: "r".parse().unwrap(),
        task_id: task,
        attempt,
        batch,
        more: false,
        kind,
    }
}
