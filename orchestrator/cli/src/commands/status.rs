//! `mycelium status`: how a run stands. Reads only.

use mycelium_engine::{project::Project, store};
use mycelium_schemas::state::RunView;
use serde_json::json;

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Shows the run that was named, or the latest.
pub(crate) fn run(context: &Context, args: &args::StatusArgs) -> Result<Exit, CliError> {
    if args.watch {
        return Err(CliError::Unavailable { what: "`status --watch`" });
    }
    let project = context.project()?;
    let output = context.output;
    let Some(view) = find(&project, args)? else {
        let none = json!({ "run_id": null, "project": project.name, "status": null });
        output.data(&none, || "no runs yet\n".to_owned())?;
        output.say("next: `mycelium plan --input FILE`, then `mycelium run`");
        return Ok(Exit::Done);
    };
    let paths = store::RunPaths::new(&project, &view.run_id);
    output.data(&render::state::Document::new(&view, &paths), || render::state::text(&view, &paths))?;
    Ok(Exit::Done)
}

fn find(project: &Project, args: &args::StatusArgs) -> Result<Option<RunView>, CliError> {
    Ok(match &args.run_id {
        Some(run_id) => Some(store::read_view(project, run_id)?),
        None => store::list_runs(project)?.pop(),
    })
}
