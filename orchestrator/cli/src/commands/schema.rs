//! `mycelium schema`: the JSON Schemas of what Mycelium reads and writes.

use mycelium_schemas::schemas;

use crate::{
    args,
    error::CliError,
    exit::Exit,
    output::{self, Output},
    render,
};

/// Prints the names of all, or one of them.
pub(crate) fn run(output: Output, args: args::SchemaArgs) -> Result<Exit, CliError> {
    let mut schemas = schemas();
    let known: Vec<&'static str> = schemas.keys().copied().collect();
    let Some(name) = args.name else {
        output.data(&known, || render::lines(&known))?;
        return Ok(Exit::Done);
    };
    let schema = schemas.remove(name.as_str()).ok_or(CliError::UnknownSchema { name, known })?;
    output::document(&schema)?;
    Ok(Exit::Done)
}
