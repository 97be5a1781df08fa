//! The `accept` program: its command line, its commands and its exit codes.

mod again;
mod args;
mod bench;
mod card;
mod changes;
mod commands;
mod conduct;
mod console;
mod death;
mod diff;
mod error;
mod evidence;
mod excused;
mod findings;
mod flake;
mod history;
mod judge;
mod last_run;
mod merge;
mod mutation;
mod program;
mod project;
mod render;
mod repeat;
mod sabotage;
mod scaffold;
mod scratch;
mod steps;
mod stream;
mod streams;
mod summary;
mod supervise;
mod tell;
mod tree;
mod watch;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;

use crate::runner::Loader;

use self::{
    args::{Cli, Command},
    console::{Console, Tone},
    error::CliError,
};

/// Runs the command line of this process with a step library.
pub fn main(load: Loader) -> ExitCode {
    let cli = Cli::parse();
    let console = match Console::new(cli.json, cli.color) {
        Ok(console) => console,
        Err(error) => {
            // There is nothing else to say it with, and nobody to tell that nobody listens.
            let _ = writeln!(io::stderr(), "error: {}", error.chain());
            return ExitCode::from(error.exit_code());
        }
    };
    let result = dispatch(&console, load, cli.command);
    ExitCode::from(result.unwrap_or_else(|error| tell(&console, &error)))
}

fn dispatch(console: &Console, load: Loader, command: Option<Command>) -> Result<u8, CliError> {
    match command {
        None => in_own_process(console, |scratch| commands::whole::run(console, load, scratch)),
        Some(Command::Run(args)) => {
            in_own_process(console, |scratch| commands::run::run(console, load, args, scratch))
        }
        Some(Command::Watch(args)) => {
            in_own_process(console, |scratch| commands::watch::run(console, load, args, scratch))
        }
        Some(Command::Flake(args)) => {
            in_own_process(console, |scratch| commands::flake::run(console, load, args, &scratch))
        }
        Some(Command::Sabotage(args)) => {
            in_own_process(console, |scratch| commands::sabotage::run(console, load, &args, scratch))
        }
        Some(Command::Bench(args)) => {
            in_own_process(console, |scratch| commands::bench::run(console, &args, &scratch))
        }
        Some(Command::List(args)) => commands::list::run(console, args),
        Some(Command::Steps(args)) => commands::steps::run(console, load, &args),
        Some(Command::Fmt(args)) => commands::fmt::run(console, &args),
        Some(Command::Lint(args)) => commands::lint::run(console, load, &args),
        Some(Command::New(args)) => commands::new::run(console, &args),
        Some(Command::Merge(args)) => commands::merge::run(console, load, &args),
        Some(Command::Doctor(args)) => commands::doctor::run(console, &args),
        Some(Command::Matrix(args)) => commands::matrix::run(console, load, &args),
        Some(Command::Gate(args)) => commands::gate::run(console, load, &args),
        Some(Command::Report(args)) => commands::report::run(console, load, &args),
        Some(Command::Review(args)) => commands::review::run(console, load, args),
        Some(Command::Impact(args)) => commands::impact::run(console, &args),
        Some(Command::Other(words)) => {
            let word = words.into_iter().next().unwrap_or_default();
            let help = args::command_like(&word).map_or_else(
                || "see accept --help".to_owned(),
                |meant| format!("did you mean accept {meant}?"),
            );
            Err(CliError::UnknownCommand(word, help))
        }
    }
}

/// Runs scenarios in a process of their own; see [`supervise`].
fn in_own_process(
    console: &Console,
    run: impl FnOnce(PathBuf) -> Result<u8, CliError>,
) -> Result<u8, CliError> {
    let Some(scratch) = supervise::scratch() else { return supervise::supervise(console) };
    let _alive = supervise::attend(&scratch)?;
    streams::turn_prints_away().map_err(CliError::Output)?;
    let exit_code = run(scratch.clone()).unwrap_or_else(|error| tell(console, &error));
    supervise::sign(&scratch, exit_code)?;
    Ok(exit_code)
}

fn tell(console: &Console, error: &CliError) -> u8 {
    console.say(format_args!("{} {}", console.paint(Tone::Bad, "error:"), error.chain()));
    // That it cannot be printed either was said in the one way there is.
    let _unprinted = console.document_of_error(&error.chain(), error.exit_code());
    error.exit_code()
}
