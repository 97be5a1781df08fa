//! A candidate that holds only the first tasks of a batch: what becomes of it says nothing about the others, and they
//! come next.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use mycelium_core::{
    decide::{Action, decide},
    plan::Plan,
    settle::{self, Draft, LandingOutcome},
    state::RunState,
};
use mycelium_schemas::{
    config::{self, Config},
    event::{
        BatchStart, CheckoutUpdate, DoctorResult, EventKind, ExitReason, LandingDone, Local, TaskStart,
        TaskValidated,
    },
    id::{CommitId, TaskId},
    problem::Source,
    state::TaskStatus,
};

use support::{event, run_start};

fn commit(number: u8) -> CommitId {
    format!("{number:02x}").repeat(20).parse().unwrap()
}

fn ids(names: &[&str]) -> Vec<TaskId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn apply(state: &mut RunState, drafts: Vec<Draft>) {
    for draft in drafts {
        state.apply(&event(state.last_seq + 1, draft)).unwrap();
    }
}

/// A run whose first batch passed its gates.
fn validated(tasks: &[TaskId]) -> RunState {
    let start = run_start(tasks.to_vec(), commit(0));
    let mut state = RunState::start("p".parse().unwrap(), &event(1, Draft::run(start))).unwrap();
    let batch = BatchStart { tasks: tasks.to_vec(), base_commit: commit(0) };
    apply(&mut state, vec![Draft::batch(1, EventKind::BatchStart(batch))]);
    for (number, id) in (1..).zip(tasks) {
        let of_task = |kind| Draft::task(1, id, 1, kind);
        let passed = TaskValidated { commit: commit(number), changed: Vec::new() };
        let start = TaskStart { base_commit: commit(0) };
        let events = [EventKind::TaskStart(start), EventKind::TaskValidated(passed)];
        apply(&mut state, events.into_iter().map(of_task).collect());
    }
    state
}

/// The tasks that are to land next, with the number of the landing.
fn next(state: &RunState, config: &Config) -> (u32, Vec<TaskId>) {
    let actions = decide(&Plan::new([]), state, config);
    let [Action::Land(permit)] = actions.as_slice() else { panic!("{actions:?}") };
    (permit.landing(), permit.task_ids())
}

fn refused(landing: u32, tasks: &[&str]) -> LandingOutcome {
    LandingOutcome::DoctorFailed(DoctorResult {
        landing,
        tasks: ids(tasks),
        commit: commit(9),
        tree: commit(9),
        reason: ExitReason::Exited,
        exit_code: Some(1),
        local: Local::default(),
    })
}

fn landed(landing: u32, tasks: &[&str]) -> LandingOutcome {
    LandingOutcome::Done(LandingDone {
        landing,
        tasks: ids(tasks),
        old_head: commit(0),
        commit: commit(9),
        checkout: CheckoutUpdate::NotCheckedOut,
    })
}

#[test]
fn what_was_left_out_of_a_candidate_lands_next_whatever_became_of_the_candidate() {
    let config =
        config::parse(&Source::new("c", "integration_branch: main\ndoctor: d\n".to_owned())).unwrap();
    let mut state = validated(&ids(&["1", "2", "3", "4"]));
    let mut tried = |outcome| {
        let drafts = settle::landing(&state, &config, 1, outcome);
        apply(&mut state, drafts);
        state.clone()
    };
    // The third conflicts with the second, which is refused together with the first, and then alone.
    let state = tried(refused(1, &["1", "2"]));
    assert_eq!(next(&state, &config), (2, ids(&["1"])));
    let state = tried(landed(2, &["1"]));
    assert_eq!(next(&state, &config).1, ids(&["2"]));
    let state = tried(refused(3, &["2"]));
    assert_eq!(next(&state, &config), (4, ids(&["3", "4"])));
    // The fourth conflicts with the third.
    let state = tried(landed(4, &["3"]));
    assert_eq!(next(&state, &config).1, ids(&["4"]));
    assert_eq!(state.tasks[&ids(&["2"])[0]].status, TaskStatus::Failed);
    assert!(state.tasks.values().all(|facts| facts.conflicts == 0));
}
