//! `mycelium review`: what a human does with work that waits (design 3.5). A decision is an event that reopens the run;
//! `resume` acts on it.

use mycelium_core::{settle::Draft, state::RunState};
use mycelium_schemas::{
    answer::Waiting,
    digest::sha256,
    event::{Event, EventKind, ReviewApprove, ReviewReject, ReviewRetry},
    id::{RunId, TaskId},
    state::{RunStatus, RunView, StopReason, TaskStatus},
};

use crate::{
    environment::Environment,
    error::Error,
    git::Upstream,
    journal::Journal,
    landed,
    project::Project,
    redact,
    runlock::RunLock,
    settings::Settings,
    start::redactor,
    store::{self, RunPaths},
};

/// What a human decides about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Land it through the doctor; only its own blocks are overridden.
    Approve,
    /// Do it again, under the configuration as it is now.
    Retry,
    /// Give it up.
    Reject,
}

/// Everything of a run that waits for a human or failed.
pub fn waiting(project: &Project, view: &RunView) -> Vec<Waiting> {
    let paths = RunPaths::new(project, &view.run_id);
    view.tasks
        .iter()
        .filter(|(_, task)| matches!(task.status, TaskStatus::NeedsHumanReview | TaskStatus::Failed))
        .map(|(id, task)| Waiting {
            task: id.clone(),
            status: task.status,
            reason: task.reasons.last().cloned(),
            approvable: task.status == TaskStatus::NeedsHumanReview && task.commit.is_some(),
            attempt_dir: paths.attempt(id, task.attempts).display().to_string(),
        })
        .collect()
}

/// Journals a decision. Gives the state after it, and the events that say that a torn end of the journal was cut off.
pub fn decide(
    project: &Project,
    environment: &Environment,
    run: &RunId,
    task: &TaskId,
    decision: Decision,
) -> Result<(RunView, Vec<Event>), Error> {
    // Read before the lock, so that an unknown run is told as such.
    store::read_view(project, run)?;
    let upstream = Upstream::discover(&project.root)?;
    let _lock = RunLock::acquire(upstream.common_dir(), format!("review of run {run}"))?;
    let paths = RunPaths::new(project, run);
    store::refuse_newer_view(&paths)?;
    if decision != Decision::Reject {
        let before = Journal::peek(&paths.journal, project.name.clone())?;
        landed::refuse_superseded(project, &store::list_runs(project)?, &before.view(), &upstream)?;
    }
    let stepped = environment.now()?.is_some();
    let (mut journal, cut) = Journal::load(&paths.journal, project.name.clone(), stepped)?;
    let kind = match decision {
        Decision::Approve => approve(journal.state(), task)?,
        Decision::Retry => {
            let settings = Settings::load(project)?;
            check(journal.state(), task, &[TaskStatus::NeedsHumanReview, TaskStatus::Failed])?;
            redact::check_inputs(
                &redactor(&settings.config, environment),
                [(format!("the configuration {}", settings.source.name), settings.source.text.as_bytes())],
            )?;
            // Beside the old one until the decision is journaled: resume takes the one that the journal names.
            store::write_atomic(&paths.next_config(), settings.source.text.as_bytes())?;
            EventKind::ReviewRetry(ReviewRetry { config_digest: sha256(settings.source.text.as_bytes()) })
        }
        Decision::Reject => {
            check(journal.state(), task, &[TaskStatus::NeedsHumanReview])?;
            EventKind::ReviewReject(ReviewReject {})
        }
    };
    let attempts = journal.state().tasks.get(task).map_or(0, |facts| facts.attempts);
    journal.append(vec![Draft { task: Some(task.clone()), attempt: Some(attempts), ..Draft::run(kind) }])?;
    let view = journal.state().view();
    store::write_json(&paths.state, &view)?;
    Ok((view, cut))
}

fn approve(state: &RunState, task: &TaskId) -> Result<EventKind, Error> {
    check(state, task, &[TaskStatus::NeedsHumanReview])?;
    let facts = state.tasks.get(task);
    let overrides: Vec<String> = facts
        .map(|facts| facts.blocks.iter().map(|block| gate(*block).to_owned()).collect())
        .unwrap_or_default();
    let Some(commit) = facts.and_then(|facts| facts.commit.clone()) else {
        return Err(Error::Request {
            message: format!("task {task} has no work that could land: its changes cannot be taken"),
            help: format!("have it done again with `mycelium review retry {task}`"),
        });
    };
    Ok(EventKind::ReviewApprove(ReviewApprove { commit, overrides }))
}

/// Type of the event by which a gate blocks.
fn gate(block: StopReason) -> &'static str {
    match block {
        StopReason::ValidatorBlock => "validator.block",
        StopReason::ManifestBlock => "manifest.block",
        StopReason::BudgetBlock => "budget.block",
        _ => "landing.conflict",
    }
}

fn check(state: &RunState, task: &TaskId, allowed: &[TaskStatus]) -> Result<(), Error> {
    let refuse = |message: String, help: String| Err(Error::Request { message, help });
    if state.end.as_ref().is_some_and(|end| end.status == RunStatus::Complete) {
        return refuse(
            format!("run {} is complete; nothing of it waits", state.run_id),
            "start a new run with `mycelium run`".into(),
        );
    }
    match state.tasks.get(task) {
        None => {
            refuse(format!("run {} has no task {task}", state.run_id), "see `mycelium review list`".into())
        }
        Some(facts) if allowed.contains(&facts.status) => Ok(()),
        Some(facts) if facts.status == TaskStatus::Failed => refuse(
            format!("task {task} failed; there is nothing to approve or reject"),
            format!("have it done again with `mycelium review retry {task}`"),
        ),
        Some(facts) => refuse(
            format!("task {task} is {}; it does not wait for a human", facts.status),
            "see `mycelium review list`".into(),
        ),
    }
}
