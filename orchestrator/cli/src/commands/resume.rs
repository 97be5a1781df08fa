//! `mycelium resume`: goes on with a run that was interrupted or waited for a human.

use mycelium_engine::{
    moved,
    resume::{self, Resumed},
    signals::Listening,
};
use mycelium_schemas::{
    answer::{NoRun, ResumeAnswer},
    event::{Event, EventKind},
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
        output.say("next: `mycelium run`");
        return Ok(Exit::Done);
    };
    let mut mended = false;
    let resumed = {
        let mut display = Progress::new(output);
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
