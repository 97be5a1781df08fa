//! `mycelium fault-points`, hidden, only in builds with the feature `faults`: the places at which it can be made to fail.

use crate::{error::CliError, exit::Exit, output::Output, render};

/// Prints them: their names, one a line, or as JSON everything about them.
pub(crate) fn run(output: Output) -> Result<Exit, CliError> {
    let points = mycelium_engine::fault_points();
    output.data(&points, || {
        let names: Vec<_> = points.iter().map(|point| point.name).collect();
        render::lines(&names)
    })?;
    Ok(Exit::Done)
}
