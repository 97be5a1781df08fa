//! What came of a run, for people, for the exit code and for `--json`.

use std::{fmt, path::PathBuf, time::Duration};

use mycelium_schemas::messages::TestStepResultStatus;

use super::{case::Place, panic::Panic};

/// What came of a run.
#[derive(Debug)]
pub struct RunResult {
    /// The scenarios that ran, in the order they ended.
    pub scenarios: Vec<ScenarioResult>,
    /// The scenarios that were selected and did not begin.
    pub not_started: Vec<Place>,
    /// Everything that makes the run a failure; empty where it passed.
    pub causes: Vec<Cause>,
    /// The signal that ended it early.
    pub interrupted: Option<Interrupt>,
    /// What is worth telling, but no failure.
    pub notes: Vec<String>,
}

impl RunResult {
    /// True where every selected scenario ran and passed and nothing else went wrong.
    pub fn passed(&self) -> bool {
        self.causes.is_empty() && self.interrupted.is_none()
    }
}

/// How one scenario went.
#[derive(Debug)]
pub struct ScenarioResult {
    /// Its name.
    pub name: String,
    /// Its line, or that of its row of examples.
    pub place: Place,
    /// Its worst step.
    pub status: TestStepResultStatus,
    /// Whether it is skipped because this machine cannot run it, which is no failure.
    pub not_run: bool,
    /// From the first step to the last.
    pub duration: Duration,
    /// Why it did not pass.
    pub failure: Option<Failure>,
    /// Its folder, where that was kept.
    pub kept: Option<PathBuf>,
}

/// Why a scenario did not pass.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Keyword and text of the step.
    pub step: String,
    /// Where the step stands.
    pub place: Place,
    /// What went wrong.
    pub message: String,
    /// Where in the step's code.
    pub code_place: Option<String>,
    /// The last lines of the scenario's log.
    pub log: Vec<String>,
}

/// A reason for which a run is a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// No scenario was selected, so nothing is proved.
    NothingSelected,
    /// Scenarios did not pass, each kind for itself.
    Scenarios(TestStepResultStatus, usize),
    /// Scenarios that were selected did not run to their end.
    ScenariosNotRun(usize),
    /// The run took longer than it may.
    RunTimedOut(Duration),
    /// A scenario has no step.
    NoSteps(Place),
    /// A world failed while it was dropped.
    Teardown(Place, String),
    /// A scenario ended, and a process that it started did not.
    ProcessLeft(Place, String),
    /// Something new stands beside the scenarios' folders since this scenario ended.
    FileLeft(Place, String),
    /// A thread that belongs to no scenario panicked.
    StrayPanic(Panic),
}

impl Cause {
    /// Whether it shows in no step's status, so that the stream has to say it by itself.
    pub fn is_beside_the_steps(&self) -> bool {
        match self {
            Self::NoSteps(_)
            | Self::Teardown(..)
            | Self::ProcessLeft(..)
            | Self::FileLeft(..)
            | Self::StrayPanic(_)
            | Self::RunTimedOut(_) => true,
            Self::NothingSelected | Self::Scenarios(..) | Self::ScenariosNotRun(_) => false,
        }
    }

    /// Its name in the summary.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingSelected => "nothing_selected",
            Self::Scenarios(status, _) => match status {
                TestStepResultStatus::Undefined => "scenarios_undefined",
                TestStepResultStatus::Ambiguous => "scenarios_ambiguous",
                TestStepResultStatus::Pending => "scenarios_pending",
                TestStepResultStatus::Skipped => "scenarios_skipped",
                _ => "scenarios_failed",
            },
            Self::RunTimedOut(_) => "run_timed_out",
            Self::ScenariosNotRun(_) => "scenarios_not_run",
            Self::NoSteps(_) => "no_steps",
            Self::Teardown(..) => "teardown_failed",
            Self::ProcessLeft(..) => "process_left",
            Self::FileLeft(..) => "file_left",
            Self::StrayPanic(_) => "stray_panic",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingSelected => write!(f, "no scenario was selected, so nothing is proved"),
            Self::Scenarios(status, n) => {
                let scenarios = if *n == 1 { "scenario" } else { "scenarios" };
                match status {
                    TestStepResultStatus::Undefined => write!(f, "{n} {scenarios} with an undefined step"),
                    TestStepResultStatus::Ambiguous => write!(f, "{n} {scenarios} with an ambiguous step"),
                    TestStepResultStatus::Pending => write!(f, "{n} {scenarios} with a pending step"),
                    TestStepResultStatus::Skipped => write!(f, "{n} {scenarios} with a step that skipped it"),
                    _ => write!(f, "{n} {scenarios} failed"),
                }
            }
            Self::RunTimedOut(limit) => write!(f, "the run timed out after {} s", limit.as_secs_f64()),
            Self::ScenariosNotRun(1) => write!(f, "1 selected scenario did not run to its end"),
            Self::ScenariosNotRun(n) => write!(f, "{n} selected scenarios did not run to their end"),
            Self::NoSteps(place) => write!(f, "the scenario at {place} has no step"),
            Self::Teardown(place, message) => {
                write!(f, "the world of the scenario at {place} could not be dropped: {message}")
            }
            Self::ProcessLeft(place, command) => {
                write!(f, "the scenario at {place} left a process running: {command}")
            }
            Self::FileLeft(place, file) => {
                write!(
                    f,
                    "{file} was left outside of the scenarios' folders before the scenario at {place} ended"
                )
            }
            Self::StrayPanic(panic) => {
                write!(f, "a thread of no scenario panicked at {}: {}", panic.place, panic.message)
            }
        }
    }
}

/// A signal that ends a run early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    Sigint,
    /// A request to end.
    Sigterm,
}

impl Interrupt {
    /// The exit code of a program that this signal ended.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Sigint => 130,
            Self::Sigterm => 143,
        }
    }
}

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sigint => "SIGINT",
            Self::Sigterm => "SIGTERM",
        })
    }
}
