//! An eye-witness of retries: bounded, told as they are, and each waits longer than the one before.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    event::{EventKind, TaskRetry},
    id::TaskId,
};

/// Retries so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retries {
    max: u32,
    /// Tasks whose conflict was told and not acted on.
    conflicted: BTreeSet<TaskId>,
    /// After a failure and after a conflict, since a human last had it done again.
    counts: BTreeMap<(TaskId, bool), u32>,
}

impl Retries {
    /// None yet, of so many that are allowed after failures, and after conflicts.
    pub(crate) fn new(max: u32) -> Self {
        Self { max, ..Self::default() }
    }

    /// The work of a task did not merge: what follows is about that.
    pub(crate) fn conflicted(&mut self, task: &TaskId) {
        self.conflicted.insert(task.clone());
    }

    /// A human has it done again, with every allowance.
    pub(crate) fn begin_anew(&mut self, task: &TaskId) {
        self.counts.retain(|(of, _), _| of != task);
    }

    /// Reads what became of an attempt or of its landing.
    pub(crate) fn read(&mut self, task: &TaskId, kind: &EventKind) -> Result<(), String> {
        let conflicted = self.conflicted.remove(task);
        match kind {
            EventKind::TaskRetry(retry) => self.read_retry(task, conflicted, retry),
            _ => Ok(()),
        }
    }

    fn read_retry(&mut self, task: &TaskId, conflicted: bool, retry: &TaskRetry) -> Result<(), String> {
        let count = self.counts.entry((task.clone(), conflicted)).or_default();
        *count += 1;
        if *count > self.max {
            return Err(format!("{task} is tried again {count} times, and {} are allowed", self.max));
        }
        if retry.attempts_left != self.max - *count + 1 {
            return Err(format!("{task} has {} attempts left, says its {count}. retry", retry.attempts_left));
        }
        let waits = if conflicted { 0 } else { (500 << (*count - 1).min(20)).min(30_000) };
        if retry.backoff_ms != waits {
            return Err(format!(
                "{task} waits {} ms before its {count}. retry, not {waits}",
                retry.backoff_ms
            ));
        }
        Ok(())
    }
}
