//! `mycelium relay`, hidden: what an agent in a container reaches its model through (docs/agents.md).

use std::{io, process};

use crate::{args::RelayArgs, error::CliError};

/// The agent could not be started, or no connection taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {program} beside the relay: {source}")]
pub(crate) struct RelayError {
    program: String,
    source: io::Error,
}

/// Ends as the agent ends.
pub(crate) fn run(args: &RelayArgs) -> Result<std::convert::Infallible, CliError> {
    match mycelium_engine::relay::run(&args.socket, args.port, &args.program, &args.args) {
        // Whoever started it reads its code as the agent's.
        Ok(code) => process::exit(code),
        Err(source) => Err(RelayError { program: args.program.clone(), source }.into()),
    }
}
