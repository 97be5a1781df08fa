//! What tasks hold, who is ready and who goes first, reckoned from manifests and the journal alone.

use std::collections::BTreeSet;

use mycelium_schemas::{
    id::{LockName, TaskId},
    state::TaskStatus,
};

use crate::sim::{Sim, Step, broken};

/// Resources that an agent holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    reads: BTreeSet<LockName>,
    writes: BTreeSet<LockName>,
}

impl Held {
    /// Whether the two may not be held at once: one writes what the other touches.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let touches = |name: &LockName| other.reads.contains(name) || other.writes.contains(name);
        self.writes.iter().any(touches) || self.reads.iter().any(|name| other.writes.contains(name))
    }
}

impl Sim {
    /// What a task holds while it runs: what its manifest says, and what the journal says was added.
    pub(crate) fn locks(&self, id: &TaskId) -> Held {
        let Some(task) = self.scene.plan.get(id) else { return Held::default() };
        let locks = &task.manifest.locks;
        let added = self.ledger.added_locks.get(id).into_iter().flatten();
        Held {
            reads: locks.reads.iter().cloned().collect(),
            writes: locks.writes.iter().chain(added).cloned().collect(),
        }
    }

    fn is_ready(&self, id: &TaskId) -> bool {
        let needs =
            self.scene.plan.get(id).map(|task| task.manifest.dependencies.as_slice()).unwrap_or_default();
        needs.iter().all(|other| self.ledger.landed.contains(other))
    }

    /// Before a batch begins: everybody in it may run, the first who is ready is in it, and whoever is not has to wait
    /// for somebody who is, and not without end.
    pub(crate) fn check_batch(&mut self, batch: &[TaskId]) -> Step {
        let is = |id: &TaskId, status| self.state.tasks.get(id).is_some_and(|facts| facts.status == status);
        if batch.iter().all(|id| is(id, TaskStatus::Validated)) {
            return Ok(());
        }
        if let Some(id) = batch.iter().find(|id| !self.is_ready(id)) {
            return broken(format!("{id} is to begin before what it depends on has landed"));
        }
        let ready: Vec<TaskId> = self
            .scene
            .plan
            .ids()
            .filter(|id| is(id, TaskStatus::Pending) && self.is_ready(id))
            .cloned()
            .collect();
        if let Some(first) = ready.first().filter(|first| !batch.contains(first)) {
            return broken(format!("{first} is ready and overtaken by {batch:?}"));
        }
        let full = batch.len() >= usize::try_from(self.scene.config.max_parallel).unwrap_or(usize::MAX);
        for id in ready.iter().filter(|id| !batch.contains(id)) {
            let locks = self.locks(id);
            if !full && !batch.iter().any(|other| self.locks(other).clashes_with(&locks)) {
                return broken(format!(
                    "{id} is ready, nothing is in its way, and it is left out of {batch:?}"
                ));
            }
            let others = self.scene.plan.ids().take_while(|other| *other < id);
            let most: u32 = others.map(|other| self.allowed_attempts(other)).sum();
            let times = self.overtaken.entry(id.clone()).or_default();
            times.insert(self.state.batches.len());
            if times.len() > usize::try_from(most).unwrap_or(usize::MAX) {
                return broken(format!("{id} is overtaken for ever"));
            }
        }
        Ok(())
    }
}
