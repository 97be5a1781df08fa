//! `mycelium completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use mycelium_schemas::answer::Completions;

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
    let answer = Completions { shell: args.shell.to_string(), script };
    output.data(&answer, || answer.script.clone())?;
    Ok(Exit::Done)
}
