//! From the facts of an attempt or a landing to the events that follow from them.

use std::collections::BTreeMap;

use mycelium_schemas::{
    config::{Config, FailurePolicy, Mode},
    event::{
        BatchComplete, BudgetVerdict, DoctorResult, EventKind, ExitReason, LandingBisect, LandingConflict,
        LandingDone, LandingRefused, PathRefused, ReasonPayload, TaskLanded, TaskRetry, TaskReview,
        TaskValidated, UsageUpdate, ValidatorReport, ValidatorVerdict, Violation, Violations, WorkerLost,
    },
    id::{CommitId, TaskId},
    path::RepoPath,
    state::Usage,
};

use crate::{
    budget,
    limits::backoff_ms,
    manifest::{BlockCause, Compliance},
    state::{REFUSED, RunState, TaskFacts},
};

/// An event without its stamp: the journal adds time and number.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The task it is about.
    pub task: Option<TaskId>,
    /// The attempt it is about.
    pub attempt: Option<u32>,
    /// The batch it is about.
    pub batch: Option<u32>,
    /// What happened.
    pub kind: EventKind,
}

impl Draft {
    /// An event about the run as a whole.
    pub fn run(kind: EventKind) -> Self {
        Self { task: None, attempt: None, batch: None, kind }
    }

    /// An event about a batch.
    pub fn batch(batch: u32, kind: EventKind) -> Self {
        Self { batch: Some(batch), ..Self::run(kind) }
    }

    /// An event about a task of a batch.
    pub fn task(batch: u32, task: &TaskId, attempt: u32, kind: EventKind) -> Self {
        Self { task: Some(task.clone()), attempt: Some(attempt), batch: Some(batch), kind }
    }
}

/// What a validator said.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// `test`, `style`, `architecture` or `doctor`.
    pub validator: &'static str,
    /// Its mode; never `off`.
    pub mode: Mode,
    /// Its report, or why there is none.
    pub report: Result<ValidatorReport, String>,
}

/// How an attempt went.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Bootstrap, agent or verify failed.
    Failed(String),
    /// The agent failed for what no other attempt changes: its key, its quota, how it is started.
    Hopeless {
        /// Why.
        why: String,
        /// Whether the agent of every other task would fail so, too.
        for_all: bool,
    },
    /// It came to nothing through no fault of its own, as when the orchestrator ended during it, and does not count. Says
    /// why.
    Lost(String),
    /// Its changes break the manifest; [`Compliance::Goes`] never stands here.
    OutOfManifest {
        /// What follows.
        compliance: Compliance,
        /// What the validators said nevertheless: a human who lets it through overrides the manifest alone.
        validators: Vec<Judgement>,
        /// The work as it is, where it can be taken.
        commit: Option<CommitId>,
    },
    /// It went through to the validators.
    Judged {
        /// What they said, in order.
        validators: Vec<Judgement>,
        /// The commit made of the workspace.
        work: TaskValidated,
    },
}

/// The facts of an attempt.
#[derive(Debug, Clone)]
pub struct AttemptFacts {
    /// The agent's, with its cost; none if it told nothing.
    pub usage: Option<Usage>,
    /// That of validators that ask a model, by their names.
    pub validators: BTreeMap<String, Usage>,
    /// Paths that cannot be taken.
    pub refused: Vec<PathRefused>,
    /// How its changes break the manifest.
    pub violations: Vec<Violation>,
    /// The budget for which the gateway refused its agent, if it did.
    pub over: Option<BudgetVerdict>,
    /// How it went.
    pub outcome: Outcome,
}

impl AttemptFacts {
    /// What it used in all.
    pub fn used(&self) -> Usage {
        self.validators.values().copied().fold(self.usage.unwrap_or_default(), Usage::plus)
    }
}

/// The events that follow from an attempt, in order; exactly one of them moves the task.
pub fn attempt(
    state: &RunState,
    config: &Config,
    batch: u32,
    task: &TaskId,
    facts: AttemptFacts,
) -> Vec<Draft> {
    let known = state.tasks.get(task).cloned().unwrap_or_default();
    attempt_with(config, batch, task, &known, state.usage, facts)
}

/// The same with the totals given: where several attempts are settled before the state is folded again.
pub(crate) fn attempt_with(
    config: &Config,
    batch: u32,
    task: &TaskId,
    known: &TaskFacts,
    run_usage: Usage,
    facts: AttemptFacts,
) -> Vec<Draft> {
    let usage = facts.used();
    let (task_total, run_total) = (known.usage.plus(usage), run_usage.plus(usage));

    let mut events = Vec::new();
    if facts.usage.is_some() || !facts.validators.is_empty() {
        let agent_is_silent = facts.usage.is_none();
        let validators = facts.validators;
        let update = UsageUpdate { usage, validators, agent_is_silent, task_total, run_total };
        events.push(EventKind::UsageUpdate(update));
    }
    events.extend(facts.refused.into_iter().map(EventKind::PathRefused));
    events.extend(manifest_event(config.manifest_enforcement, facts.violations, &facts.outcome));
    if let Outcome::Judged { validators, .. } | Outcome::OutOfManifest { validators, .. } = &facts.outcome {
        events.extend(validators.iter().map(validator_event));
    }
    let mut over = budget::exceeded(&config.budgets, task_total, run_total);
    // A limit that is reached exactly is none that is exceeded, but the agent was stopped there.
    let told = |reached: &BudgetVerdict| {
        over.iter().any(|verdict| (verdict.scope, verdict.metric) == (reached.scope, reached.metric))
    };
    over.extend(facts.over.filter(|reached| !told(reached)));
    let blocks_on_budget = config.budgets.mode == Mode::Block && !over.is_empty();
    for verdict in over {
        match config.budgets.mode {
            Mode::Block => events.push(EventKind::BudgetBlock(verdict)),
            Mode::Warn => events.push(EventKind::BudgetWarn(verdict)),
            Mode::Off => {}
        }
    }
    let last = if blocks_on_budget {
        EventKind::TaskFail(reason("budget.block", "the budget is exceeded and budgets.mode is block"))
    } else {
        move_of(facts.outcome, known.failures, config)
    };
    events.push(last);
    events.into_iter().map(|kind| Draft::task(batch, task, known.attempts, kind)).collect()
}

fn reason(code: &str, message: impl Into<String>) -> ReasonPayload {
    ReasonPayload { code: code.to_owned(), message: message.into() }
}

fn manifest_event(mode: Mode, violations: Vec<Violation>, outcome: &Outcome) -> Option<EventKind> {
    if violations.is_empty() {
        return None;
    }
    match outcome {
        Outcome::OutOfManifest { compliance: Compliance::Block(_), .. } => {
            Some(EventKind::ManifestBlock(Violations { violations }))
        }
        _ if mode == Mode::Off => None,
        _ => Some(EventKind::ManifestWarn(Violations { violations })),
    }
}

fn validator_event(judgement: &Judgement) -> EventKind {
    let (pass, verdict) = match &judgement.report {
        Ok(report) => (
            report.pass,
            ValidatorVerdict {
                validator: judgement.validator.to_owned(),
                summary: report.summary.clone(),
                issues: report.issues.clone(),
                error: false,
            },
        ),
        Err(why) => (
            false,
            ValidatorVerdict {
                validator: judgement.validator.to_owned(),
                summary: why.clone(),
                issues: Vec::new(),
                error: true,
            },
        ),
    };
    match (pass, judgement.mode) {
        (true, _) => EventKind::ValidatorPass(verdict),
        (false, Mode::Block) => EventKind::ValidatorBlock(verdict),
        (false, Mode::Warn | Mode::Off) => EventKind::ValidatorWarn(verdict),
    }
}

fn move_of(outcome: Outcome, failures: u32, config: &Config) -> EventKind {
    match outcome {
        Outcome::Failed(why) => retry_or_fail(why, failures, config),
        Outcome::Hopeless { why, for_all } => {
            let code = if for_all { REFUSED } else { "worker.exit" };
            EventKind::TaskFail(reason(code, format!("{why}; another attempt would fail the same way")))
        }
        Outcome::Lost(reason) => EventKind::WorkerLost(WorkerLost { reason }),
        Outcome::OutOfManifest { compliance: Compliance::Rescope(rescope), .. } => {
            EventKind::TaskRescope(rescope)
        }
        Outcome::OutOfManifest { compliance: Compliance::Block(cause), commit, .. } => {
            review_manifest(cause, commit)
        }
        // Violations that go on do not end an attempt here; should one, it is a block, never a pass.
        Outcome::OutOfManifest { compliance: Compliance::Goes, commit, .. } => {
            review_manifest(BlockCause::Enforced, commit)
        }
        Outcome::Judged { validators, work } => {
            let blocker = validators.iter().find(|judgement| {
                judgement.mode == Mode::Block && !judgement.report.as_ref().is_ok_and(|report| report.pass)
            });
            match blocker {
                Some(judgement) => EventKind::TaskReview(review(
                    "validator.block",
                    format!("the {} validator did not pass and its mode is block", judgement.validator),
                    Some(work.commit),
                )),
                None => EventKind::TaskValidated(work),
            }
        }
    }
}

fn review(code: &str, message: impl Into<String>, commit: Option<CommitId>) -> TaskReview {
    TaskReview { code: code.to_owned(), message: message.into(), commit }
}

fn review_manifest(cause: BlockCause, commit: Option<CommitId>) -> EventKind {
    EventKind::TaskReview(review("manifest.block", cause.sentence(), commit))
}

fn retry_or_fail(why: String, failures: u32, config: &Config) -> EventKind {
    let left = config.max_retries.saturating_sub(failures);
    if config.task_failure_policy == FailurePolicy::Retry && left > 0 {
        EventKind::TaskRetry(TaskRetry {
            reason: why,
            attempts_left: left,
            backoff_ms: backoff_ms(failures + 1),
        })
    } else {
        EventKind::TaskFail(reason("worker.exit", why))
    }
}

/// How a landing went.
#[derive(Debug, Clone)]
pub enum LandingOutcome {
    /// A task's work does not merge.
    Conflict(LandingConflict),
    /// The doctor refused the candidate.
    DoctorFailed(DoctorResult),
    /// The ref or the checkout was not as expected.
    Refused(LandingRefused),
    /// It is on the branch.
    Done(LandingDone),
}

/// The events that follow from a landing, in order.
pub fn landing(state: &RunState, config: &Config, batch: u32, outcome: LandingOutcome) -> Vec<Draft> {
    let attempts = |id: &TaskId| state.tasks.get(id).map_or(1, |facts| facts.attempts);
    let of_task = |id: &TaskId, kind| Draft::task(batch, id, attempts(id), kind);
    match outcome {
        LandingOutcome::Conflict(conflict) => {
            let id = conflict.task.clone();
            let conflicts = state.tasks.get(&id).map_or(0, |facts| facts.conflicts);
            let left = config.max_retries.saturating_sub(conflicts);
            let paths = conflict.paths.iter().map(RepoPath::as_str).collect::<Vec<_>>().join(", ");
            let both = format!("landing/{}/conflict.json", conflict.landing);
            let why = if paths.is_empty() {
                "the commit it was made on is no longer on the integration branch".to_owned()
            } else {
                format!("its work conflicts with the integration branch in {paths}; both sides are in {both}")
            };
            let kind = if left > 0 {
                EventKind::TaskRetry(TaskRetry { reason: why, attempts_left: left, backoff_ms: 0 })
            } else {
                let commit = Some(conflict.commit.clone());
                EventKind::TaskReview(review("landing.conflict", why, commit))
            };
            let event = of_task(&id, EventKind::LandingConflict(conflict));
            vec![event, of_task(&id, kind)]
        }
        LandingOutcome::DoctorFailed(result) => doctor_failed(config, batch, result, &of_task),
        LandingOutcome::Refused(refused) => vec![Draft::batch(batch, EventKind::LandingRefused(refused))],
        LandingOutcome::Done(done) => {
            let (tasks, commit) = (done.tasks.clone(), done.commit.clone());
            std::iter::once(Draft::batch(batch, EventKind::LandingDone(done)))
                .chain(
                    tasks
                        .iter()
                        .map(|id| of_task(id, EventKind::TaskLanded(TaskLanded { commit: commit.clone() }))),
                )
                .collect()
        }
    }
}

fn doctor_failed(
    config: &Config,
    batch: u32,
    result: DoctorResult,
    of_task: &dyn Fn(&TaskId, EventKind) -> Draft,
) -> Vec<Draft> {
    let (landing, tasks) = (result.landing, result.tasks.clone());
    let what = match result.reason {
        ExitReason::Timeout => {
            let minutes = config.doctor_timeout;
            format!("the doctor did not end within its time (doctor_timeout: {minutes}, in minutes)")
        }
        ExitReason::OutOfMemory => {
            "the doctor needed more memory than `docker.memory_mb` allows, and failed".to_owned()
        }
        ExitReason::Signaled => "the doctor was ended by a signal".to_owned(),
        _ => "the doctor failed".to_owned(),
    };
    let mut events = vec![Draft::batch(batch, EventKind::LandingDoctorFail(result))];
    if let [culprit] = tasks.as_slice() {
        let why =
            format!("{what} on the integration branch with this task; see landing/{landing}/doctor.log");
        events.push(of_task(culprit, EventKind::TaskFail(reason("landing.doctor_fail", why))));
    } else {
        let (left, right) = tasks.split_at(tasks.len() / 2);
        let split = LandingBisect { landing, left: left.to_vec(), right: right.to_vec() };
        events.push(Draft::batch(batch, EventKind::LandingBisect(split)));
    }
    events
}

/// The event that closes a batch.
pub fn close_batch(batch: u32, result: BatchComplete) -> Draft {
    Draft::batch(batch, EventKind::BatchComplete(result))
}
