//! `cargo crash-matrix`: makes the program die and fail at every place at which it can, lets it recover, and compares with
//! a run that nothing disturbed.
//!
//! Builds `mycelium` with its fault points in a target folder of its own, so that the ordinary program stays without.

mod cell;
mod check;
mod pool;
mod program;
mod report;
mod scene;
mod world;

use std::{env, path::PathBuf, process::ExitCode};

use clap::Parser;
use mycelium_fixtures::{FixtureError, containers::Containers};

/// Set to `1` it makes a machine without a container engine fail, instead of leaving the scene in containers out.
const REQUIRED: &str = "RUN_DOCKER_TESTS";

/// Makes mycelium die and fail at every fault point, lets it recover, and prints what came of it.
#[derive(Debug, Parser)]
#[command(name = "crash-matrix")]
struct Cli {
    /// A sample that takes a minute: each point once.
    #[arg(long)]
    quick: bool,
    /// Every fault at every passage of every point, which takes hours [default: passages spread over each scene].
    #[arg(long, conflicts_with = "quick")]
    every: bool,
    /// Cells at once [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Only cells whose name contains this text, for example `kill@ref.move`.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
    /// Keep the folders of red cells.
    #[arg(long)]
    keep: bool,
    /// A program built with the feature `faults` [default: it is built].
    #[arg(long, value_name = "FILE")]
    bin: Option<PathBuf>,
}

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
enum MatrixError {
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    #[error("could not {action} {}", path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot start cargo to build mycelium")]
    Cargo(#[source] std::io::Error),
    #[error("mycelium does not build with its fault points")]
    DoesNotBuild,
    #[error(
        "this crash-matrix does not stand in a cargo target folder, so it cannot build mycelium; give --bin FILE"
    )]
    NotInTarget,
    #[error("{} does not list its fault points; it was built without the feature `faults`", path.display())]
    NoPoints { path: PathBuf },
    #[error("there is no container engine for the scene in containers: {why}")]
    NoEngine { why: String },
    #[error("two places share the fault point {name}; give each a name of its own")]
    SharedPoint { name: String },
    #[error("the scene {scene} cannot be set up: `{command}` ends with {why}")]
    SetUp { scene: &'static str, command: String, why: String },
    #[error("without any fault the scene {scene} fails: {why}")]
    Undisturbed { scene: &'static str, why: String },
}

fn main() -> ExitCode {
    match matrix(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text.push_str(": ");
                text.push_str(&error.to_string());
                cause = error.source();
            }
            report::say(&format!("error: {text}"));
            ExitCode::from(4)
        }
    }
}

/// Whether every cell is green.
fn matrix(cli: &Cli) -> Result<bool, MatrixError> {
    let engine = match Containers::find() {
        Ok(engine) => Some(engine),
        Err(why) if env::var(REQUIRED).is_ok_and(|value| value == "1") => {
            return Err(MatrixError::NoEngine { why });
        }
        Err(why) => {
            report::say(&format!("NOT RUN  the scene in containers: {why}"));
            None
        }
    };
    let program = program::Program::take(cli.bin.clone(), engine)?;
    let depth = match (cli.quick, cli.every) {
        (true, _) => cell::Depth::Quick,
        (_, true) => cell::Depth::Every,
        _ => cell::Depth::Spread,
    };
    let plan = cell::Plan { depth, only: &cli.only };
    let jobs = cli.jobs.map_or_else(pool::processors, usize::from);
    let scenes = cell::undisturbed(&program, plan.only)?;
    let run = |cells: Vec<cell::Cell>, what: &str| {
        report::say(&format!("{} cells with {what}", cells.len()));
        pool::run(cells, jobs, |cell| {
            let tried = cell.run(&program, &scenes, cli.keep);
            if !tried.wrong.is_empty() {
                // The whole takes long: what is red is told at once.
                report::red(&tried);
            }
            tried
        })
    };
    let mut results = run(cell::first_faults(&program, &scenes, plan), "one fault");
    let mut more = cell::also_faults(&program, &scenes, &results, plan);
    more.extend(cell::second_faults(&program, &results, plan));
    results.extend(run(more, "two faults"));
    Ok(report::print(&program, &scenes, &results, plan))
}
