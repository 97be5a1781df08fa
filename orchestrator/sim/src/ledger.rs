//! An eye-witness that shares no code with the state: it reads the journal event by event and knows what must never
//! be in it.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    event::{Event, EventKind},
    id::TaskId,
};

/// What was read so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// Tasks that a gate blocked and about which no human decided since.
    blocked: BTreeSet<TaskId>,
    landed: BTreeSet<TaskId>,
    running: BTreeSet<TaskId>,
    /// Tasks of the open batch whose attempt was lost and not begun again.
    lost: BTreeSet<TaskId>,
    /// Commits that a doctor let through.
    passed: BTreeSet<String>,
    /// Attempts that count: begun and not lost.
    pub(crate) attempts: BTreeMap<TaskId, u32>,
    /// Times that a human asked for a new beginning.
    pub(crate) redone: BTreeMap<TaskId, u32>,
    /// Times that finished work was lost.
    pub(crate) gone: BTreeMap<TaskId, u32>,
    intent_open: bool,
    ended: bool,
}

impl Ledger {
    /// Reads one more event; says what must not be.
    pub(crate) fn read(&mut self, event: &Event) -> Result<(), String> {
        let task = event.task_id.clone();
        match (&event.kind, task) {
            (
                EventKind::BudgetBlock(_) | EventKind::ValidatorBlock(_) | EventKind::ManifestBlock(_),
                Some(task),
            ) => {
                self.blocked.insert(task);
            }
            (
                EventKind::ReviewApprove(_) | EventKind::ReviewRetry(_) | EventKind::ReviewReject(_),
                Some(task),
            ) => {
                self.blocked.remove(&task);
                if matches!(event.kind, EventKind::ReviewRetry(_)) {
                    *self.redone.entry(task).or_default() += 1;
                }
            }
            (EventKind::TaskStart(_), Some(task)) => {
                self.refuse_blocked("an attempt begins")?;
                *self.attempts.entry(task.clone()).or_default() += 1;
                self.lost.remove(&task);
                self.running.insert(task);
            }
            (EventKind::WorkerLost(_), Some(task)) => {
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
            }
            (EventKind::TaskLanded(landed), Some(task)) => {
                if !self.passed.contains(landed.commit.as_str()) {
                    return Err(format!("{task} landed in {}, which no doctor passed", landed.commit));
                }
                if !self.landed.insert(task.clone()) {
                    return Err(format!("{task} landed twice"));
                }
            }
            (kind, _) => self.read_run(kind)?,
        }
        Ok(())
    }

    fn read_run(&mut self, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::BatchStart(_) => {
                self.lost.clear();
                self.refuse_blocked("a batch begins")
            }
            EventKind::LandingDoctorPass(pass) => {
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
                self.refuse_blocked("a landing ends")
            }
            EventKind::BatchComplete(_) if self.blocked.is_empty() && !self.lost.is_empty() => {
                Err(format!("the batch is closed, and lost attempts were not begun again: {:?}", self.lost))
            }
            EventKind::RunResume(_) => {
                self.ended = false;
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
