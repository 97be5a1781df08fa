//! `mycelium review`: what a human does with work that waits (design 3.5). A decision is an event that reopens the run;
//! `resume` acts on it.

use std::collections::BTreeSet;

use mycelium_core::{budget, settle::Draft, state::RunState};
use mycelium_schemas::{
    answer::Waiting,
    config::Mode,
    digest::sha256,
    event::{
        BudgetMetric, BudgetScope, BudgetVerdict, Event, EventKind, ReviewApprove, ReviewReject, ReviewRetry,
    },
    id::{RunId, TaskId},
    state::{Reason, RunStatus, RunView, StopReason, TaskStatus},
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

/// Code of the reason that an approval leaves.
const APPROVED: &str = "review.approve";
/// Code of the reason that a retry leaves.
const TO_BE_REDONE: &str = "review.retry";

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

/// What a decision led to.
#[derive(Debug)]
pub struct Decided {
    /// The state after it.
    pub view: RunView,
    /// The events that say that a torn end of the journal was cut off.
    pub cut: Vec<Event>,
    /// Tasks whose gates still block: until each is decided about, nothing lands.
    pub blocking: BTreeSet<TaskId>,
}

/// Everything of a run that waits for a human or failed, and what a human decided that `resume` has not acted on yet.
pub fn waiting(project: &Project, view: &RunView) -> Vec<Waiting> {
    let paths = RunPaths::new(project, &view.run_id);
    view.tasks
        .iter()
        .filter(|(_, task)| match task.status {
            TaskStatus::NeedsHumanReview | TaskStatus::Failed => true,
            TaskStatus::Validated => last_is(&task.reasons, APPROVED),
            TaskStatus::Pending => last_is(&task.reasons, TO_BE_REDONE),
            _ => false,
        })
        .map(|(id, task)| Waiting {
            task: id.clone(),
            status: task.status,
            reason: task.reasons.last().cloned(),
            approvable: task.status == TaskStatus::NeedsHumanReview && task.commit.is_some(),
            attempt_dir: paths.attempt(id, task.attempts).display().to_string(),
        })
        .collect()
}

fn last_is(reasons: &[Reason], code: &str) -> bool {
    reasons.last().is_some_and(|reason| reason.code == code)
}

/// Journals a decision.
pub fn decide(
    project: &Project,
    environment: &Environment,
    run: &RunId,
    task: &TaskId,
    decision: Decision,
) -> Result<Decided, Error> {
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
            check_retry(journal.state(), task, &settings)?;
            redact::check_config(&redactor(&settings.config, environment), &settings.source)?;
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
    store::write_view(&paths.state, &view)?;
    Ok(Decided { view, cut, blocking: journal.state().blocking() })
}

/// Whether a task may be done again under this configuration. One that a human has done again may be once more: the
/// newest configuration counts.
fn check_retry(state: &RunState, task: &TaskId, settings: &Settings) -> Result<(), Error> {
    let facts = state.tasks.get(task);
    let again = facts
        .is_some_and(|facts| facts.status == TaskStatus::Pending && last_is(&facts.reasons, TO_BE_REDONE));
    if !again {
        check(state, task, &[TaskStatus::NeedsHumanReview, TaskStatus::Failed])?;
    }
    let budgets = &settings.config.budgets;
    let used = facts.map(|facts| facts.usage).unwrap_or_default();
    let over = budget::exceeded(budgets, used, state.usage);
    match over.first().filter(|_| budgets.mode == Mode::Block) {
        Some(verdict) => Err(over_budget(task, verdict, settings)),
        None => Ok(()),
    }
}

/// Whatever an attempt did, the budget would block it: its totals are over the limit already.
fn over_budget(task: &TaskId, verdict: &BudgetVerdict, settings: &Settings) -> Error {
    let (of, scope) = match verdict.scope {
        BudgetScope::Task => (format!("task {task}"), "task"),
        BudgetScope::Run => ("the run".to_owned(), "run"),
    };
    let (key, used, limit) = match verdict.metric {
        BudgetMetric::Tokens => {
            ("max_tokens", format!("{} tokens", verdict.used), format!("{} tokens", verdict.limit))
        }
        BudgetMetric::CostMicrousd => {
            ("max_cost", budget::dollars(verdict.used), budget::dollars(verdict.limit))
        }
    };
    Error::Request {
        message: format!(
            "doing task {task} again would only spend more: {of} has used {used}, and its limit is {limit}"
        ),
        help: format!(
            "raise `budgets.{key}_per_{scope}` in {} above what is used, or set `budgets.mode: warn`",
            settings.source.name
        ),
    }
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
