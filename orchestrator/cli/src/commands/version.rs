//! `mycelium --version`: what this build is.

use mycelium_schemas::answer::BuildVersion;

use crate::{error::CliError, exit::Exit, output::Output};

/// Prints it. Features are faults for tests; a release has none.
pub(crate) fn run(output: Output) -> Result<Exit, CliError> {
    let (name, version) = ("mycelium", env!("CARGO_PKG_VERSION"));
    let features = mycelium_engine::FEATURES.iter().map(|feature| (*feature).to_owned()).collect();
    let answer = BuildVersion { name: name.to_owned(), version: version.to_owned(), features };
    output.data(&answer, || format!("{name} {version}\n"))?;
    Ok(Exit::Done)
}
