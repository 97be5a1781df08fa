//! What the runner hands to the world of one scenario, and what the world hands back.
//!
//! The runner drives each scenario on a thread of its own, so the context is bound to the thread: worlds are built by
//! the `cucumber` crate's `World::new`, which takes no arguments.

use std::{
    cell::RefCell,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use mycelium_schemas::evidence::Assertion;

/// Where a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Local processes, mock planner and agents.
    Mock,
    /// Containers.
    Docker,
}

impl Lane {
    /// Its tag and its name in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Docker => "docker",
        }
    }
}

/// One thing that a world hands back while its scenario runs.
#[derive(Debug, Clone)]
pub enum Record {
    /// An executed assertion.
    Assertion(Assertion),
    /// A file worth keeping.
    Evidence {
        /// What it is, for example `state.json`.
        name: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// A line for the failure card.
    Log(String),
    /// This machine cannot run the scenario, and why: it counts neither as passed nor as failed.
    NotRun(String),
}

/// Collects the records of one scenario; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<Record>>>);

impl Recorder {
    /// Adds a record.
    pub fn push(&self, record: Record) {
        // A panic while the lock was held cannot leave a half-pushed record.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// Takes what was recorded since the last call.
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a scenario's world works with.
#[derive(Debug, Clone)]
pub struct Context {
    /// The program under test.
    pub bin: PathBuf,
    /// Where the scenario runs.
    pub lane: Lane,
    /// An empty folder of this scenario alone; the runner removes it.
    pub scratch: PathBuf,
    /// Where records go.
    pub recorder: Recorder,
}

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

impl Context {
    /// Binds the context to this thread.
    pub fn enter(self) {
        CURRENT.with_borrow_mut(|current| *current = Some(self));
    }

    /// The context of the scenario on this thread; none outside the runner.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }
}
