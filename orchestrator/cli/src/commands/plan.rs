//! `mycelium plan`: a description of the work becomes tasks.

use mycelium_engine::{
    planning::{self, PlanRequest},
    settings::Settings,
    signals::Listening,
};
use mycelium_schemas::answer::PlanOutcome;

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Plans and shows the batches.
pub(crate) fn run(context: &Context, args: args::PlanArgs) -> Result<Exit, CliError> {
    // Before anything is looked at: a signal from now on ends what is asked in order.
    let mut listening = Listening::begin()?;
    let project = context.project()?;
    let settings = Settings::load(&project)?;
    let request = PlanRequest { input: args.input, dry_run: args.dry_run, force: args.force };
    let planned = planning::plan(&project, &context.environment, &settings, &request, &mut listening)?;
    context.output.data(&planned, || match planned.outcome {
        PlanOutcome::DryRun => render::plan::table(&planned),
        PlanOutcome::Written | PlanOutcome::Unchanged => {
            render::plan::batches(&planned.batches, &planned.tasks)
        }
    })?;
    if let Some(asked) = &planned.asked {
        context.output.say(&render::plan::asked(asked));
    }
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
