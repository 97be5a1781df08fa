//! What landed is looked for exactly where what was decided supposes that the branch holds it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use mycelium_core::{
    decide::Action,
    rewind::unless_rewound,
    settle::Draft,
    state::{RunState, TaskFacts},
};
use mycelium_schemas::{
    event::{BatchComplete, CheckoutUpdate, LandingDone, RunStop},
    id::{CommitId, TaskId},
    state::{RunStatus, StopReason, TaskStatus},
};

use support::{event, run_start};

fn commit(number: u8) -> CommitId {
    format!("{number:02x}").repeat(20).parse().unwrap()
}

fn task(number: u8) -> TaskId {
    format!("t{number}").parse().unwrap()
}

/// A run that made these landings, each of one task.
fn run(landings: &[u8]) -> RunState {
    let first = event(1, Draft::run(run_start(vec![task(1), task(2), task(3)], commit(0))));
    let mut state = RunState::start("p".parse().unwrap(), &first).unwrap();
    state.landed = landings.iter().map(|number| landing(*number)).collect();
    state
}

fn landing(number: u8) -> LandingDone {
    LandingDone {
        landing: u32::from(number),
        tasks: vec![task(number)],
        old_head: commit(number - 1),
        commit: commit(number),
        checkout: CheckoutUpdate::NotCheckedOut,
    }
}

fn start() -> Action {
    Action::StartAttempt { batch: 2, task: task(3), attempt: 1 }
}

/// What is done of one action where these landings are lost; none where nobody looked.
fn done(state: &RunState, action: Action, lost: &[u8]) -> Option<Vec<Action>> {
    let mut looked = false;
    let actions = unless_rewound(state, vec![action], |landed| {
        looked = true;
        assert_eq!(landed, state.landed);
        Ok::<_, ()>(lost.iter().map(|number| landing(*number)).collect())
    });
    Some(actions.unwrap()).filter(|_| looked)
}

#[test]
fn a_run_stops_instead_of_building_on_what_is_lost_and_says_what_that_is() {
    let state = run(&[1, 2]);
    let batch = || Action::StartBatch { batch: 2, tasks: vec![task(3)] };
    for action in [batch, start, || Action::Complete] {
        assert_eq!(done(&state, action(), &[]), Some(vec![action()]));
        let stopped = done(&state, action(), &[1, 2]).unwrap();
        let [Action::Stop(stop)] = stopped.as_slice() else { panic!("{stopped:?}") };
        assert_eq!((stop.status, stop.stop_reason), (RunStatus::NeedsHumanReview, StopReason::BranchRewound));
        for part in ["main", "landing 1 of t1", "landing 2 of t2", "holds 0202020202 and resume"] {
            assert!(stop.message.contains(part), "{part:?} is not in {:?}", stop.message);
        }
    }
}

#[test]
fn nobody_looks_where_nothing_depends_on_it() {
    let stop =
        RunStop { status: RunStatus::Failed, stop_reason: StopReason::TaskFailed, message: "m".into() };
    let result = BatchComplete { landed: Vec::new(), not_landed: Vec::new() };
    for action in [Action::Stop(stop), Action::CloseBatch { batch: 1, result }] {
        assert_eq!(done(&run(&[1]), action, &[1]), None);
    }
    assert_eq!(done(&run(&[]), start(), &[]), None);
    // While an attempt is under way the run would have to wait for it.
    let mut busy = run(&[1]);
    busy.tasks.insert(task(2), TaskFacts { status: TaskStatus::Running, ..busy.tasks[&task(2)].clone() });
    assert_eq!(done(&busy, start(), &[1]), None);
}

#[test]
fn a_branch_that_cannot_be_read_is_no_branch_that_is_whole() {
    assert_eq!(unless_rewound(&run(&[1]), vec![Action::Complete], |_| Err("broken")), Err("broken"));
}
