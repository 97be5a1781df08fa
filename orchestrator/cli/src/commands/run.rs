//! `mycelium run`: the planned tasks are run and what passes every gate lands.

use std::collections::BTreeSet;

use mycelium_engine::{
    advice,
    resume::Unfinished,
    run::RunReport,
    signals::Listening,
    start::{Ready, RunRequest},
};
use mycelium_schemas::{
    answer::{DryRun, NothingToDo, RunAnswer, RunShown},
    event::Event,
    state::{RunStatus, TaskStatus},
};
use serde::Serialize;

use super::Context;
use crate::{
    args,
    display::Progress,
    error::CliError,
    exit::Exit,
    output::{self, Output},
    render,
};

/// Runs to the end, with progress on standard error and the state at the end on standard output.
pub(crate) fn run(context: &Context, args: args::RunArgs) -> Result<Exit, CliError> {
    // Before anything is looked at: a signal from now on stops the run in order.
    let mut listening = Listening::begin()?;
    let project = context.project()?;
    let request = RunRequest {
        run_id: args.run_id,
        tasks: args.tasks.unwrap_or_default(),
        max_parallel: args.max_parallel,
        world: args.world.into(),
    };
    let ready = Ready::check(&project, &context.environment, &request, &mut listening)?;
    for (task, run) in ready.landed_before() {
        context.output.say(&format!(
            "task {task}: landed already, in run {run}; name it with --tasks to have it done again"
        ));
    }
    ready.unfinished().iter().for_each(|run| say_unfinished(context.output, run));
    if ready.is_done() {
        let landed_before = ready.landed_before().clone();
        let done = RunAnswer::NothingToDo(NothingToDo { run_id: (), landed_before });
        context.output.data(&done, || "nothing to do: every planned task has landed\n".to_owned())?;
        return Ok(Exit::Done);
    }
    if args.dry_run {
        let batches = ready.batches();
        let text = render::plan::batches(&batches, &[]);
        context.output.data(&RunAnswer::DryRun(DryRun { batches }), || text)?;
        context.output.say("nothing was run");
        return Ok(Exit::Done);
    }
    let output = context.output;
    let report = {
        let mut display = Progress::new(output, None);
        let mut progress = |event: &Event| display.event(event);
        ready.run(&project, &context.environment, listening, &mut progress)?
    };
    finish(output, report, RunAnswer::Ran)
}

/// Says of an earlier run that it has not ended, and what to do with it.
pub(super) fn say_unfinished(output: Output, run: &Unfinished) {
    let id = &run.view.run_id;
    output.say(&match &run.superseded {
        Some(why) => {
            format!("run {id} is unfinished: {why}; `mycelium clean --run-id {id} --force` removes it")
        }
        None => format!(
            "run {id} is unfinished ({}) since {}; `mycelium resume --run-id {id}` continues it",
            run.view.status, run.view.updated_at
        ),
    });
}

/// Shows how a run ended, as the answer that the command makes of it, and says what to do next.
pub(super) fn finish<T: Serialize>(
    output: Output,
    report: RunReport,
    answer: fn(Box<RunShown>) -> T,
) -> Result<Exit, CliError> {
    let RunReport { view, paths, signal, failure } = report;
    // That nobody reads the result any more does not change it.
    let run = paths.show(view.clone());
    let text = render::state::text(&run);
    let shown = output.data(&answer(Box::new(run)), || text);
    let waiting = view.tasks.iter().filter(|(_, task)| task.status == TaskStatus::NeedsHumanReview);
    let waiting = render::ids(waiting.map(|(id, _)| id));
    match view.status {
        RunStatus::Complete => output.say("every task landed"),
        RunStatus::Failed | RunStatus::NeedsHumanReview => {
            output.say(&format!("next: read the reasons above and the logs below {}", paths.tasks.display()));
            let failed = view.tasks.values().filter(|task| task.status == TaskStatus::Failed);
            let reasons = failed.filter_map(|task| advice::agent(&task.reasons.last()?.message));
            reasons
                .collect::<BTreeSet<_>>()
                .into_iter()
                .for_each(|advice| output.say(&format!("next: {advice}")));
            if !waiting.is_empty() {
                output.say(&format!(
                    "tasks that wait for a human: {waiting}; see `mycelium review list --run-id {}`",
                    view.run_id
                ));
            }
        }
        RunStatus::Interrupted | RunStatus::Running => {
            output.say(&format!("next: `mycelium resume --run-id {}`", view.run_id));
        }
    }
    let exit = match failure {
        None => Exit::of_run(view.status, view.stop_reason, signal),
        Some(failure) => {
            // The state is on standard output already; this is for people.
            let error = CliError::from(failure);
            output::complain(&render::error::text(&error, render::problem::Paint(output.color)));
            if error.exit() == Exit::Bug { Exit::Bug } else { Exit::Environment }
        }
    };
    if exit == Exit::Done {
        shown?;
    }
    Ok(exit)
}
