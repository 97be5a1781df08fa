//! `mycelium scripted-agent codex|claude …`, hidden: an agent that asks a model, called and heard like the real ones. With
//! it and a scripted model the whole way is tried without a key.

use std::io;

use mycelium_fixtures::models::agent::{self, Voice};

use crate::{args::ScriptedAgentArgs, error::CliError, exit::Exit};

/// Why the scripted agent did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScriptedAgentError {
    /// Nobody speaks like that.
    #[error("there is no scripted agent {0:?}: name codex or claude")]
    Unknown(String),
    /// It could not read, write or ask.
    #[error("the scripted agent could not go on: {0}")]
    Failed(#[source] io::Error),
}

impl ScriptedAgentError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unknown(_) => Exit::Input,
            Self::Failed(_) => Exit::Environment,
        }
    }
}

/// Works as it is called.
pub(crate) fn run(args: &ScriptedAgentArgs) -> Result<Exit, CliError> {
    let voice = Voice::of(&args.voice).ok_or_else(|| ScriptedAgentError::Unknown(args.voice.clone()))?;
    let code = agent::run(voice, &args.args).map_err(ScriptedAgentError::Failed)?;
    Ok(if code == 0 { Exit::Done } else { Exit::Failed })
}
