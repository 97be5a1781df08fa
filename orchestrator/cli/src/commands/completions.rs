//! `mycelium completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use serde_json::json;

use crate::{
    args::{self, Cli},
    error::CliError,
    exit::Exit,
    output::Output,
};

/// Prints the script.
pub(crate) fn run(output: Output, args: &args::CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mycelium", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    output.data(&json!({ "shell": args.shell.to_string(), "script": script }), || script.clone())?;
    Ok(Exit::Done)
}
