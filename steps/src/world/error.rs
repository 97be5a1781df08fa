//! Why a step did not do or find what it says.

use std::{io, path::PathBuf};

use mycelium_fixtures::FixtureError;

/// A step failed.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The world was built outside the runner.
    #[error("no scenario runs on this thread: the world is built by `accept run` alone")]
    NoContext,
    /// The scenario's folder could not be made.
    #[error("cannot create the scenario's folder: {0}")]
    Scratch(io::Error),
    /// The lane of containers has no engine, and somebody asked for that to be a failure.
    #[error("RUN_DOCKER_TESTS=1 asks for the scenarios in containers, and there is no engine: {0}")]
    NoEngine(String),
    /// A step is about containers, in the lane that has none.
    #[error("there are no containers in this lane: tag the scenario @docker alone")]
    NoContainers,
    /// The scripted model cannot listen.
    #[error("the scripted model cannot listen: {0}")]
    Models(io::Error),
    /// A step is about a model, and no agent asks one.
    #[error("no agent asks a model: begin with `Given the agent is a scripted \"codex\"`")]
    NoModels,
    /// The container engine did not do what a step asked of it, or knows nothing of what it is about.
    #[error("{0}")]
    Engine(String),
    /// A step needs a repository.
    #[error("there is no repository yet: begin with `Given the repository \"toy-repo\"`")]
    NoRepository,
    /// The scenario sets up two repositories.
    #[error("the scenario has a repository already")]
    SecondRepository,
    /// A step compares with a second place.
    #[error("there is no second place: write `Given a second place like this one` before the first When")]
    NoSecondPlace,
    /// A step needs git, and the scenario's folder has none.
    #[error("the folder is not a git repository")]
    NoGit,
    /// A word for how a file is hidden from git that is none.
    #[error("{0:?} does not hide a file from git: write assume-unchanged or skip-worktree")]
    UnknownHiding(String),
    /// The integration branch of the fixture is gone.
    #[error("the integration branch does not exist")]
    NoBranch,
    /// A Then came before any When.
    #[error("nothing ran yet: a Then looks at what a When did")]
    NothingRan,
    /// A second command is started before the first one was waited for.
    #[error("a started command still runs: write `When the started command has ended` first")]
    StartedAlready,
    /// A step needs a command that runs.
    #[error("no started command runs: begin with `When I start \"mycelium run\"`")]
    NothingStarted,
    /// A command that only looks ended without printing what was waited for.
    #[error("the watching command ended before it printed {wanted:?}:\n{said}")]
    NeverPrinted {
        /// What was waited for.
        wanted: String,
        /// What it said instead.
        said: String,
    },
    /// The program under test has a bug, whatever a scenario expects: nothing can be said of what it left.
    #[error("`{line}` crashed or hung ({ending}):\n{stderr}")]
    Crashed {
        /// The command.
        line: String,
        /// How it ended.
        ending: String,
        /// What it said.
        stderr: String,
    },
    /// A command ended without meeting the scenario.
    #[error("the started command ended before any of its scripts came to {name:?}:\n{why}")]
    EndedEarly {
        /// The meeting.
        name: String,
        /// What the command said.
        why: String,
    },
    /// No run was created where one is looked at.
    #[error("there is no run to look at: no command of this scenario created one below {}", .0.display())]
    NoRun(PathBuf),
    /// The command line of a When cannot be run.
    #[error("cannot run {line:?}: {why}")]
    CommandLine {
        /// As the feature says it.
        line: String,
        /// Why not.
        why: &'static str,
    },
    /// A set-up command of a Given failed.
    #[error("setting up with `{line}` failed ({ending}):\n{stderr}")]
    SetUp {
        /// The command.
        line: String,
        /// How it ended.
        ending: String,
        /// What it said.
        stderr: String,
    },
    /// A command of the runbook that is to mend did not.
    #[error("mending with `{line}` failed ({ending}):\n{stderr}")]
    Mend {
        /// The command.
        line: String,
        /// How it ended.
        ending: String,
        /// What it said.
        stderr: String,
    },
    /// A table or doc string is not what the step takes.
    #[error("{0}")]
    Argument(String),
    /// An artifact is not what its schema says.
    #[error("{} is not valid: {why}", path.display())]
    Artifact {
        /// The artifact.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// An assertion did not hold.
    #[error("{subject}\n  looked at: {artifact}\n{diff}")]
    Mismatch {
        /// What it was about.
        subject: String,
        /// What it read.
        artifact: String,
        /// Expected and found.
        diff: String,
    },
    /// The machine cannot do what the scenario needs.
    #[error("this machine cannot run the scenario: {0}")]
    NotHere(String),
    /// A fixture could not be set up, run or read.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
}
