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
pub(crate) mod relay;
pub(crate) mod resume;
pub(crate) mod review;
pub(crate) mod run;
#[cfg(feature = "saboteur")]
pub(crate) mod saboteurs;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod version;

use mycelium_engine::{
    environment::Environment,
    project::{Locator, Project},
    redact::Redactor,
    settings::Settings,
    store,
};
use mycelium_schemas::{id::RunId, state::RunView};

use crate::{
    error::CliError,
    output::{self, Output},
};

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
    /// Finds the project. From here on its secrets are kept out of what is said.
    pub(crate) fn project(&self) -> Result<Project, CliError> {
        let project = Project::locate(&self.locator, &self.environment)?;
        output::keep_out(match Settings::load(&project) {
            Ok(settings) => Redactor::new(&settings.config, &self.environment).0,
            // Whoever needs the configuration says what is wrong with it; the shapes of keys are known without.
            Err(_) => Redactor::default(),
        });
        Ok(project)
    }
}

/// How the run stands that was named, or else the latest; none where there are no runs yet.
pub(crate) fn named_or_latest(
    project: &Project,
    run_id: Option<&RunId>,
) -> Result<Option<RunView>, CliError> {
    Ok(match run_id {
        Some(run_id) => Some(store::read_view(project, run_id)?),
        None => store::latest(project)?,
    })
}
