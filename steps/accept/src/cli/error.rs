//! What can go wrong around a run, whose fault it is, and the exit code that says so.

use std::{error::Error, io, path::PathBuf};

use mycelium_reports::RenderError;
use mycelium_schemas::problem::Problem;
use mycelium_traceability::{CatalogueError, ReadProblem, ReviewError, flake};

use super::{
    bench::BenchError, evidence::EvidenceError, history::HistoryError, merge::MergeError, mutation,
    program::ProgramError, sabotage::SabotageError,
};
use crate::runner::{
    GoneError, LineError, LockError, RunError, VocabularyError, store::StoreError, suite::SuiteError,
};

/// The exit codes that are not those of a result.
pub(super) const BAD_INPUT: u8 = 2;
pub(super) const INTERNAL: u8 = 3;

/// A command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error("there is no command {0:?}; {1}")]
    UnknownCommand(String, String),
    #[error("no folder traceability/goals here or above; run this inside a checkout of the project")]
    NoProject,
    #[error("cannot {action} {path}")]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} would be passed over: goals stand in files *.yaml in traceability/goals itself; rename it, or move its files there", .0.display())]
    NotRead(PathBuf),
    #[error("{} is a link, and what it leads to has no history here: put the file or folder itself there", .0.display())]
    Link(PathBuf),
    #[error("traceability/ has {} problem(s):\n{}", .0.len(), list(.0))]
    Registry(Vec<Problem>),
    #[error(transparent)]
    Suite(#[from] SuiteError),
    #[error(transparent)]
    Line(#[from] LineError),
    #[error(transparent)]
    Gone(#[from] GoneError),
    #[error("the last run planned no scenario, so there is none to run again; see {0}")]
    NothingPlanned(PathBuf),
    #[error(
        "the results in {0} are of several worlds, and a run is in one of them; run what failed again by its place"
    )]
    SeveralLanes(PathBuf),
    #[error(
        "the last run was in the world {there}, so what it left is run again there; leave out --world {here}, or run it anew without --rerun"
    )]
    OtherLane { there: &'static str, here: &'static str },
    #[error("everything ran again and again the last time; give the folder of one repetition: --out {}", .0.join("1").display())]
    Repeated(PathBuf),
    #[error(
        "the last run did not come to its end, so there is no verdict; run it again, or what it left with --rerun ({0})"
    )]
    Died(PathBuf),
    #[error("the last run died before it had written what it would run; run it again without --rerun ({0})")]
    NoPlan(PathBuf),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the feature files do not parse; see accept lint")]
    Unparsed,
    #[error("the scenarios cannot be told apart")]
    Catalogue(#[from] CatalogueError),
    #[error("no program here shows {page}; open it yourself")]
    NoBrowser { page: PathBuf, source: io::Error },
    #[error("no results at {0}; run accept run first")]
    NoResults(PathBuf),
    #[error("{path} is not a whole stream of results:\n{}", lines(.problems))]
    BadResults { path: PathBuf, problems: Vec<ReadProblem> },
    #[error("the evidence of the results is not what was kept; run accept run again\n{}", lines(.0))]
    BadEvidence(Vec<EvidenceError>),
    #[error("{path} is no history of flakes")]
    BadHistory { path: PathBuf, source: flake::HistoryError },
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Sabotage(#[from] SabotageError),
    #[error(transparent)]
    Mutation(#[from] mutation::OtherVersion),
    #[error("cannot measure")]
    Bench(#[from] BenchError),
    #[error("{0} is no declared goal")]
    UnknownGoal(String),
    #[error("{goal} declares what no step asserts, and a review would lock that:\n{}", lines(.names))]
    Unmade { goal: String, names: Vec<String> },
    #[error("{goal} has a feature already, {}; nothing was written", path.display())]
    FeatureExists { goal: String, path: PathBuf },
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Review(#[from] ReviewError),
    #[error("nobody to record as the reviewer: give --by NAME, or set git's user.name")]
    NoReviewer,
    #[error("--by names nobody: whoever reviewed a goal stands in the file with a name")]
    BlankReviewer,
    #[error("the step library cannot be used")]
    Vocabulary(#[from] VocabularyError),
    #[error("the run could not be conducted")]
    Run(#[from] RunError),
    #[error("cannot run scenarios in a process of their own")]
    Supervise(#[source] io::Error),
    #[error("these runs cannot be merged")]
    Merge(#[from] MergeError),
    #[error("cannot render a report")]
    Render(#[from] RenderError),
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
}

impl CliError {
    /// The exit code.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Vocabulary(_) | Self::Run(_) | Self::Supervise(_) | Self::Render(_) | Self::Output(_) => {
                INTERNAL
            }
            _ => BAD_INPUT,
        }
    }

    /// The error with its causes, one a line.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            text = format!("{text}\n  because: {cause}");
            source = cause.source();
        }
        text
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Run(error.into())
    }
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{problem}\n   = {}", problem.help)).collect();
    lines.join("\n")
}

fn lines<T: ToString>(problems: &[T]) -> String {
    problems.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}
