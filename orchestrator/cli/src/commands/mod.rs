//! One file a command: arguments in, engine called, result rendered.

pub(crate) mod clean;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod doctor;
#[cfg(feature = "faults")]
pub(crate) mod fault_points;
pub(crate) mod init;
pub(crate) mod logs;
pub(crate) mod mock_agent;
pub(crate) mod plan;
pub(crate) mod resume;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod version;

use mycelium_engine::{
    environment::Environment,
    project::{Locator, Project},
};

use crate::{error::CliError, output::Output};

/// What every command has.
#[derive(Debug)]
pub(crate) struct Context {
    /// The process's environment.
    pub(crate) environment: Environment,
    /// Where to look for the project.
    pub(crate) locator: Locator,
    /// How to talk.
    pub(crate) output: Output,
}

impl Context {
    /// Finds the project.
    pub(crate) fn project(&self) -> Result<Project, CliError> {
        Ok(Project::locate(&self.locator, &self.environment)?)
    }
}
