//! Everything that can end a command without its result, with exit code, kind and mend. The errors of the engine are
//! told apart by whose fault they are, once, here.

use std::{
    io,
    path::{Path, PathBuf},
};

use mycelium_engine::{ErrorKind, advice, planning::FileDiff};
use mycelium_schemas::{
    answer::RefusalKind,
    problem::{Problem, did_you_mean},
};

use crate::{
    commands::{
        demo::{DemoError, ScriptedAgentError},
        mock_agent::MockAgentError,
        relay::RelayError,
    },
    exit::Exit,
};

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The engine says why.
    #[error(transparent)]
    Engine(#[from] mycelium_engine::Error),
    /// The command line is not one of ours.
    #[error("{}", first_paragraph(.0))]
    Usage(Box<clap::Error>),
    /// No command was given.
    #[error("no command was given")]
    NoCommand,
    /// A timeline is not made of one type of event.
    #[error("--type does not apply to `logs timeline`, whose spans are made of events of several types")]
    TypeOfTimeline,
    /// There is no such schema.
    #[error("there is no schema {name:?}")]
    UnknownSchema {
        /// As asked for.
        name: String,
        /// All there are.
        known: Vec<&'static str>,
    },
    /// The mock worker could not work.
    #[error(transparent)]
    MockAgent(#[from] MockAgentError),
    /// No agent runs beside the relay.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The scripted agent could not work.
    #[error(transparent)]
    ScriptedAgent(#[from] ScriptedAgentError),
    /// The demonstration's repository could not be made.
    #[error("the demonstration could not be set up")]
    Demo(#[from] DemoError),
    /// The demonstration's folder is in use.
    #[error("the folder {} is not empty", path.display())]
    FolderInUse {
        /// The folder.
        path: PathBuf,
    },
    /// A command of the demonstration failed.
    #[error("`{command}` ended with {ended}, so the demonstration stops")]
    DemoStep {
        /// As typed.
        command: String,
        /// How it ended.
        ended: String,
    },
    /// A file operation of a command.
    #[error("could not {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The process's own environment cannot be read.
    #[error("could not read the environment of this process")]
    Surroundings(#[source] io::Error),
    /// Standard output refuses what is written.
    #[error("could not write to standard output")]
    Output(#[from] io::Error),
}

/// The part of a usage error that says what is wrong, on one line, without the usage that follows it.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl CliError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Engine(mycelium_engine::Error::Signalled { signal }) => (*signal).into(),
            Self::Engine(error) => match error.kind() {
                ErrorKind::Input => Exit::Input,
                ErrorKind::Environment => Exit::Environment,
                ErrorKind::Bug => Exit::Bug,
            },
            Self::Usage(_)
            | Self::NoCommand
            | Self::TypeOfTimeline
            | Self::UnknownSchema { .. }
            | Self::FolderInUse { .. } => Exit::Input,
            Self::MockAgent(error) => error.exit(),
            Self::ScriptedAgent(error) => error.exit(),
            Self::DemoStep { .. } => Exit::Failed,
            Self::Output(_) if self.is_broken_pipe() => Exit::Done,
            Self::Demo(_) | Self::Relay(_) | Self::File { .. } | Self::Surroundings(_) | Self::Output(_) => {
                Exit::Environment
            }
        }
    }

    /// True where the reader of standard output went away: it has all it wants, and nothing went wrong.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whose fault it is, for scripts.
    pub(crate) fn kind(&self) -> RefusalKind {
        match (self, self.exit()) {
            (Self::Usage(_) | Self::NoCommand | Self::TypeOfTimeline, _) => RefusalKind::Usage,
            (_, Exit::Bug) => RefusalKind::Bug,
            (_, Exit::Input) => RefusalKind::Input,
            (_, Exit::Failed) => RefusalKind::Failed,
            _ => RefusalKind::Environment,
        }
    }

    /// What to do next.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.help(),
            Self::Usage(_) | Self::NoCommand => Some("see `mycelium --help`".to_owned()),
            Self::TypeOfTimeline => Some("leave it out, or ask `logs query`".to_owned()),
            Self::UnknownSchema { name, known } => Some(match did_you_mean(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.join(", ")),
            }),
            Self::MockAgent(error) => Some(error.help().to_owned()),
            Self::Relay(_) => Some("the image must hold the agent, as `worker.program` names it".to_owned()),
            Self::ScriptedAgent(_) => Some("it is started by `mycelium run`, as `worker.program`".to_owned()),
            Self::FolderInUse { .. } => Some("name a folder that is new or empty with --keep".to_owned()),
            Self::DemoStep { .. } => Some("its output above says why".to_owned()),
            Self::File { path, source, .. } => Some(advice::io(path, source)),
            Self::Output(source) => Some(advice::io(Path::new("standard output"), source)),
            Self::Demo(_) | Self::Surroundings(_) => Some("check space and permissions".to_owned()),
        }
    }

    /// The problems of the input, where it is about those.
    pub(crate) fn problems(&self) -> &[Problem] {
        match self {
            Self::Engine(
                mycelium_engine::Error::Problems { problems }
                | mycelium_engine::Error::Unplanned { problems, .. },
            ) => problems,
            _ => &[],
        }
    }

    /// What a new plan would change, where it is about that.
    pub(crate) fn differences(&self) -> &[FileDiff] {
        match self {
            Self::Engine(mycelium_engine::Error::PlanDiffers { files }) => files,
            _ => &[],
        }
    }
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        Self::Usage(Box::new(error))
    }
}
