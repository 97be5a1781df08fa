//! `mycelium saboteurs`, hidden, only in builds with the feature `saboteur`: the names that `MYCELIUM_SABOTEUR` takes.

use crate::{error::CliError, exit::Exit, output::Output, render};

/// Prints them, one a line or as JSON.
pub(crate) fn run(output: Output) -> Result<Exit, CliError> {
    let names: Vec<_> = mycelium_engine::saboteurs().into_iter().collect();
    output.data(&names, || render::lines(&names))?;
    Ok(Exit::Done)
}
