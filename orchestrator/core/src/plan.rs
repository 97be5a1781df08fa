//! The checked plan: every dependency and lock in it exists, there is no cycle.

use std::collections::BTreeMap;

use mycelium_schemas::{
    id::TaskId,
    manifest::{Manifest, PlannedTask},
};

use crate::lock::LockSet;

/// Tasks by id. Built from manifests that `mycelium_schemas::plan` has checked.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    tasks: BTreeMap<TaskId, PlannedTask>,
}

impl Plan {
    /// A plan of checked tasks.
    pub fn new(tasks: impl IntoIterator<Item = PlannedTask>) -> Self {
        Self { tasks: tasks.into_iter().map(|task| (task.manifest.id.clone(), task)).collect() }
    }

    /// All tasks in order of id.
    pub fn tasks(&self) -> impl Iterator<Item = &PlannedTask> {
        self.tasks.values()
    }

    /// All ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &TaskId> {
        self.tasks.keys()
    }

    /// One task.
    pub fn get(&self, id: &TaskId) -> Option<&PlannedTask> {
        self.tasks.get(id)
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// True without any task.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// The locks that a manifest declares.
pub fn locks_of(manifest: &Manifest) -> LockSet {
    LockSet {
        reads: manifest.locks.reads.iter().cloned().collect(),
        writes: manifest.locks.writes.iter().cloned().collect(),
    }
}
