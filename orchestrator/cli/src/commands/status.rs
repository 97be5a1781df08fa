//! `mycelium status`: how a run stands. Reads only.

use mycelium_engine::{live::LiveReader, planned, poll::Poll, project::Project, store};
use mycelium_schemas::{
    answer::{NoRun, StatusAnswer},
    state::{RunStatus, RunView},
};

use super::{Context, named_or_latest};
use crate::{
    args,
    display::Table,
    error::CliError,
    exit::Exit,
    output::{self, Output},
    render::{self, state::Seen},
};

/// Shows the run that was named, or the latest; with `--watch` until it ends.
pub(crate) fn run(context: &Context, args: &args::StatusArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let output = context.output;
    let Some(view) = named_or_latest(&project, args.run_id.as_ref())? else {
        let planned = planned::account(&project);
        let none = StatusAnswer::NoRuns(NoRun { run_id: (), project: project.name, status: () });
        output.data(&none, || "no runs yet\n".to_owned())?;
        if let Some(planned) = planned {
            output.say(&render::plan::asked(&planned));
            output.say("next: `mycelium run`");
            return Ok(Exit::Done);
        }
        output.say("next: `mycelium plan --input FILE`, then `mycelium run`");
        return Ok(Exit::Done);
    };
    let view = if args.watch {
        match watch(&project, output, view)? {
            Ok(view) => view,
            Err(exit) => return Ok(exit),
        }
    } else {
        view
    };
    let paths = store::RunPaths::new(&project, &view.run_id);
    let run = paths.show(view);
    let text = render::state::text(&run);
    output.data(&StatusAnswer::Stands(Box::new(run)), || text)?;
    Ok(Exit::Done)
}

/// Shows the run until it ends, and gives how it stands then, or how the command ends where a signal came first.
fn watch(project: &Project, output: Output, mut view: RunView) -> Result<Result<RunView, Exit>, CliError> {
    let mut poll = Poll::new()?;
    let table = Table::on_terminal(output);
    let mut reader = LiveReader::new(&store::RunPaths::new(project, &view.run_id));
    let mut shown: Option<Seen> = None;
    loop {
        let seen = Seen { live: reader.look(&view), view };
        let is_running = seen.view.status == RunStatus::Running;
        match &table {
            Some(table) if is_running => table.show(&render::state::live(&seen)),
            Some(_) => {}
            None if output.json => {}
            None => output::text(&render::state::changes(shown.as_ref(), &seen))?,
        }
        if !is_running {
            return Ok(Ok(seen.view));
        }
        if let Some(signal) = poll.wait() {
            return Ok(Err(signal.into()));
        }
        view = store::read_view(project, &seen.view.run_id)?;
        shown = Some(seen);
    }
}
