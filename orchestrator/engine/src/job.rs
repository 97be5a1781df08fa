//! A command to run, wherever it runs: what it is, its limits, and how it ended (design 3.4).

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use mycelium_schemas::event::{EventKind, ExitReason};
use rustix::process::Signal;
use tokio::{sync::watch, time::Instant};

use crate::{agent::AttemptKey, error::Error, redact::Redactor};

/// How long a process group may take to end after it was asked to.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// The signal that a command cannot answer.
pub(crate) const KILL: i32 = Signal::KILL.as_raw();
/// How often a command that judges is run again, where somebody ended its container: the work that it judges cannot help it.
pub(crate) const AGAIN_MAX: u32 = 2;

/// How urgently running commands must end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// They need not.
    #[default]
    None,
    /// They are asked to, and made to after a grace period.
    Graceful,
    /// They are made to.
    AtOnce,
}

/// What a command is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Splits the work into tasks.
    Planner,
    /// Says which version of an agent it is.
    Version,
    /// Looks for programs in the image.
    Look,
    /// Makes a fresh workspace ready.
    Bootstrap,
    /// Does the task.
    Agent,
    /// The task's own check.
    Verify,
    /// Judges the work.
    Validator,
    /// Decides whether a candidate may land.
    Doctor,
}

impl Purpose {
    /// Its name in labels and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Version => "version",
            Self::Look => "look",
            Self::Bootstrap => "bootstrap",
            Self::Agent => "agent",
            Self::Verify => "verify",
            Self::Validator => "validator",
            Self::Doctor => "doctor",
        }
    }
}

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A command for `sh`.
    Shell(String),
    /// A program of this machine, with arguments.
    Found {
        /// Where it lies.
        path: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
    /// This very program, with an argument.
    Own {
        /// Where it lies.
        path: PathBuf,
        /// Its hidden command.
        command: &'static str,
    },
    /// A script, by the interpreter that its first line names.
    Script(PathBuf),
}

/// A command to run.
#[derive(Debug)]
pub struct Job {
    /// What for.
    pub purpose: Purpose,
    /// The attempt that it is a part of; none for the doctor.
    pub attempt: Option<AttemptKey>,
    /// The program.
    pub program: Program,
    /// Its working directory, on this machine: a workspace.
    pub cwd: PathBuf,
    /// Its environment, beside what every command gets.
    pub env: BTreeMap<String, String>,
    /// Files of this machine that it may read, by the variables that tell it where they are.
    pub files: Vec<(&'static str, PathBuf)>,
    /// Written to its standard input, which is then closed.
    pub stdin: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
    /// How long it may be silent; none for as long as it takes.
    pub idle_timeout: Option<Duration>,
    /// How long it may take until it gives its first sign of life; none for as long as it takes.
    pub first_event_timeout: Option<Duration>,
    /// How it reaches its model from a container; none where it asks none.
    pub relay: Option<Relay>,
    /// The signal that asks it to end.
    pub stop_signal: Signal,
    /// Where its output is kept, both streams as they come.
    pub log: PathBuf,
    /// Keeps secrets out of that.
    pub redactor: Redactor,
}

/// The way from a container to the run's model gateway, and what else an agent needs there.
#[derive(Debug, Clone)]
pub struct Relay {
    /// This very program, which is the relay.
    pub program: PathBuf,
    /// The folder of this machine that the gateway's socket lies in.
    pub gateway: PathBuf,
    /// The agent's own folder on this machine.
    pub home: PathBuf,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Exit {
    /// Why.
    pub reason: ExitReason,
    /// Where it exited by itself.
    pub code: Option<i32>,
    /// Where a signal ended it.
    pub signal: Option<i32>,
    /// By the monotonic clock.
    pub duration: Duration,
    /// What could not be started, for [`ExitReason::NotStarted`].
    pub detail: Option<String>,
    /// Why what it left in its workspace could not be carried here, where that is so.
    pub left: Option<String>,
}

impl Exit {
    /// Of what could not be started, and why.
    pub(crate) fn not_started(detail: String, duration: Duration) -> Self {
        let (reason, detail) = (ExitReason::NotStarted, Some(detail));
        Self { reason, code: None, signal: None, duration, detail, left: None }
    }

    /// True if it exited by itself with code 0, and its work is here.
    pub fn is_success(&self) -> bool {
        self.reason == ExitReason::Exited && self.code == Some(0) && self.left.is_none()
    }

    /// Whether something ended it from outside that is neither a limit of its own nor a stop: as far as anybody can tell.
    pub(crate) fn was_killed(&self) -> bool {
        self.reason == ExitReason::Signaled && self.signal == Some(KILL)
    }

    /// What happened, as a sentence fragment after the command's name.
    pub fn describe(&self) -> String {
        if let Some(why) = &self.left {
            return format!("left a workspace that cannot be carried here: {why}");
        }
        match (self.reason, self.code, self.signal) {
            (ExitReason::Exited, Some(code), _) => format!("exited with {code}"),
            (ExitReason::Lingered, ..) => "had said that it was done, and stayed".to_owned(),
            (ExitReason::OutOfMemory, ..) => "needed more memory than `docker.memory_mb` allows".to_owned(),
            (ExitReason::Timeout, ..) => "ran into its time limit".to_owned(),
            (ExitReason::IdleTimeout, ..) => "was silent for too long".to_owned(),
            (ExitReason::FirstEventTimeout, ..) => "said nothing after it was started".to_owned(),
            (ExitReason::Stopped, ..) => "was stopped".to_owned(),
            (ExitReason::NotStarted, ..) => {
                format!("could not be started: {}", self.detail.as_deref().unwrap_or("unknown reason"))
            }
            (_, _, Some(signal)) => format!("was ended by signal {signal}"),
            _ => "ended in an unknown way".to_owned(),
        }
    }
}

/// What a running command reports.
pub trait Watcher {
    /// It was started; with its process id where it runs on this machine.
    fn started(&mut self, _: Option<u32>) {}

    /// It printed a whole line on standard output, given without its end.
    fn line(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    /// It printed a line that is too long to be looked at and is only in the log.
    fn too_long(&mut self) {}

    /// What it printed first is gone: nobody read it while it was there.
    fn lost(&mut self) {}

    /// It printed something on standard error.
    fn error_output(&mut self, _: &[u8]) {}

    /// Whether it has said that it is done, and should end.
    fn has_ended(&self) -> bool {
        false
    }

    /// Whether it has given a sign of life since it was started.
    fn has_begun(&self) -> bool {
        true
    }

    /// When it last gave a sign of life elsewhere than in its output.
    fn sign_of_life(&self) -> Option<Instant> {
        None
    }

    /// Something became of its container, told as the event that says so.
    fn container(&mut self, _: EventKind) {}
}

/// A watcher that ignores everything.
#[derive(Debug)]
pub struct Ignore;

impl Watcher for Ignore {}

/// Waits for a stop that matters: the first one, then only the urgent one.
pub(crate) async fn stopped(stop: &mut watch::Receiver<StopLevel>, ending: bool) -> StopLevel {
    let least = if ending { StopLevel::AtOnce } else { StopLevel::Graceful };
    // Copied at once: the guard must not live across an await.
    let level = stop.wait_for(|level| *level >= least).await.map(|level| *level);
    match level {
        Ok(level) => level,
        // Nobody can ask any more: the limits still hold.
        Err(_) => std::future::pending().await,
    }
}
