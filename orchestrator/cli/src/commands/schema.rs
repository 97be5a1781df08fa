//! `mycelium schema`: the JSON Schemas of what Mycelium reads and writes.

use mycelium_schemas::{answer::SchemaAnswer, schemas};

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
        let names = SchemaAnswer::Names(known.iter().map(|name| (*name).to_owned()).collect());
        output.data(&names, || render::lines(&known))?;
        return Ok(Exit::Done);
    };
    let schema = schemas.remove(name.as_str()).ok_or(CliError::UnknownSchema { name, known })?;
    output::document(&SchemaAnswer::Schema(schema))?;
    Ok(Exit::Done)
}
