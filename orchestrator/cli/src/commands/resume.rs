//! `mycelium resume`: goes on with a run that was interrupted or waited for a human.

use mycelium_engine::{
    moved,
    project::Project,
    resume::{self, Resumed},
    review,
    signals::Listening,
    store,
};
use mycelium_schemas::{
    answer::{NoRun, ResumeAnswer},
    event::{Event, EventKind},
    state::{RunStatus, RunView},
};

use super::{
    Context,
    run::{finish, say_unfinished},
};
use crate::{args, display::Progress, error::CliError, exit::Exit};

/// Goes on with the run that was named, or the latest unfinished one. A finished run is left as it is.
pub(crate) fn run(context: &Context, args: &args::ResumeArgs) -> Result<Exit, CliError> {
    // Before anything is looked at: a signal from now on stops the run in order.
    let listening = Listening::begin()?;
    let project = context.project()?;
    let output = context.output;
    let Some(run_id) = resume::find(&project, args.run_id.as_ref())? else {
        let none =
            ResumeAnswer::NothingToResume(NoRun { run_id: (), project: project.name.clone(), status: () });
        output.data(&none, || "no run to resume\n".to_owned())?;
        resume::unfinished(&project)?.iter().for_each(|run| say_unfinished(output, run));
        for moved in moved::unfinished(&project)? {
            let command = moved.command();
            output.say(&format!("{moved}, which is gone: if it was this one, go on with {command}"));
        }
        // As if it had been named: a run that failed is no success to whoever asks for it.
        let latest = store::list_runs(&project)?.pop();
        return Ok(if let Some(view) = latest.filter(|view| view.status == RunStatus::Failed) {
            output.say(&decide_first(&project, &view));
            Exit::of_run(view.status, view.stop_reason, None)
        } else {
            output.say("next: `mycelium run`");
            Exit::Done
        });
    };
    let mut mended = false;
    let resumed = {
        // Where it cannot be read, going on says why.
        let before = store::read_view(&project, &run_id).ok();
        let mut display = Progress::new(output, before.as_ref());
        let mut progress = |event: &Event| {
            mended |= matches!(event.kind, EventKind::JournalTruncated(_));
            display.event(event);
        };
        resume::resume(&project, &context.environment, &run_id, listening, &mut progress)?
    };
    match resumed {
        Resumed::WentOn(report) => finish(output, report, ResumeAnswer::Ended),
        Resumed::Ended(report) => {
            let changed = if mended { "nothing else was changed" } else { "nothing was changed" };
            output.say(&format!("run {run_id} is {}; {changed}", report.view.status));
            finish(output, report, ResumeAnswer::Ended)
        }
    }
}

/// Nothing of a failed run goes on until a human has decided about what stands in its way.
fn decide_first(project: &Project, view: &RunView) -> String {
    let waiting = review::waiting(project, view);
    let tasks: Vec<String> = waiting.iter().map(|task| format!("{} ({})", task.task, task.status)).collect();
    format!(
        "run {run} failed and goes on once a human has decided about {tasks}\n\
         next: `mycelium review list --run-id {run}`, then approve, retry or reject, then `mycelium resume`",
        run = view.run_id,
        tasks = tasks.join(", "),
    )
}
