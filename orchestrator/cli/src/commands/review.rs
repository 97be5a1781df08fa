//! `mycelium review`: what a human does with work that waits.

use mycelium_engine::{
    logs,
    project::Project,
    review::{self, Decided, Decision},
    store,
};
use mycelium_schemas::{
    answer::{ReviewAnswer, TaskShown, WaitingList},
    id::TaskId,
    state::{RunStatus, RunView, TaskStatus},
};

use super::{Context, named_or_latest};
use crate::{
    args::{self, ReviewAction},
    error::CliError,
    exit::Exit,
    render,
};

/// Lists, shows or decides.
pub(crate) fn run(context: &Context, args: args::ReviewArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let Some(view) = named_or_latest(&project, args.run_id.as_ref())? else {
        let none = ReviewAnswer::List(WaitingList { run_id: None, waiting: Vec::new() });
        context.output.data(&none, || "no runs yet\n".to_owned())?;
        return Ok(Exit::Done);
    };
    match args.action.unwrap_or(ReviewAction::List) {
        ReviewAction::List => list(context, &project, &view),
        ReviewAction::Show { task } => show(context, &project, &view, &task),
        ReviewAction::Approve { task } => decide(context, &project, &view, &task, Decision::Approve),
        ReviewAction::Retry { task } => decide(context, &project, &view, &task, Decision::Retry),
        ReviewAction::Reject { task } => decide(context, &project, &view, &task, Decision::Reject),
    }
}

fn list(context: &Context, project: &Project, view: &RunView) -> Result<Exit, CliError> {
    let waiting = review::waiting(project, view);
    let (text, none) = (render::review::list(&waiting), waiting.is_empty());
    let undecided =
        waiting.iter().any(|task| matches!(task.status, TaskStatus::NeedsHumanReview | TaskStatus::Failed));
    let run_id = Some(view.run_id.clone());
    context.output.data(&ReviewAnswer::List(WaitingList { run_id, waiting }), || text)?;
    if none {
        let paths = store::RunPaths::new(project, &view.run_id);
        let waits = view.status == RunStatus::NeedsHumanReview;
        let stop = if waits { logs::last_stop(&paths)? } else { None };
        context.output.say(&match stop {
            Some(stop) => format!(
                "no task waits for a human, but run {} does ({}): {}",
                view.run_id, stop.stop_reason, stop.message
            ),
            None => format!("nothing of run {} waits for a human", view.run_id),
        });
    } else if !undecided {
        context.output.say(&format!("next: `mycelium resume --run-id {}` acts on it", view.run_id));
    } else {
        context.output.say("next: `mycelium review show TASK`, then approve, retry or reject it");
    }
    Ok(Exit::Done)
}

fn show(context: &Context, project: &Project, view: &RunView, id: &TaskId) -> Result<Exit, CliError> {
    let Some(task) = view.tasks.get(id) else {
        return Err(logs::no_such_task(view, id).into());
    };
    let paths = store::RunPaths::new(project, &view.run_id);
    let shown = TaskShown {
        run_id: view.run_id.clone(),
        task: id.clone(),
        state: task.clone(),
        attempt_dir: paths.attempt(id, task.attempts).display().to_string(),
    };
    let text = render::review::task(&shown, &paths.run_dir);
    context.output.data(&ReviewAnswer::Task(shown), || text)?;
    Ok(Exit::Done)
}

fn decide(
    context: &Context,
    project: &Project,
    view: &RunView,
    task: &TaskId,
    decision: Decision,
) -> Result<Exit, CliError> {
    let run_id = &view.run_id;
    let Decided { view, cut, blocking } =
        review::decide(project, &context.environment, run_id, task, decision)?;
    for line in cut.iter().filter_map(render::progress::line) {
        context.output.say(&line);
    }
    let paths = store::RunPaths::new(project, run_id);
    let run = paths.show(view);
    let text = render::state::text(&run);
    context.output.data(&ReviewAnswer::Decided(Box::new(run)), || text)?;
    context.output.say(&if blocking.is_empty() {
        format!("next: `mycelium resume --run-id {run_id}` acts on it")
    } else {
        let ids = render::ids(&blocking);
        format!(
            "gates still block {ids}: nothing lands until that is decided too; next: `mycelium review list --run-id {run_id}`"
        )
    });
    Ok(Exit::Done)
}
