//! `mycelium plan`: a description of the work becomes tasks.

use mycelium_engine::{
    planning::{self, PlanOutcome, PlanReport, PlanRequest},
    settings::Settings,
};
use serde_json::{Value, json};

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Plans and shows the batches.
pub(crate) fn run(context: &Context, args: args::PlanArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let settings = Settings::load(&project)?;
    let request = PlanRequest { input: args.input, dry_run: args.dry_run, force: args.force };
    let report = planning::plan(&project, &context.environment, &settings, &request)?;
    context.output.data(&document(&report), || render::plan::batches(&report.batches, &report.tasks))?;
    context.output.say(&match report.outcome {
        PlanOutcome::Written => {
            let tasks = project.display(&project.tasks_dir());
            format!("{} tasks written to {tasks}; next: `mycelium run`", report.tasks.len())
        }
        PlanOutcome::Unchanged => "the same tasks are planned already; nothing was written".to_owned(),
        PlanOutcome::DryRun => "nothing was written".to_owned(),
    });
    Ok(Exit::Done)
}

fn document(report: &PlanReport) -> Value {
    let outcome = match report.outcome {
        PlanOutcome::Written => "written",
        PlanOutcome::Unchanged => "unchanged",
        PlanOutcome::DryRun => "dry_run",
    };
    json!({ "outcome": outcome, "batches": report.batches, "tasks": report.tasks })
}
