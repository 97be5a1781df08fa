//! The command that runs a scenario again, so that it can be typed where this one was.

use std::path::PathBuf;

use mycelium_reports::shell_word;

use super::project::Project;
use crate::{context::Lane, runner::ScenarioResult};

/// What the command needs besides the scenario.
#[derive(Debug, Clone)]
pub(super) struct Again {
    project: Project,
    /// The program under test, where it was given.
    bin: Option<PathBuf>,
    lane: Lane,
    seed: u64,
}

impl Again {
    /// Of a run with the program that was built.
    pub(super) fn new(project: &Project) -> Self {
        Self { project: project.clone(), bin: None, lane: Lane::Mock, seed: 0 }
    }

    /// The same with a program that was given.
    pub(super) fn with(self, bin: Option<PathBuf>) -> Self {
        Self { bin, ..self }
    }

    /// The same in a lane, in the order of a seed.
    pub(super) fn of_run(&self, lane: Lane, seed: u64) -> Self {
        Self { lane, seed, ..self.clone() }
    }

    /// The command, each word quoted for a shell.
    pub(super) fn command(&self, scenario: &ScenarioResult) -> String {
        let place =
            format!("{}:{}", self.project.seen_from_here(&scenario.place.uri).display(), scenario.place.line);
        let world = world_option(self.lane);
        let bin = self.bin.as_ref().map(|bin| format!(" --bin {}", shell_word(&bin.to_string_lossy())));
        let (place, bin) = (shell_word(&place), bin.unwrap_or_default());
        format!("cargo accept run {place}{world} --seed {}{bin}", self.seed)
    }
}

/// What chooses a lane on the command line; nothing for the one that is chosen without it.
pub(super) fn world_option(lane: Lane) -> String {
    if lane == Lane::Mock { String::new() } else { format!(" --world {}", lane.as_str()) }
}
