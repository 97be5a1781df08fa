//! `mycelium --version`: what this build is.

use serde_json::json;

use crate::{error::CliError, exit::Exit, output::Output};

/// Prints it. Features are faults for tests; a release has none.
pub(crate) fn run(output: Output) -> Result<Exit, CliError> {
    let (name, version) = ("mycelium", env!("CARGO_PKG_VERSION"));
    output
        .data(&json!({ "name": name, "version": version, "features": mycelium_engine::FEATURES }), || {
            format!("{name} {version}\n")
        })?;
    Ok(Exit::Done)
}
