//! `mycelium status`: how a run stands. Reads only.

use mycelium_engine::{planned, poll::Poll, project::Project, store};
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
    render,
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
    let mut shown: Option<RunView> = None;
    while view.status == RunStatus::Running {
        if let Some(table) = &table {
            table.show(&render::state::live(&view));
        } else if !output.json {
            output::text(&render::state::changes(shown.as_ref(), &view))?;
        }
        if let Some(signal) = poll.wait() {
            return Ok(Err(signal.into()));
        }
        let next = store::read_view(project, &view.run_id)?;
        shown = Some(std::mem::replace(&mut view, next));
    }
    if table.is_none() && !output.json {
        output::text(&render::state::changes(shown.as_ref(), &view))?;
    }
    Ok(Ok(view))
}
