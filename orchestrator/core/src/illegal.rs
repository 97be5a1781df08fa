//! Events that no journal may hold where they stand.

use mycelium_schemas::{id::TaskId, state::TaskStatus};

/// An event that cannot happen in the state it meets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// The first event is not `run.start`, or a later one is.
    #[error("event {seq} is {kind}, which cannot stand there")]
    OutOfPlace {
        /// Its number.
        seq: u64,
        /// Its type.
        kind: &'static str,
    },
    /// The number does not follow the one before.
    #[error("event {found} follows event {last}")]
    Gap {
        /// Number before.
        last: u64,
        /// Number found.
        found: u64,
    },
    /// A task or batch that the run does not have.
    #[error("event {seq} ({kind}) names no task or batch of this run")]
    Unknown {
        /// Its number.
        seq: u64,
        /// Its type.
        kind: &'static str,
    },
    /// A move that the table does not have.
    #[error("event {seq} ({kind}) is not legal for task {task}, which is {status}")]
    Transition {
        /// Its number.
        seq: u64,
        /// Its type.
        kind: &'static str,
        /// The task.
        task: TaskId,
        /// Where it stands.
        status: TaskStatus,
    },
}
