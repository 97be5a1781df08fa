//! What may land. A candidate that holds only the first tasks of a batch: what becomes of it says nothing about the others, and they
//! come next.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use mycelium_core::{
    decide::{Action, decide},
    permit::{MergePermit, Refused},
    plan::Plan,
    settle::{self, Draft, LandingOutcome},
    state::{RunState, TaskFacts},
};
use mycelium_schemas::{
    config::{self, Config},
    event::{
        BatchStart, BudgetMetric, BudgetScope, BudgetVerdict, CheckoutUpdate, DoctorResult, EventKind,
        ExitReason, LandingDone, Local, TaskStart, TaskValidated,
    },
    id::{CommitId, TaskId},
    problem::Source,
    state::{StopReason, TaskStatus},
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
        let start = TaskStart::fresh(commit(0));
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
fn only_commits_that_passed_every_gate_get_a_permit_and_only_while_nothing_blocks() {
    let tasks = ids(&["1", "2"]);
    let state = validated(&tasks);
    let permit = MergePermit::judge(&state, 7, &tasks).unwrap();
    assert_eq!((permit.batch(), permit.landing(), permit.task_ids()), (7, 1, tasks.clone()));
    assert_eq!(permit.tasks(), [(tasks[0].clone(), commit(1)), (tasks[1].clone(), commit(2))]);
    assert_eq!(MergePermit::judge(&state, 1, &[]), Err(Refused::Nothing));
    let unknown = ids(&["1", "9"]);
    assert_eq!(MergePermit::judge(&state, 1, &unknown), Err(Refused::NotValidated(unknown[1].clone())));
    let second = |change: fn(&mut TaskFacts)| {
        let mut state = state.clone();
        change(state.tasks.get_mut(&tasks[1]).unwrap());
        MergePermit::judge(&state, 1, &tasks)
    };
    let refused = || Err(Refused::NotValidated(tasks[1].clone()));
    let others: [fn(&mut TaskFacts); 7] = [
        |facts| facts.status = TaskStatus::Pending,
        |facts| facts.status = TaskStatus::Running,
        |facts| facts.status = TaskStatus::Landed,
        |facts| facts.status = TaskStatus::Failed,
        |facts| facts.status = TaskStatus::NeedsHumanReview,
        |facts| facts.status = TaskStatus::Skipped,
        |facts| facts.commit = None,
    ];
    for (number, other) in others.into_iter().enumerate() {
        assert_eq!(second(other), refused(), "case {number}");
    }
    // A block of one task keeps the others away, too.
    let mut blocked = validated(&ids(&["1", "2", "3"]));
    let verdict = BudgetVerdict { scope: BudgetScope::Task, metric: BudgetMetric::Tokens, used: 2, limit: 1 };
    apply(&mut blocked, vec![Draft::task(1, &ids(&["3"])[0], 1, EventKind::BudgetBlock(verdict))]);
    let refused = Err(Refused::Blocked(StopReason::BudgetBlock));
    assert_eq!(MergePermit::judge(&blocked, 1, &tasks), refused);
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
