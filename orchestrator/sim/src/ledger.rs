//! An eye-witness that shares no code with the state: it reads the journal event by event and knows what must never
//! be in it.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    config::{Config, FailurePolicy, Mode},
    event::{Event, EventKind},
    id::{CommitId, LockName, TaskId},
};

use crate::{retries::Retries, scene::TASK_LIMIT};

/// The name under which the doctor's own test reports.
pub(crate) const CANARY: &str = "doctor_canary";

/// What was read so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// Tasks that a gate blocked and about which no human decided since.
    blocked: BTreeSet<TaskId>,
    /// Tasks that landed.
    pub(crate) landed: BTreeSet<TaskId>,
    /// What the run moved the branch to, in this order.
    pub(crate) landings: Vec<CommitId>,
    failed: BTreeSet<TaskId>,
    running: BTreeSet<TaskId>,
    /// Tasks of the open batch whose attempt was lost and not begun again.
    lost: BTreeSet<TaskId>,
    /// Work that a human let through.
    pub(crate) approved: BTreeSet<CommitId>,
    /// Tasks whose attempt began in the open batch.
    begun: BTreeSet<TaskId>,
    /// Those of them whose attempt or whose work a crash took.
    taken: BTreeSet<TaskId>,
    /// Commits that a doctor let through.
    passed: BTreeSet<String>,
    /// Attempts that count: begun and not lost.
    pub(crate) attempts: BTreeMap<TaskId, u32>,
    /// Times that a human asked for a new beginning.
    pub(crate) redone: BTreeMap<TaskId, u32>,
    /// Times that finished work was lost.
    pub(crate) gone: BTreeMap<TaskId, u32>,
    /// Locks that widened manifests added.
    pub(crate) added_locks: BTreeMap<TaskId, BTreeSet<LockName>>,
    used: BTreeMap<TaskId, u64>,
    /// Tasks over their budget about which this group of events has said nothing yet.
    unjudged: BTreeSet<TaskId>,
    /// Tokens over which a task is blocked.
    limit: Option<u64>,
    retries: Retries,
    fail_fast: bool,
    /// Tasks whose attempt failed as each other one of them would, until that is told.
    hopeless: BTreeSet<TaskId>,
    /// Those that failed as every other task would, until a human decides about them.
    refused: BTreeSet<TaskId>,
    /// Where nothing may land before somebody asked whether the doctor can fail: whether somebody did in this life.
    canary: Option<bool>,
    intent_open: bool,
    ended: bool,
}

impl Ledger {
    /// Before the first event of a run under this configuration.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            limit: (config.budgets.mode == Mode::Block).then_some(TASK_LIMIT),
            retries: Retries::new(config.max_retries),
            fail_fast: config.task_failure_policy == FailurePolicy::FailFast,
            canary: config.doctor_canary.then_some(false),
            ..Self::default()
        }
    }

    /// Reads one more event; says what must not be.
    pub(crate) fn read(&mut self, event: &Event) -> Result<(), String> {
        let task = event.task_id.clone();
        match (&event.kind, task) {
            (
                EventKind::BudgetBlock(_) | EventKind::ValidatorBlock(_) | EventKind::ManifestBlock(_),
                Some(task),
            ) => {
                self.unjudged.remove(&task);
                self.blocked.insert(task);
            }
            (
                EventKind::ReviewApprove(_) | EventKind::ReviewRetry(_) | EventKind::ReviewReject(_),
                Some(task),
            ) => {
                self.blocked.remove(&task);
                self.decided(task, &event.kind);
            }
            (EventKind::TaskStart(_), Some(task)) => self.begins(task)?,
            (EventKind::WorkerLost(_), Some(task)) => {
                if self.begun.contains(&task) {
                    self.taken.insert(task.clone());
                }
                if self.running.remove(&task) {
                    self.attempts.entry(task.clone()).and_modify(|count| *count -= 1);
                    self.lost.insert(task);
                } else {
                    *self.gone.entry(task).or_default() += 1;
                }
            }
            (
                EventKind::TaskRetry(_)
                | EventKind::TaskRescope(_)
                | EventKind::TaskValidated(_)
                | EventKind::TaskFail(_)
                | EventKind::TaskReview(_),
                Some(task),
            ) => {
                self.running.remove(&task);
                self.attempt_ended(task, &event.kind)?;
            }
            (EventKind::TaskLanded(landed), Some(task)) => {
                if !self.passed.contains(landed.commit.as_str()) {
                    return Err(format!("{task} landed in {}, which no doctor passed", landed.commit));
                }
                if !self.landed.insert(task.clone()) {
                    return Err(format!("{task} landed twice"));
                }
            }
            (EventKind::UsageUpdate(update), Some(task)) => {
                let used = self.used.entry(task.clone()).or_default();
                *used += update.usage.tokens();
                self.unjudged.extend(self.limit.is_some_and(|limit| *used > limit).then_some(task));
            }
            (kind, _) => self.read_run(kind)?,
        }
        match self.unjudged.first() {
            Some(task) if !event.more => Err(format!("{task} is over its budget, and nothing blocks")),
            _ => Ok(()),
        }
    }

    /// An attempt at a task failed as each other one would.
    pub(crate) fn hopeless(&mut self, task: &TaskId) {
        self.hopeless.insert(task.clone());
    }

    /// An attempt at a task begins.
    fn begins(&mut self, task: TaskId) -> Result<(), String> {
        self.refuse_blocked("an attempt begins")?;
        let is_new = !self.taken.contains(&task);
        if let Some(failed) = self.failed.first().filter(|_| self.fail_fast && is_new) {
            return Err(format!("{task} begins, {failed} failed, and the policy is to fail fast"));
        }
        if let Some(refused) = self.refused.first().filter(|_| is_new) {
            return Err(format!("{task} begins, and no agent can work, as {refused} showed"));
        }
        *self.attempts.entry(task.clone()).or_default() += 1;
        self.lost.remove(&task);
        self.taken.remove(&task);
        self.begun.insert(task.clone());
        self.running.insert(task);
        Ok(())
    }

    /// A human decided about a task.
    fn decided(&mut self, task: TaskId, kind: &EventKind) {
        self.refused.remove(&task);
        match kind {
            EventKind::ReviewRetry(_) => {
                self.failed.remove(&task);
                self.retries.begin_anew(&task);
                *self.redone.entry(task).or_default() += 1;
            }
            EventKind::ReviewReject(_) => {
                self.failed.insert(task);
            }
            EventKind::ReviewApprove(approve) => {
                self.approved.insert(approve.commit.clone());
            }
            _ => {}
        }
    }

    fn attempt_ended(&mut self, task: TaskId, kind: &EventKind) -> Result<(), String> {
        self.retries.read(&task, kind)?;
        if self.hopeless.remove(&task) && matches!(kind, EventKind::TaskRetry(_)) {
            return Err(format!("{task} is tried again, and fails the same way"));
        }
        match kind {
            EventKind::TaskRescope(rescope) => {
                self.added_locks.entry(task).or_default().extend(rescope.locks.iter().cloned());
            }
            EventKind::TaskFail(failed) => {
                if failed.code == "worker.refused" {
                    self.refused.insert(task.clone());
                }
                self.failed.insert(task);
            }
            _ => {}
        }
        Ok(())
    }

    fn read_run(&mut self, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::BatchStart(_) => {
                (self.begun, self.taken) = (BTreeSet::new(), BTreeSet::new());
                self.lost.clear();
                self.refuse_blocked("a batch begins")
            }
            EventKind::ValidatorPass(verdict) | EventKind::ValidatorWarn(verdict) => {
                self.canary = self.canary.map(|seen| seen || verdict.validator == CANARY);
                Ok(())
            }
            EventKind::LandingConflict(conflict) => {
                self.retries.conflicted(&conflict.task);
                Ok(())
            }
            EventKind::LandingDoctorPass(pass) => {
                if self.canary == Some(false) {
                    return Err("a doctor is believed that nobody has seen fail".to_owned());
                }
                self.passed.insert(pass.commit.to_string());
                Ok(())
            }
            EventKind::LandingIntent(_) => {
                self.intent_open = true;
                self.refuse_blocked("a landing is meant")
            }
            EventKind::LandingDone(_) | EventKind::LandingRefused(_) => {
                if !std::mem::take(&mut self.intent_open) && matches!(kind, EventKind::LandingDone(_)) {
                    return Err("a landing is done that was never meant".to_owned());
                }
                if let EventKind::LandingDone(done) = kind {
                    self.landings.push(done.commit.clone());
                }
                self.refuse_blocked("a landing ends")
            }
            EventKind::BatchComplete(_) if self.blocked.is_empty() && !self.lost.is_empty() => {
                Err(format!("the batch is closed, and lost attempts were not begun again: {:?}", self.lost))
            }
            EventKind::RunResume(_) => {
                (self.ended, self.canary) = (false, self.canary.map(|_| false));
                Ok(())
            }
            EventKind::RunStop(_) | EventKind::RunComplete(_) => {
                if std::mem::replace(&mut self.ended, true) {
                    return Err("the run ends twice".to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn refuse_blocked(&self, what: &str) -> Result<(), String> {
        match self.blocked.first() {
            Some(task) => Err(format!("{what}, and {task} is blocked")),
            None => Ok(()),
        }
    }

    /// The blocks in force.
    pub(crate) fn blocked(&self) -> &BTreeSet<TaskId> {
        &self.blocked
    }
}
