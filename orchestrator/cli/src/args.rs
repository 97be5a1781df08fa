//! The command line as clap reads it: names, help and bounds, nothing else (design 3.5). No type of this module goes
//! below the command layer except as plain values.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mycelium_schemas::id::{ProjectName, RunId, TaskId};

/// Runs coding agents in parallel and lands only tested work.
#[derive(Debug, Parser)]
#[command(name = "mycelium", disable_version_flag = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    /// Print the version, with --json also the features of this build.
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Look for the repository from this folder upward.
    #[arg(
        short = 'C',
        long,
        global = true,
        value_name = "DIR",
        default_value = ".",
        hide_default_value = true
    )]
    pub(crate) repo: PathBuf,

    /// Configuration file [default: .mycelium/config.yaml of the repository].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Name of the project [default: the folder's name and a hash of its path].
    #[arg(long, global = true, value_name = "NAME", value_parser = project_name)]
    pub(crate) project: Option<ProjectName>,

    /// Print one JSON document on standard output and nothing else there.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say only what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say more on standard error; twice for all.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colour; NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the first configuration, doctor and plan.
    Init(InitArgs),
    /// Make tasks of a description of the work.
    Plan(PlanArgs),
    /// Run the planned tasks and land what passes every gate.
    Run(RunArgs),
    /// Show how a run stands.
    Status(StatusArgs),
    /// Go on with a run that was interrupted or waited for a human
    Resume(ResumeArgs),
    /// Decide about work that waits for a human
    Review(ReviewArgs),
    /// Show what a run wrote: events, where its time went, or what went wrong.
    Logs(LogsArgs),
    /// Remove what runs left behind; without --run-id or --all, logs stay.
    Clean(CleanArgs),
    /// Check machine and configuration, with a mend for what is wrong.
    Doctor(DoctorArgs),
    /// Plan and run a toy repository with the scripted agent: no key, no Docker, no network.
    Demo(DemoArgs),
    /// Print the JSON Schema of an artifact, or the names of all.
    Schema(SchemaArgs),
    /// Print the completions of a shell.
    Completions(CompletionsArgs),

    /// The mock worker, as an attempt starts it.
    #[command(hide = true)]
    MockAgent,
    /// The way from a container to the model gateway, with the agent that takes it.
    #[command(hide = true)]
    Relay(RelayArgs),
    /// An agent that asks a model, called and heard like a real one.
    #[command(hide = true)]
    ScriptedAgent(ScriptedAgentArgs),
    /// The places at which this build can be made to fail.
    #[cfg(feature = "faults")]
    #[command(hide = true)]
    FaultPoints,
    /// The faults that this build can be made of.
    #[cfg(feature = "saboteur")]
    #[command(hide = true)]
    Saboteurs,
}

/// `relay`.
#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
    /// The gateway's socket.
    pub(crate) socket: PathBuf,
    /// The port to listen at.
    pub(crate) port: u16,
    /// The agent.
    pub(crate) program: String,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// `scripted-agent`.
#[derive(Debug, Args)]
pub(crate) struct ScriptedAgentArgs {
    /// Whose words it speaks: codex or claude.
    pub(crate) voice: String,
    /// What the real one would be called with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Replace files that are there.
    #[arg(long)]
    pub(crate) force: bool,
}

/// `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// File that describes the work.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Show the plan, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace other tasks that are planned, and remove what is no longer planned.
    #[arg(long)]
    pub(crate) force: bool,
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Name of the run [default: made of time and chance].
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub(crate) run_id: Option<RunId>,
    /// Run only these tasks.
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = task_id)]
    pub(crate) tasks: Option<Vec<TaskId>>,
    /// Tasks at once, 1 to 256 [default: as configured].
    #[arg(long, value_name = "N", value_parser = max_parallel, allow_negative_numbers = true)]
    pub(crate) max_parallel: Option<u32>,
    /// Where the work is done.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) world: World,
    /// Show the batches, run nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Where the work is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    /// In processes on this machine.
    #[default]
    Local,
    /// In containers, at the engine that `DOCKER_HOST` names.
    Docker,
}

impl From<World> for mycelium_schemas::event::World {
    fn from(world: World) -> Self {
        match world {
            World::Local => Self::Local,
            World::Docker => Self::Docker,
        }
    }
}

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The run [default: the latest].
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub(crate) run_id: Option<RunId>,
    /// Follow the run until it ends: a live table on a terminal, else a line a change.
    #[arg(long)]
    pub(crate) watch: bool,
}

/// `logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
All conditions must hold at once. --grep looks at the event as it is stored, one line of JSON; of `timeline` and
`failures` it looks at the text, and --type does not apply to `timeline`. Lines that cannot be read are skipped and
counted on standard error. Events as --json are one array as they come; where reading fails after the first one, the array
ends there and the error is told on standard error alone.")]
pub(crate) struct LogsArgs {
    /// What to show.
    #[arg(value_enum, default_value_t, value_name = "VIEW")]
    pub(crate) view: LogsView,
    /// The run [default: the latest].
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub(crate) run_id: Option<RunId>,
    /// Only what is about this task or names it.
    #[arg(long, value_name = "ID", value_parser = task_id)]
    pub(crate) task: Option<TaskId>,
    /// Only types of event that match, for example 'landing.*'.
    #[arg(long = "type", value_name = "GLOB")]
    pub(crate) types: Option<String>,
    /// Only from this time on: 2026-01-02T03:04:05Z, or how long ago: 90m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Only what matches this regular expression.
    #[arg(long, value_name = "RE")]
    pub(crate) grep: Option<String>,
    /// Only the last so many; `follow` begins with 10 unless told.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

/// What `logs` shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogsView {
    /// Events, one a line.
    #[default]
    Query,
    /// Where the time went: attempts and landings.
    Timeline,
    /// What went wrong, why, and the file that shows it.
    Failures,
    /// Events as they come, until the run ends.
    Follow,
}

/// `clean`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --run-id and --all, workspaces and objects of finished runs go, and what killed processes left; the folders of
the runs stay, with their logs. With --run-id or --all the folders go too.
Runs that can be resumed, or hold work that waits for a human, are left alone unless --force is given. While a run
works in this repository, nothing is removed.")]
pub(crate) struct CleanArgs {
    /// Remove this run with its logs.
    #[arg(long, value_name = "ID", value_parser = run_id, conflicts_with = "all")]
    pub(crate) run_id: Option<RunId>,
    /// Remove every run with its logs.
    #[arg(long)]
    pub(crate) all: bool,
    /// List what would be removed, remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also runs that can be resumed or wait for a human: their work is lost.
    #[arg(long)]
    pub(crate) force: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Where the runs that are asked about do their work.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) world: World,
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave everything in this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,

    /// The agent: one that asks a model is a scripted one, called and heard like the real one, with a scripted model.
    #[arg(long, value_enum, default_value_t = DemoAgent::Mock)]
    pub(crate) agent: DemoAgent,
}

/// The agents of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DemoAgent {
    /// The mock agent, which asks no model.
    Mock,
    /// Codex CLI's likeness.
    Codex,
    /// Claude Code's likeness.
    Claude,
}

/// `schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The artifact; without it, the names are printed.
    pub(crate) name: Option<String>,
}

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run to go on with [default: the latest unfinished one]
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<RunId>,
}

/// `review`.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// The run [default: the latest]
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) run_id: Option<RunId>,
    /// What to do [default: list]
    #[command(subcommand)]
    pub(crate) action: Option<ReviewAction>,
}

/// What a human does with waiting work.
#[derive(Debug, Subcommand)]
pub(crate) enum ReviewAction {
    /// List what waits for a human, and what failed
    List,
    /// Show a task: its reasons, its commit, its artifacts
    Show {
        /// The task.
        task: TaskId,
    },
    /// Let it land through the doctor; only its own blocks are overridden
    Approve {
        /// The task.
        task: TaskId,
    },
    /// Have it done again, under the configuration as it is now
    Retry {
        /// The task.
        task: TaskId,
    },
    /// Give it up
    Reject {
        /// The task.
        task: TaskId,
    },
}

fn max_parallel(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number @ 1..=256) => Ok(number),
        _ => Err("write a whole number from 1 to 256".to_owned()),
    }
}

fn project_name(text: &str) -> Result<ProjectName, String> {
    text.parse().map_err(|why| format!("a project's name {why}"))
}

fn run_id(text: &str) -> Result<RunId, String> {
    text.parse().map_err(|why| format!("a run's name {why}"))
}

fn task_id(text: &str) -> Result<TaskId, String> {
    text.parse().map_err(|why| format!("a task's id {why}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_visible_command_and_option_says_what_it_does_in_a_sentence() {
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.starts_with(char::is_uppercase), "{}: {about:?}", command.get_name());
            for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
                let help = option.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    help.starts_with(char::is_uppercase),
                    "{} {}: {help:?}",
                    command.get_name(),
                    option.get_id()
                );
            }
        }
    }
}
