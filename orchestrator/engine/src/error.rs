//! What can go wrong, by whose fault it is: the command line maps each kind to an exit code.

use std::{collections::BTreeMap, io, path::PathBuf};

use mycelium_core::state::IllegalEvent;
use mycelium_schemas::{
    id::{RunId, TaskId},
    problem::Problem,
};

use crate::{
    advice,
    docker::EngineError,
    environment::BadVariable,
    git::{self, GitError},
    planning::FileDiff,
    runlock::Holder,
    signals::StopSignal,
};

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line, the configuration, the plan, or a lock that another process holds: exit 2.
    Input,
    /// Disk, git or another part of the machine: exit 4.
    Environment,
    /// Mycelium itself: exit 70.
    Bug,
}

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Problems in texts that the user wrote, all of them.
    #[error("{} in the input", count(problems.len(), "problem"))]
    Problems {
        /// In order of place.
        problems: Vec<Problem>,
    },
    /// A request that cannot be carried out.
    #[error("{message}")]
    Request {
        /// What is wrong and why.
        message: String,
        /// What to do next.
        help: String,
    },
    /// A run of that name exists.
    #[error("the run {run_id} exists already")]
    RunExists {
        /// Its id.
        run_id: RunId,
    },
    /// There is no such run.
    #[error("there is no run {run_id} in this project")]
    UnknownRun {
        /// The id asked for.
        run_id: RunId,
    },
    /// Other runs have landed tasks of a run that it has not landed itself.
    #[error("run {run_id} would do again what has landed since: {}", landed(tasks))]
    Superseded {
        /// The run.
        run_id: RunId,
        /// The tasks, with the runs that landed them.
        tasks: BTreeMap<TaskId, RunId>,
    },
    /// A signal came while something was waited for, before there was a run.
    #[error("{signal} came before anything was done")]
    Signalled {
        /// The signal.
        signal: StopSignal,
    },
    /// The planned tasks differ from those on disk.
    #[error("other tasks are planned already")]
    PlanDiffers {
        /// What would change.
        files: Vec<FileDiff>,
    },
    /// Whoever was asked for a plan gave none.
    #[error("the planner gave no plan: {message}")]
    NoPlan {
        /// What happened.
        message: String,
        /// True where the same question may be answered later.
        later: bool,
        /// The folder with prompts and answers.
        artifacts: String,
    },
    /// Whoever was asked for a plan gave one that is none, to the last.
    #[error(
        "the planner's answer still has {} after {}",
        count(problems.len(), "problem"),
        count(*attempts as usize, "attempt")
    )]
    Unplanned {
        /// Those of the last answer, in order of place.
        problems: Vec<Problem>,
        /// Times that it was asked.
        attempts: u32,
        /// The folder with prompts and answers.
        artifacts: String,
    },
    /// Another orchestrator works on this repository.
    #[error("another mycelium works on this repository: {holder}")]
    Locked {
        /// Who.
        holder: Holder,
    },
    /// Somebody removed or replaced the lock file of this process, so that another one may work beside it.
    #[error("the lock {} was removed or replaced while it was held", path.display())]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// A variable of Mycelium's own holds nonsense.
    #[error(transparent)]
    Variable(#[from] BadVariable),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The container engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model gateway.
    #[error(transparent)]
    Gateway(#[from] mycelium_gateway::GatewayError),
    /// What a response of a model used could not be kept, so that no budget can be judged.
    #[error("what a model answered, or used for it, could not be kept: {why}")]
    Uncounted {
        /// What failed.
        why: String,
    },
    /// A request was not in the cassette that is replayed.
    #[error("{why}")]
    NotRecorded {
        /// Which request, whose, and how it differs.
        why: String,
    },
    /// A file operation.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was tried, for example `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file that Mycelium wrote cannot be read back.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A copy that a run made of what decides its outcome is not there any more.
    #[error("the copy of {what} that the run froze when it began is gone: {}", path.display())]
    FrozenGone {
        /// What it is a copy of.
        what: &'static str,
        /// Where it was.
        path: PathBuf,
    },
    /// A file was written by a newer Mycelium: it can be read, but going on with it could lose what it says.
    #[error("{} has format version {version}, which this mycelium does not write", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// An event was about to be journaled that the state does not allow.
    #[error("an event was refused by the state")]
    Illegal(#[from] IllegalEvent),
    /// A part of the engine stopped without an answer.
    #[error("{0} stopped without an answer")]
    Lost(&'static str),
    /// A value of our own could not be written as JSON.
    #[error("a value could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn landed(tasks: &BTreeMap<TaskId, RunId>) -> String {
    tasks.iter().map(|(task, run)| format!("task {task} in run {run}")).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPlan { later: true, .. } => ErrorKind::Environment,
            Self::Problems { .. }
            | Self::NoPlan { .. }
            | Self::Unplanned { .. }
            | Self::Request { .. }
            | Self::RunExists { .. }
            | Self::UnknownRun { .. }
            | Self::Superseded { .. }
            | Self::PlanDiffers { .. }
            | Self::Locked { .. }
            | Self::NotRecorded { .. }
            | Self::Newer { .. }
            | Self::Variable(_) => ErrorKind::Input,
            Self::Git(error) if error.kind() == git::ErrorKind::Input => ErrorKind::Input,
            Self::Engine(error) if error.is_input() => ErrorKind::Input,
            Self::Git(_)
            | Self::Engine(_)
            | Self::Gateway(_)
            | Self::Uncounted { .. }
            | Self::Io { .. }
            | Self::Damaged { .. }
            | Self::FrozenGone { .. }
            | Self::Signalled { .. }
            | Self::LockLost { .. } => ErrorKind::Environment,
            Self::Illegal(_) | Self::Lost(_) | Self::Json(_) => ErrorKind::Bug,
        }
    }

    /// The error and what caused it, on one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Problems { .. } | Self::Illegal(_) | Self::Lost(_) | Self::Json(_) => return None,
            Self::Request { help, .. } => help.clone(),
            Self::NoPlan { later: true, artifacts, .. } => {
                format!("try again later; prompts and answers are in {artifacts}")
            }
            Self::NoPlan { artifacts, .. } => format!(
                "mend what is named, or describe the work in another way; prompts and answers are in {artifacts}"
            ),
            Self::Unplanned { artifacts, .. } => format!(
                "all answers are in {artifacts}; raise `planner.max_repairs`, use another model, or describe the work \
                 in more detail"
            ),
            Self::RunExists { .. } => "give another --run-id, or leave it out to have one made".into(),
            Self::UnknownRun { .. } => "see `mycelium status` for the latest run".into(),
            Self::Superseded { run_id, .. } => format!(
                "`mycelium run` does what is left; `mycelium clean --run-id {run_id} --force` removes this run"
            ),
            Self::LockLost { .. } => {
                "nothing was landed since; make sure that no other mycelium works here, then `mycelium resume`".into()
            }
            Self::PlanDiffers { .. } => {
                "keep them and run, or replace them with `mycelium plan --force`, which also removes what is no longer planned".into()
            }
            Self::Signalled { .. } => "give the same command again".into(),
            Self::Locked { .. } => "wait until it is done; the lock goes away with its process".into(),
            Self::Variable(_) => "correct or unset the variable".into(),
            Self::Git(error) => error.help(),
            Self::Engine(error) => error.help(),
            Self::Gateway(_) | Self::Uncounted { .. } => {
                "mend what is named, then `mycelium resume`: what was used before is known".into()
            }
            Self::NotRecorded { .. } => {
                "what is asked has changed since the cassette was recorded: take the change back, or record anew \
                 with `gateway.record`"
                    .into()
            }
            Self::Io { path, source, .. } => advice::io(path, source),
            Self::FrozenGone { .. } => {
                "the run cannot go on without it: put the copy back from a backup, or begin a new run with \
                 `mycelium run`, which does not repeat what has landed"
                    .into()
            }
            Self::Newer { .. } => "go on with the mycelium that wrote it, or a newer one".into(),
            Self::Damaged { .. } => "restore the file, or start a new run".into(),
        })
    }
}

/// Adds action and path to an I/O error.
pub(crate) trait IoContext<T> {
    /// Says what was tried on which path.
    fn at(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|source| Error::Io { action, path: path.into(), source })
    }
}
