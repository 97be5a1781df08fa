//! Folding events, legal ones and others: whatever is refused leaves no trace.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::collections::BTreeMap;

use mycelium_core::{
    settle::Draft,
    state::{IllegalEvent, RunState},
};
use mycelium_schemas::{
    event::{
        BatchComplete, BatchStart, CheckoutUpdate, Event, EventKind, LandingDone, Local, ReasonPayload,
        ReviewApprove, ReviewReject, ReviewRetry, RunComplete, RunResume, TaskLanded, TaskRetry, TaskStart,
        TaskValidated, UsageUpdate, WorkerLost,
    },
    id::{CommitId, TaskId},
    state::Usage,
};
use proptest::prelude::*;

use support::{event, run_start};

fn commit() -> CommitId {
    format!("{:040x}", 7).parse().unwrap()
}

fn of_batch(seq: u64, task: Option<TaskId>, kind: EventKind) -> Event {
    event(seq, Draft { task, ..Draft::batch(1, kind) })
}

fn start() -> EventKind {
    run_start(vec!["t0".parse().unwrap(), "t1".parse().unwrap()], commit())
}

/// Events of many kinds, about tasks that the run has and one that it has not.
fn kind(number: u8, tasks: Vec<TaskId>) -> EventKind {
    let (reason, commit) = (String::new(), commit());
    match number {
        0 => EventKind::BatchStart(BatchStart { tasks, base_commit: commit }),
        1 => EventKind::BatchComplete(BatchComplete { landed: tasks, not_landed: Vec::new() }),
        2 => EventKind::TaskRetry(TaskRetry { reason, attempts_left: 1, backoff_ms: 0 }),
        3 => EventKind::TaskValidated(TaskValidated { commit, changed: Vec::new() }),
        4 => EventKind::TaskLanded(TaskLanded { commit }),
        5 => EventKind::TaskFail(ReasonPayload { code: String::new(), message: reason }),
        6 => EventKind::WorkerLost(WorkerLost { reason }),
        7 => EventKind::ReviewApprove(ReviewApprove { commit, overrides: Vec::new() }),
        8 => EventKind::ReviewRetry(ReviewRetry { config_digest: "new".into() }),
        9 => EventKind::ReviewReject(ReviewReject {}),
        10 => EventKind::RunResume(RunResume { head_commit: Some(commit), local: Local::default() }),
        11 => EventKind::RunComplete(RunComplete { head_commit: commit }),
        12 => EventKind::LandingDone(LandingDone {
            landing: 1,
            tasks,
            old_head: commit.clone(),
            commit,
            checkout: CheckoutUpdate::NotCheckedOut,
        }),
        13 => {
            let usage = Usage { input_tokens: 5, ..Usage::default() };
            EventKind::UsageUpdate(UsageUpdate {
                usage,
                validators: BTreeMap::new(),
                agent_is_silent: false,
                task_total: usage,
                run_total: usage,
            })
        }
        14 => start(),
        _ => EventKind::TaskStart(TaskStart::fresh(commit)),
    }
}

/// Begins a run of two tasks.
fn begun() -> RunState {
    RunState::start("p".parse().unwrap(), &of_batch(1, None, start())).unwrap()
}

proptest! {
    #[test]
    fn an_event_that_is_refused_changes_nothing(
        events in prop::collection::vec((0u8..24, 0usize..4, 0u8..12), 1..60),
    ) {
        let mut state = begun();
        for (number, task, gap) in events {
            let task: Option<TaskId> = ["t0", "t1", "t9"].get(task).map(|id| id.parse().unwrap());
            let seq = state.last_seq + if gap == 0 { 2 } else { 1 };
            let event = of_batch(seq, task.clone(), kind(number, task.into_iter().collect()));
            let (before, checked) = (format!("{state:?}"), state.check(&event));
            let applied = state.apply(&event);
            prop_assert_eq!(&checked, &applied);
            if applied.is_err() {
                prop_assert_eq!(format!("{state:?}"), before);
            }
        }
    }
}

#[test]
fn an_attempt_outside_a_batch_is_refused_before_its_task_is_touched() {
    let mut state = begun();
    let before = format!("{state:?}");
    let task = Some("t0".parse().unwrap());
    let refused = state.apply(&of_batch(2, task, kind(99, Vec::new())));
    assert_eq!(refused, Err(IllegalEvent::Unknown { seq: 2, kind: "task.start" }));
    assert_eq!(format!("{state:?}"), before);
}

#[test]
fn an_attempt_is_lost_until_something_else_becomes_of_its_task() {
    let [batch, retry, lost, redo, start] = [0, 2, 6, 8, 99];
    for (numbers, is_lost) in [
        ([batch, start, lost].as_slice(), true),
        (&[batch, start, lost, start, lost], true),
        (&[batch, start, retry], false),
        (&[batch, start, lost, start, retry], false),
        // A human has it done again, from the beginning.
        (&[batch, start, lost, redo], false),
    ] {
        let mut state = begun();
        for number in numbers {
            let task: TaskId = "t0".parse().unwrap();
            let event = of_batch(state.last_seq + 1, Some(task.clone()), kind(*number, vec![task]));
            state.apply(&event).unwrap();
        }
        assert_eq!(state.tasks.values().next().unwrap().is_lost(), is_lost, "{numbers:?}");
    }
}
