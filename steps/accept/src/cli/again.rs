//! The command that runs a scenario again, so that it can be typed where this one was.

use std::path::PathBuf;

use mycelium_reports::shell_word;

use super::project::Project;
use crate::runner::ScenarioResult;

/// What the command needs besides the scenario.
#[derive(Debug, Clone)]
pub(super) struct Again {
    project: Project,
    /// The program under test, where it was given.
    bin: Option<PathBuf>,
    seed: u64,
}

impl Again {
    /// Of a run with the program that was built.
    pub(super) fn new(project: &Project) -> Self {
        Self { project: project.clone(), bin: None, seed: 0 }
    }

    /// The same with a program that was given.
    pub(super) fn with(self, bin: Option<PathBuf>) -> Self {
        Self { bin, ..self }
    }

    /// The same in the order of a seed.
    pub(super) fn in_order(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// The command, each word quoted for a shell.
    pub(super) fn command(&self, scenario: &ScenarioResult) -> String {
        let place =
            format!("{}:{}", self.project.seen_from_here(&scenario.place.uri).display(), scenario.place.line);
        let bin = self.bin.as_ref().map(|bin| format!(" --bin {}", shell_word(&bin.to_string_lossy())));
        format!("cargo accept run {} --seed {}{}", shell_word(&place), self.seed, bin.unwrap_or_default())
    }
}
