//! What to do next, from totals every time (design 3.1). Deciding twice on the same state gives the same answer.

use std::collections::BTreeSet;

use mycelium_schemas::{
    config::{Config, FailurePolicy},
    event::{BatchComplete, RunStop},
    id::TaskId,
    path::{RepoGlob, RepoPath},
    state::{RunStatus, StopReason, TaskStatus},
};

use crate::{
    limits::HEAD_MOVES_MAX,
    lock::LockSet,
    permit::MergePermit,
    plan::{Plan, locks_of},
    schedule::{Waiting, next_batch},
    state::{BatchFacts, RunState},
};

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a batch.
    StartBatch {
        /// Its number.
        batch: u32,
        /// Its tasks.
        tasks: Vec<TaskId>,
    },
    /// Start an attempt.
    StartAttempt {
        /// Its batch.
        batch: u32,
        /// Its task.
        task: TaskId,
        /// Its number.
        attempt: u32,
    },
    /// Build, test and land a candidate.
    Land(MergePermit),
    /// Close the batch.
    CloseBatch {
        /// Its number.
        batch: u32,
        /// What became of its tasks.
        result: BatchComplete,
    },
    /// Every task landed.
    Complete,
    /// End the run without completing.
    Stop(RunStop),
}

/// The locks of a task with what was added to its manifest.
pub fn effective_locks(plan: &Plan, state: &RunState, id: &TaskId) -> LockSet {
    let mut locks = plan.get(id).map(|task| locks_of(&task.manifest)).unwrap_or_default();
    if let Some(facts) = state.tasks.get(id) {
        locks.writes.extend(facts.added_locks.iter().cloned());
    }
    locks
}

/// The globs that a task may write with what was added to its manifest.
pub fn effective_writes(plan: &Plan, state: &RunState, id: &TaskId) -> Vec<RepoGlob> {
    let declared = plan.get(id).map(|task| task.manifest.files.writes.clone()).unwrap_or_default();
    let added = state.tasks.get(id).map(|facts| &facts.added_files);
    declared.into_iter().chain(added.into_iter().flatten().map(RepoPath::to_glob)).collect()
}

/// What to do now; empty while attempts run and nothing else can start, and after the end.
pub fn decide(plan: &Plan, state: &RunState, config: &Config) -> Vec<Action> {
    if state.end.is_some() {
        return Vec::new();
    }
    if let Some((number, batch)) = state.open_batch() {
        return decide_batch(plan, state, config, number, batch);
    }
    if let Some(stop) = must_stop(state) {
        return vec![Action::Stop(stop)];
    }
    let batch = u32::try_from(state.batches.len()).unwrap_or(u32::MAX).saturating_add(1);
    // Work that passed but could not land, in a run that a human had resumed, lands before anything new begins.
    let kept: Vec<TaskId> = with_status(state, TaskStatus::Validated).cloned().collect();
    if !kept.is_empty() {
        return vec![Action::StartBatch { batch, tasks: kept }];
    }
    if let Some(message) = gives_up(state, config) {
        let stop_reason = failure_reason(state);
        return vec![Action::Stop(RunStop { status: RunStatus::Failed, stop_reason, message })];
    }
    let landed: BTreeSet<TaskId> =
        with_status(state, TaskStatus::Landed).chain(&state.landed_before).cloned().collect();
    let waiting: Vec<Waiting<'_>> = with_status(state, TaskStatus::Pending)
        .filter_map(|id| plan.get(id))
        .map(|task| Waiting {
            id: &task.manifest.id,
            dependencies: &task.manifest.dependencies,
            locks: effective_locks(plan, state, &task.manifest.id),
        })
        .collect();
    let limit = usize::try_from(config.max_parallel).unwrap_or(usize::MAX);
    let tasks = next_batch(&waiting, &landed, limit);
    if tasks.is_empty() {
        return vec![finish(state)];
    }
    vec![Action::StartBatch { batch, tasks }]
}

fn with_status(state: &RunState, status: TaskStatus) -> impl Iterator<Item = &TaskId> {
    state.tasks.iter().filter(move |(_, facts)| facts.status == status).map(|(id, _)| id)
}

fn decide_batch(
    plan: &Plan,
    state: &RunState,
    config: &Config,
    number: u32,
    batch: &BatchFacts,
) -> Vec<Action> {
    let starts: Vec<Action> = startable(plan, state, config, batch)
        .into_iter()
        .map(|id| Action::StartAttempt {
            batch: number,
            attempt: state.tasks.get(&id).map_or(0, |facts| facts.attempts) + 1,
            task: id,
        })
        .collect();
    let running = batch.tasks.iter().any(|id| status_of(state, id) == Some(TaskStatus::Running));
    if !starts.is_empty() || running {
        return starts;
    }
    let stuck = state.checkout_blocked || batch.head_moves > HEAD_MOVES_MAX;
    match MergePermit::judge(state, number, &next_group(state, batch)) {
        Ok(permit) if !stuck => vec![Action::Land(permit)],
        _ => {
            let not_landed = batch.tasks.iter().filter(|id| !batch.landed.contains(id)).cloned().collect();
            let result = BatchComplete { landed: batch.landed.clone(), not_landed };
            vec![Action::CloseBatch { batch: number, result }]
        }
    }
}

/// The tasks of the batch whose attempt may start now. Work that was kept is batched without regard to locks, since it
/// only lands; where some of it has to be done again after all, it waits for whoever holds its locks. Where a failure
/// keeps anything new from beginning, what a crash interrupted still begins again.
fn startable(plan: &Plan, state: &RunState, config: &Config, batch: &BatchFacts) -> Vec<TaskId> {
    if state.blocked().is_some() {
        return Vec::new();
    }
    let nothing_new = gives_up(state, config).is_some();
    let may_start = |id: &TaskId| !batch.started.contains(id) && (!nothing_new || batch.begun.contains(id));
    let limit = usize::try_from(config.max_parallel).unwrap_or(usize::MAX).max(1);
    let of = |status| batch.tasks.iter().filter(move |id| status_of(state, id) == Some(status));
    let mut held: Vec<LockSet> = of(TaskStatus::Running).map(|id| effective_locks(plan, state, id)).collect();
    let mut starts = Vec::new();
    for id in of(TaskStatus::Pending).filter(|id| may_start(id)) {
        let locks = effective_locks(plan, state, id);
        if held.len() < limit && !held.iter().any(|other| other.conflicts_with(&locks)) {
            held.push(locks);
            starts.push(id.clone());
        }
    }
    starts
}

fn status_of(state: &RunState, id: &TaskId) -> Option<TaskStatus> {
    state.tasks.get(id).map(|facts| facts.status)
}

/// The tasks that land together next: the first group that a failing candidate was split into, else all that passed.
fn next_group(state: &RunState, batch: &BatchFacts) -> Vec<TaskId> {
    let validated = |group: &[TaskId]| -> Vec<TaskId> {
        group.iter().filter(|id| status_of(state, id) == Some(TaskStatus::Validated)).cloned().collect()
    };
    batch
        .groups
        .iter()
        .map(|group| validated(group))
        .find(|group| !group.is_empty())
        .unwrap_or_else(|| validated(&batch.tasks))
}

/// Between batches: must the run end although tasks wait?
fn must_stop(state: &RunState) -> Option<RunStop> {
    let stop = |status, stop_reason, message: &str| {
        Some(RunStop { status, stop_reason, message: message.to_owned() })
    };
    if let Some(reason) = state.blocked() {
        return stop(RunStatus::Failed, reason, "a gate blocked; nothing more lands in this run");
    }
    if state.checkout_blocked {
        return stop(
            RunStatus::NeedsHumanReview,
            StopReason::CheckoutBlocked,
            "the integration branch is checked out and not clean; commit or stash there",
        );
    }
    if state.batches.last().is_some_and(|batch| batch.head_moves > HEAD_MOVES_MAX) {
        return stop(
            RunStatus::NeedsHumanReview,
            StopReason::Review,
            "the integration branch moved under every candidate; land when nobody else pushes",
        );
    }
    None
}

/// Why nothing new begins: a failure where the policy is to fail fast, or one that every other agent would meet, too. What
/// has passed its gates still lands.
fn gives_up(state: &RunState, config: &Config) -> Option<String> {
    if let Some((id, _)) = state.tasks.iter().find(|(_, facts)| facts.is_refused()) {
        return Some(format!("every other task would fail as {id} did"));
    }
    let fails_fast = config.task_failure_policy == FailurePolicy::FailFast
        && with_status(state, TaskStatus::Failed).next().is_some();
    fails_fast.then(|| "a task failed and task_failure_policy is fail_fast".to_owned())
}

fn failure_reason(state: &RunState) -> StopReason {
    let by_doctor = state.tasks.values().any(|facts| {
        facts.status == TaskStatus::Failed
            && facts.reasons.last().is_some_and(|reason| reason.code == "landing.doctor_fail")
    });
    if by_doctor { StopReason::DoctorFailed } else { StopReason::TaskFailed }
}

/// No task can start any more.
fn finish(state: &RunState) -> Action {
    let stop = |status, stop_reason, message: String| Action::Stop(RunStop { status, stop_reason, message });
    let list = |status| with_status(state, status).map(TaskId::as_str).collect::<Vec<_>>().join(", ");
    let failed = list(TaskStatus::Failed);
    if !failed.is_empty() {
        return stop(RunStatus::Failed, failure_reason(state), format!("failed: {failed}"));
    }
    let review = list(TaskStatus::NeedsHumanReview);
    if !review.is_empty() {
        return stop(
            RunStatus::NeedsHumanReview,
            StopReason::Review,
            format!("waiting for a human: {review}"),
        );
    }
    Action::Complete
}
