//! From the words of the command line to an exit code: parse, dispatch, report.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, error::ErrorKind};
use mycelium_engine::{environment::Environment, project::Locator, signals::outlive_file_size_limit};

use crate::{
    args::{Cli, Color, Command, Global},
    commands::{self, Context},
    error::CliError,
    exit::Exit,
    output::{self, Output},
    render::{self, problem::Paint},
};

/// Runs the program.
pub(crate) fn run(words: Vec<OsString>) -> Exit {
    let no_color = std::env::var("NO_COLOR").ok().filter(|value| !value.is_empty());
    let early = early(&words);
    let cli = match parse(words, early.color) {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp) => return show_help(&error),
        Err(error) => return report(&error.into(), Output::new(&early, no_color.as_deref())),
    };
    let output = Output::new(&cli.global, no_color.as_deref());
    listen(&cli.global);
    dispatch(cli, output).unwrap_or_else(|error| report(&error, output))
}

/// The options that decide how a usage error is told, looked for before the command line is understood.
fn early(words: &[OsString]) -> Global {
    let words: Vec<_> = words.iter().skip(1).take_while(|word| *word != "--").collect();
    let given = |option: &str| words.iter().any(|word| *word == option);
    let color = |name: &str| {
        let value = words.iter().position(|word| *word == "--color").and_then(|at| words.get(at + 1));
        given(&format!("--color={name}")) || value.is_some_and(|value| *value == name)
    };
    Global {
        repo: ".".into(),
        config: None,
        project: None,
        json: given("--json"),
        quiet: false,
        verbose: 0,
        color: match (color("always"), color("never")) {
            (true, _) => Color::Always,
            (false, true) => Color::Never,
            (false, false) => Color::Auto,
        },
    }
}

fn parse(words: Vec<OsString>, color: Color) -> Result<Cli, clap::Error> {
    let choice = match color {
        Color::Auto => clap::ColorChoice::Auto,
        Color::Always => clap::ColorChoice::Always,
        Color::Never => clap::ColorChoice::Never,
    };
    let mut command = Cli::command().color(choice);
    let mut matches = command.try_get_matches_from_mut(words)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Help that was asked for is data. A reader that went away has what it wants.
fn show_help(help: &clap::Error) -> Exit {
    match help.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Exit::Environment,
        _ => Exit::Done,
    }
}

/// Logs of the program itself go to standard error.
fn listen(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => tracing::Level::ERROR,
        (false, 0) => tracing::Level::WARN,
        (false, 1) => tracing::Level::INFO,
        (false, _) => tracing::Level::DEBUG,
    };
    // A second listener would be a mistake of the caller; the first one stays.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| output::Log)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .try_init();
}

fn dispatch(cli: Cli, output: Output) -> Result<Exit, CliError> {
    if cli.version {
        return commands::version::run(output);
    }
    #[cfg(feature = "saboteur")]
    if let Some(name) = mycelium_engine::unknown_saboteur() {
        return Err(mycelium_engine::Error::Request {
            message: format!("MYCELIUM_SABOTEUR is {name:?}, and there is no such saboteur"),
            help: "`mycelium saboteurs` names them".into(),
        }
        .into());
    }
    let Global { repo, config, project, .. } = cli.global;
    // Made by those commands alone that look at their surroundings.
    let context = || -> Result<Context, CliError> {
        outlive_file_size_limit().map_err(CliError::Surroundings)?;
        let environment = Environment::from_process().map_err(CliError::Surroundings)?;
        Ok(Context { environment, locator: Locator { repo: Some(repo), config, project }, output })
    };
    match cli.command.ok_or(CliError::NoCommand)? {
        Command::Init(args) => commands::init::run(&context()?, &args),
        Command::Plan(args) => commands::plan::run(&context()?, args),
        Command::Run(args) => commands::run::run(&context()?, args),
        Command::Status(args) => commands::status::run(&context()?, &args),
        Command::Logs(args) => commands::logs::run(&context()?, args),
        Command::Clean(args) => commands::clean::run(&context()?, args),
        Command::Doctor(args) => commands::doctor::run(&context()?, &args),
        Command::Demo(args) => commands::demo::run(&context()?, &args),
        Command::Resume(args) => commands::resume::run(&context()?, &args),
        Command::Review(args) => commands::review::run(&context()?, args),
        Command::MockAgent => commands::mock_agent::run(&context()?),
        Command::Relay(args) => match commands::relay::run(&args)? {},
        Command::ScriptedAgent(args) => commands::demo::scripted_agent(&args),
        #[cfg(feature = "faults")]
        Command::FaultPoints => commands::fault_points::run(output),
        #[cfg(feature = "saboteur")]
        Command::Saboteurs => commands::saboteurs::run(output),
        Command::Schema(args) => commands::schema::run(output, args),
        Command::Completions(args) => commands::completions::run(output, &args),
    }
}

fn report(error: &CliError, output: Output) -> Exit {
    if error.is_broken_pipe() {
        return error.exit();
    }
    output::complain(&render::error::text(error, Paint(output.color)));
    if output.json {
        // Where standard output is broken, people were told already.
        let _ = output::document(&render::error::document(error));
    }
    error.exit()
}
