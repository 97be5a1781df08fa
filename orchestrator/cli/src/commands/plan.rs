//! `mycelium plan`: a description of the work becomes tasks.

use mycelium_engine::{
    planning::{self, PlanRequest},
    settings::Settings,
};
use mycelium_schemas::answer::PlanOutcome;

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Plans and shows the batches.
pub(crate) fn run(context: &Context, args: args::PlanArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let settings = Settings::load(&project)?;
    let request = PlanRequest { input: args.input, dry_run: args.dry_run, force: args.force };
    let planned = planning::plan(&project, &context.environment, &settings, &request)?;
    context.output.data(&planned, || render::plan::batches(&planned.batches, &planned.tasks))?;
    context.output.say(&match planned.outcome {
        PlanOutcome::Written => {
            let tasks = project.display(&project.tasks_dir());
            format!("{} tasks written to {tasks}; next: `mycelium run`", planned.tasks.len())
        }
        PlanOutcome::Unchanged => "the same tasks are planned already; nothing was written".to_owned(),
        PlanOutcome::DryRun => "nothing was written".to_owned(),
    });
    Ok(Exit::Done)
}
