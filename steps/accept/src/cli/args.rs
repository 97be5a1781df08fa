//! The command line of `accept`: clap types and help only.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::Offset};
use mycelium_schemas::{
    flake::Environment,
    goal::{GoalId, gates::ProfileName},
    problem::did_you_mean,
};
use regex::Regex;

use super::{error::CliError, flake::history, program::Program, project::Project};
use crate::{
    context::Lane,
    runner::{Shard, TagExpression, Target, parse_duration},
};

/// The output folder unless another one is given, from the root of the checkout.
pub(super) const DEFAULT_OUT: &str = "target/acceptance";

/// Runs the features against the built program and judges what they prove.
///
/// Without a command: builds the program under test, runs every scenario that needs no container engine, prints matrix and
/// gates, writes the report and exits as `accept gate` does. `accept run --world docker` runs those in containers.
#[derive(Debug, Parser)]
#[command(name = "accept", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Print one JSON document on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Colours: where a person looks, always, or never. Where a person looks, NO_COLOR means never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    pub(super) color: Colour,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

const EXIT_CODES: &str = "Exit codes: 0 passed or green, 1 failed or red, 2 bad input, 3 a fault of this program, \
                          130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios.
    Run(RunArgs),
    /// Run scenarios again and again in other orders and surroundings, and tell how often they fail at most.
    Flake(FlakeArgs),
    /// Follow feature files: lint each that is saved, and run its changed scenarios.
    Watch(WatchArgs),
    /// List scenarios.
    List(ListArgs),
    /// List the steps that features are written from.
    Steps(StepsArgs),
    /// Check the feature files without running anything.
    Lint(LintArgs),
    /// Lay feature files out as all of them are.
    Fmt(FmtArgs),
    /// Print the traceability matrix; write docs/traceability-matrix.md and docs/acceptance-goals.md.
    Matrix(MatrixArgs),
    /// Judge the last run by the gates.
    Gate(GateArgs),
    /// Write the reports of the last run again.
    Report(ReportArgs),
    /// Record that goals and their scenarios were reviewed together as they are now; shows what changed since.
    Review(ReviewArgs),
    /// List the goals whose text or scenarios changed since a commit.
    Impact(ImpactArgs),
    /// Write the first draft of the feature that proves a goal.
    New(NewArgs),
    /// Show that each goal's scenarios notice the faults that are seeded for it.
    Sabotage(SabotageArgs),
    /// Measure how fast the program is, and compare that with the baselines.
    Bench(BenchArgs),
    /// Make one run of the runs of all shards.
    Merge(MergeArgs),
    /// Tell which worlds this machine can run, and what is missing.
    Doctor(DoctorArgs),
    /// Anything else.
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// What to limit a run to; all of it holds together.
#[derive(Debug, Default, Args)]
pub(super) struct FilterArgs {
    /// Feature files or folders, each with the line of a scenario behind it if wanted.
    #[arg(value_name = "PATH[:LINE]")]
    pub(super) targets: Vec<Target>,
    /// Only scenarios whose tags match, for example "@tier0 and not @control".
    #[arg(long, value_name = "EXPR")]
    pub(super) tags: Option<TagExpression>,
    /// Only scenarios whose name matches this regular expression.
    #[arg(long, value_name = "RE")]
    pub(super) name: Option<Regex>,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Where scenarios run: mock (processes of this machine) or docker (containers of the engine that DOCKER_HOST
    /// names).
    /// Mock unless given; with --rerun that of the last run.
    #[arg(long, value_name = "WORLD", value_parser = parse_world)]
    pub(super) world: Option<Lane>,
    /// Scenarios at a time; twice the number of processors unless given.
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true)]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Seed of the scenarios' order; a new one unless given.
    #[arg(long, value_name = "S", value_parser = parse_seed, allow_hyphen_values = true)]
    pub(super) seed: Option<u64>,
    /// Start no scenario after one failed.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Run everything so many times, each time in another order and into a folder of its own.
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true)]
    pub(super) repeat: Option<NonZeroUsize>,
    /// Only part I of N equal parts; accept merge makes one run of all parts.
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    pub(super) shard: Option<Shard>,
    /// Only what failed, was not finished or not started in the last run of the output folder. Not with
    /// --shard: parts are equal parts of one list, and each folder has left another one. Not with --repeat: that
    /// leaves results of its own.
    #[arg(long, conflicts_with_all = ["shard", "repeat"])]
    pub(super) rerun: bool,
    /// Limit of the whole run, for example 30m; scenarios that it cuts off are "not finished".
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
    /// The program under test, instead of building it.
    #[arg(long, value_name = "PATH")]
    pub(super) bin: Option<PathBuf>,
    /// Keep the folders of scenarios that passed, too.
    #[arg(long)]
    pub(super) keep: bool,
    #[command(flatten)]
    pub(super) out: OutArgs,
}

#[derive(Debug, Args)]
pub(super) struct FlakeArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Where scenarios run: mock (processes of this machine) or docker (containers of the engine that DOCKER_HOST
    /// names).
    #[arg(long, value_name = "WORLD", default_value = "mock", value_parser = parse_world)]
    pub(super) world: Lane,
    /// Run everything so many times; 10 unless given.
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true)]
    pub(super) repeat: Option<NonZeroUsize>,
    /// Run each scenario until it is shown to fail in at most 0.5 % of its runs, or in 5 % and more.
    #[arg(long, conflicts_with = "repeat")]
    pub(super) sprt: bool,
    /// Only scenarios that are new or read otherwise than where this branch left REV.
    #[arg(long, value_name = "REV")]
    pub(super) since: Option<String>,
    /// The file that each execution is written into [default: target/flake-history.jsonl].
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,
    /// Seed of the first order; a new one unless given.
    #[arg(long, value_name = "S", value_parser = parse_seed, allow_hyphen_values = true)]
    pub(super) seed: Option<u64>,
    /// Run in these surroundings alone, as the output names them.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub(super) environment: Option<Environment>,
    /// The program under test, instead of building it.
    #[arg(long, value_name = "PATH")]
    pub(super) bin: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct OutArgs {
    /// The output folder [default: target/acceptance in the root of the checkout].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl OutArgs {
    /// That folder: one that is given is one from here.
    pub(super) fn folder(&self, project: &Project) -> PathBuf {
        folder(project, self.out.as_deref(), DEFAULT_OUT)
    }

    /// The same as it was typed.
    pub(super) fn shown(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| DEFAULT_OUT.into())
    }
}

/// A folder from here, or that of the root where none is given.
fn folder(project: &Project, given: Option<&Path>, default: &str) -> PathBuf {
    given.map_or_else(|| project.root.join(default), |given| project.resolve(given))
}

/// Which results are meant, and what they have to be about.
#[derive(Debug, Args)]
pub(super) struct ResultArgs {
    #[command(flatten)]
    pub(super) out: OutArgs,
    /// The program that the results have to be about, instead of the one that is built.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// The history of flakes that is counted [default: target/flake-history.jsonl].
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    #[command(flatten)]
    pub(super) day: DayArgs,
}

/// The day that deadlines are compared with and reviews are dated by.
#[derive(Debug, Args)]
pub(super) struct DayArgs {
    /// The day to judge by, for example 2026-01-31; today in UTC unless given.
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
}

impl DayArgs {
    /// That day.
    pub(super) fn date(&self) -> Date {
        self.today.unwrap_or_else(today)
    }
}

/// Today in UTC.
pub(super) fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

impl ResultArgs {
    /// SHA-256 of that program; none where none is built.
    pub(super) fn binary_digest(&self, project: &Project) -> Result<Option<String>, CliError> {
        match &self.bin {
            None => Ok(Program::built_digest()),
            Some(path) => Ok(Some(Program::digest(&project.resolve(path))?)),
        }
    }

    /// The history of flakes: one that is given is one from here.
    pub(super) fn history(&self, project: &Project) -> PathBuf {
        self.history.as_ref().map_or_else(|| history::default_path(project), |path| project.resolve(path))
    }
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
}

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Feature files or folders.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Scenarios at a time; twice the number of processors unless given.
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true)]
    pub(super) jobs: Option<NonZeroUsize>,
    /// The program under test, instead of building it.
    #[arg(long, value_name = "PATH")]
    pub(super) bin: Option<PathBuf>,
    /// The output folder of its runs [default: target/acceptance-watch in the root of the checkout].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl WatchArgs {
    /// The output folder.
    pub(super) fn folder(&self, project: &Project) -> PathBuf {
        folder(project, self.out.as_deref(), "target/acceptance-watch")
    }
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, and clap keeps them apart"
)]
pub(super) struct StepsArgs {
    /// Only steps in whose expression or description this text occurs; if in none, those in which all of its words do.
    #[arg(value_name = "SEARCH")]
    pub(super) search: Option<String>,
    /// Only steps that no feature uses.
    #[arg(long, conflicts_with = "slow")]
    pub(super) unused: bool,
    /// The steps of the last run, those first that took longest in the mean.
    #[arg(long)]
    pub(super) slow: bool,
    #[command(flatten)]
    pub(super) out: OutArgs,
    /// Write docs/steps.md.
    #[arg(long, conflicts_with_all = ["search", "unused", "slow", "check"])]
    pub(super) write: bool,
    /// Write nothing; fail if docs/steps.md is not up to date.
    #[arg(long, conflicts_with_all = ["search", "unused", "slow"])]
    pub(super) check: bool,
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The goal, for example G0.5.
    #[arg(value_name = "GOAL")]
    pub(super) goal: GoalId,
}

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// Feature files or folders.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Write nothing; print what would change, and fail if anything would.
    #[arg(long)]
    pub(super) check: bool,
}

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// Feature files or folders.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Mend what can be mended without knowing what was meant: layout, and tags that say nothing new.
    #[arg(long)]
    pub(super) fix: bool,
    /// How to print the problems.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub(super) format: LintFormat,
}

/// How problems are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LintFormat {
    /// For people, on standard error.
    Text,
    /// One document, as with --json.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands, which GitHub shows at their lines.
    Github,
}

#[derive(Debug, Args)]
pub(super) struct MatrixArgs {
    /// Write nothing; fail if one of the two pages is not up to date.
    #[arg(long)]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) result: ResultArgs,
}

#[derive(Debug, Args)]
pub(super) struct GateArgs {
    /// What is required: local, nightly, ci or release.
    #[arg(long, value_name = "PROFILE", default_value = "local", value_parser = parse_profile)]
    pub(super) profile: ProfileName,
    #[command(flatten)]
    pub(super) result: ResultArgs,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// What is required: local, nightly, ci or release.
    #[arg(long, value_name = "PROFILE", default_value = "local", value_parser = parse_profile)]
    pub(super) profile: ProfileName,
    /// What to print besides.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub(super) format: ReportFormat,
    /// Show the page in the browser.
    #[arg(long)]
    pub(super) open: bool,
    #[command(flatten)]
    pub(super) result: ResultArgs,
}

/// What the command for reports prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// Where the page is, on standard error.
    Text,
    /// Workflow commands for what is red, which GitHub shows at their lines.
    Github,
}

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// The goals that were reviewed, for example G0.1.
    #[arg(value_name = "GOAL", required = true)]
    pub(super) goals: Vec<GoalId>,
    /// Who reviewed them; the git user unless given.
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,
    /// Show what changed since the last review, and record nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) day: DayArgs,
}

#[derive(Debug, Args)]
pub(super) struct ImpactArgs {
    /// What to compare with: a commit, branch or tag. Uncommitted changes count as changes.
    #[arg(long, value_name = "REV")]
    pub(super) since: String,
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The output folders of the runs.
    #[arg(value_name = "DIR", required = true)]
    pub(super) folders: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) out: OutArgs,
}

#[derive(Debug, Args)]
pub(super) struct SabotageArgs {
    /// Only the saboteurs of this goal.
    #[arg(long, value_name = "GOAL")]
    pub(super) goal: Option<GoalId>,
    /// Only this saboteur.
    #[arg(long, value_name = "NAME")]
    pub(super) only: Option<String>,
    /// Scenarios at a time; twice the number of processors unless given.
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true)]
    pub(super) jobs: Option<NonZeroUsize>,
    /// A program built with the feature saboteur, instead of building it.
    #[arg(long, value_name = "PATH")]
    pub(super) bin: Option<PathBuf>,
    #[command(flatten)]
    pub(super) out: OutArgs,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Only figures in whose name one of these texts occurs, for example plan or logs/10000.
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// Fewer rounds and no instructions, for a first look; the gate does not accept it.
    #[arg(long)]
    pub(super) quick: bool,
    /// Write what is measured as the new baselines of this class of machine.
    #[arg(long, conflicts_with = "quick")]
    pub(super) save: bool,
    /// The file of baselines, instead of traceability/bench.yaml.
    #[arg(long, value_name = "FILE")]
    pub(super) baselines: Option<PathBuf>,
    /// The program to measure, instead of building one in the profile perf.
    #[arg(long, value_name = "PATH")]
    pub(super) bin: Option<PathBuf>,
    #[command(flatten)]
    pub(super) out: OutArgs,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The program under test, instead of building it.
    #[arg(long, value_name = "PATH")]
    pub(super) bin: Option<PathBuf>,
}

fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a seed is a whole number from 0, for example 7".to_owned())
}

fn parse_count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "write a whole number from 1, for example 4".to_owned())
}

fn parse_world(text: &str) -> Result<Lane, String> {
    Lane::of(text).ok_or_else(|| "the worlds are mock and docker".to_owned())
}

fn parse_profile(text: &str) -> Result<ProfileName, String> {
    ProfileName::ALL
        .into_iter()
        .find(|profile| profile.name() == text)
        .ok_or_else(|| format!("the profiles are {}", ProfileName::ALL.map(ProfileName::name).join(", ")))
}

/// The command that a word was meant as, where one is near.
pub(super) fn command_like(word: &str) -> Option<String> {
    let program = Cli::command();
    let names = program.get_subcommands().map(clap::Command::get_name);
    did_you_mean(word, names).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
