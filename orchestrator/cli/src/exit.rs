//! Every exit code of the program, in one place (design 3.5), and the guard that turns a panic into one.

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

use mycelium_engine::signals::StopSignal;
use mycelium_schemas::state::{RunStatus, StopReason};

use crate::output;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The run failed: a task failed or was blocked.
    Failed = 1,
    /// Usage, configuration or plan error, or a lock held by another process.
    Input = 2,
    /// Stopped; a human review is wanted.
    Review = 3,
    /// The environment failed; resumable.
    Environment = 4,
    /// A bug of Mycelium.
    Bug = 70,
    /// Interrupted; resumable.
    Interrupted = 130,
    /// Terminated; resumable.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// How a command ends that a signal stops.
impl From<StopSignal> for Exit {
    fn from(signal: StopSignal) -> Self {
        match signal {
            StopSignal::Interrupt => Self::Interrupted,
            StopSignal::Terminate | StopSignal::HangUp => Self::Terminated,
        }
    }
}

impl Exit {
    /// The code of a run that ended, given the signal that stopped it, if one did.
    pub(crate) fn of_run(
        status: RunStatus,
        stop_reason: Option<StopReason>,
        signal: Option<StopSignal>,
    ) -> Self {
        match (status, stop_reason) {
            (RunStatus::Complete, _) => Self::Done,
            (RunStatus::Failed, _) => Self::Failed,
            (RunStatus::NeedsHumanReview, _) => Self::Review,
            (RunStatus::Interrupted, Some(StopReason::Signal)) => match signal {
                Some(signal) => signal.into(),
                None => Self::Interrupted,
            },
            (RunStatus::Interrupted, _) => Self::Environment,
            // A run that was left while it still works has not ended; only a bug gets here.
            (RunStatus::Running, _) => Self::Bug,
        }
    }
}

/// Runs the program; a panic becomes a message that says what to do, and exit 70.
pub(crate) fn guard_against_panics(program: impl FnOnce() -> Exit) -> Exit {
    panic::set_hook(Box::new(|panic| {
        output::complain(&format!(
            "error: this is a bug of mycelium: {panic}\n  = help: what was journaled is kept; report this message together with the run's folder"
        ));
    }));
    panic::catch_unwind(AssertUnwindSafe(program)).unwrap_or(Exit::Bug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_exits_as_a_bug() {
        assert_eq!(guard_against_panics(|| panic!("on purpose")), Exit::Bug);
        assert_eq!(guard_against_panics(|| Exit::Review), Exit::Review);
    }

    #[test]
    fn a_run_exits_by_its_status_and_what_stopped_it() {
        let interrupted = RunStatus::Interrupted;
        for (status, reason, signal, exit) in [
            (RunStatus::Complete, None, None, Exit::Done),
            (RunStatus::Failed, Some(StopReason::BudgetBlock), None, Exit::Failed),
            (RunStatus::NeedsHumanReview, Some(StopReason::Review), None, Exit::Review),
            (interrupted, Some(StopReason::Environment), None, Exit::Environment),
            (interrupted, Some(StopReason::Signal), Some(StopSignal::Interrupt), Exit::Interrupted),
            (interrupted, Some(StopReason::Signal), Some(StopSignal::Terminate), Exit::Terminated),
            (RunStatus::Running, None, None, Exit::Bug),
        ] {
            assert_eq!(Exit::of_run(status, reason, signal), exit, "{status} {reason:?} {signal:?}");
        }
    }
}
