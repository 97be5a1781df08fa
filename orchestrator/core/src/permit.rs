//! The right to land is a value (design 3.1): it comes only from here, cannot be copied, and landing consumes it.

use mycelium_schemas::{
    id::{CommitId, TaskId},
    state::{StopReason, TaskStatus},
};

use crate::state::RunState;

/// Proof that every gate let these commits through and that nothing in the run blocks.
#[derive(Debug, PartialEq, Eq)]
pub struct MergePermit {
    batch: u32,
    landing: u32,
    tasks: Vec<(TaskId, CommitId)>,
}

/// Why there is no permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A gate blocked in this run.
    Blocked(StopReason),
    /// A task has not passed every gate.
    NotValidated(TaskId),
    /// There is nothing to land.
    Nothing,
}

impl MergePermit {
    /// Judges whether these tasks of the open batch may land now, from persisted facts alone.
    pub fn judge(state: &RunState, batch: u32, tasks: &[TaskId]) -> Result<Self, Refused> {
        if let Some(reason) = state.blocked() {
            return Err(Refused::Blocked(reason));
        }
        if tasks.is_empty() {
            return Err(Refused::Nothing);
        }
        let tasks = tasks
            .iter()
            .map(|id| match state.tasks.get(id) {
                Some(facts) if facts.status == TaskStatus::Validated => {
                    let commit = facts.commit.clone().ok_or_else(|| Refused::NotValidated(id.clone()))?;
                    Ok((id.clone(), commit))
                }
                _ => Err(Refused::NotValidated(id.clone())),
            })
            .collect::<Result<Vec<_>, Refused>>()?;
        Ok(Self { batch, landing: state.landings + 1, tasks })
    }

    /// The batch that lands.
    pub fn batch(&self) -> u32 {
        self.batch
    }

    /// Number of this landing in the run.
    pub fn landing(&self) -> u32 {
        self.landing
    }

    /// Tasks and their commits in merge order.
    pub fn tasks(&self) -> &[(TaskId, CommitId)] {
        &self.tasks
    }

    /// Their ids.
    pub fn task_ids(&self) -> Vec<TaskId> {
        self.tasks.iter().map(|(id, _)| id.clone()).collect()
    }
}
