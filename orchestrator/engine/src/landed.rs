//! What the runs of a project have landed: so that no run does what another one did.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_core::plan::Plan;
use mycelium_schemas::{
    id::{CommitId, RunId, TaskId},
    manifest::{Manifest, PlannedTask},
    state::{RunView, TaskState, TaskStatus},
};

use crate::{error::Error, git::Upstream, project::Project, resume::frozen_plan, store::RunPaths};

/// What earlier runs of the project landed, where the task is planned now as it was then and the branch still has it.
pub(crate) fn landed_before(
    project: &Project,
    runs: &[RunView],
    plan: &Plan,
    upstream: &Upstream,
    head: &CommitId,
) -> Result<BTreeMap<TaskId, RunId>, Error> {
    let mut landed = Vec::new();
    for view in runs {
        let is_same =
            |id: &TaskId, then: &PlannedTask| plan.get(id).is_some_and(|now| is_same_task(now, then));
        landed.extend(landed_by(project, view, is_same));
    }
    let outside = outside(upstream, &landed, head)?;
    landed.retain(|landing| !outside.contains(landing.commit));
    Ok(by_task(&landed))
}

/// Refuses a run, checked where the branch was before, that would do what another one has landed on it since.
pub(crate) fn refuse_landed_since(
    project: &Project,
    runs: &[RunView],
    plan: &Plan,
    upstream: &Upstream,
    [then, now]: [&CommitId; 2],
) -> Result<(), Error> {
    let before = landed_before(project, runs, plan, upstream, then)?;
    let mut since = landed_before(project, runs, plan, upstream, now)?;
    since.retain(|task, run| before.get(task) != Some(run));
    if since.is_empty() {
        return Ok(());
    }
    let tasks = since.iter().map(|(task, run)| format!("task {task} in run {run}")).collect::<Vec<_>>();
    Err(Error::Request {
        message: format!("another run has just landed: {}", tasks.join(", ")),
        help: "start again: what is left is done then".to_owned(),
    })
}

/// Refuses a run of which other runs have landed tasks since it began that it has not landed itself: going on with it
/// would do them twice.
pub(crate) fn refuse_superseded(
    project: &Project,
    runs: &[RunView],
    run: &RunView,
    upstream: &Upstream,
) -> Result<(), Error> {
    // A run without its plan cannot go on; whoever tries says so.
    let Ok(plan) = frozen_plan(&RunPaths::new(project, &run.run_id)) else { return Ok(()) };
    let branch = upstream.branch(&run.integration_branch)?;
    let Some(head) = upstream.find_head(&branch)? else { return Ok(()) };
    let is_open = |id: &TaskId| run.tasks.get(id).is_some_and(|task| task.status != TaskStatus::Landed);
    let mut landed = Vec::new();
    for other in runs.iter().filter(|other| other.run_id != run.run_id) {
        landed.extend(landed_by(project, other, |id, theirs| {
            // Either may have been widened.
            let same = |ours| is_same_task(ours, theirs) || is_same_task(theirs, ours);
            is_open(id) && plan.get(id).is_some_and(same)
        }));
    }
    // What was there when the run began is done again because somebody asked for it.
    let since = outside(upstream, &landed, &run.base_commit)?;
    landed.retain(|landing| since.contains(landing.commit));
    let gone = outside(upstream, &landed, &head)?;
    landed.retain(|landing| !gone.contains(landing.commit));
    let tasks = by_task(&landed);
    if tasks.is_empty() { Ok(()) } else { Err(Error::Superseded { run_id: run.run_id.clone(), tasks }) }
}

/// A task that a run landed, or had ready to land.
struct Landing<'v> {
    task: &'v TaskId,
    commit: &'v CommitId,
    run: &'v RunId,
}

/// The tasks, each with the last run that landed it.
fn by_task(landed: &[Landing<'_>]) -> BTreeMap<TaskId, RunId> {
    landed.iter().map(|landing| (landing.task.clone(), landing.run.clone())).collect()
}

/// Those of the commits that are not in the history of the tip, in one walk through it.
fn outside(upstream: &Upstream, landed: &[Landing<'_>], tip: &CommitId) -> Result<BTreeSet<CommitId>, Error> {
    if landed.is_empty() {
        return Ok(BTreeSet::new());
    }
    let commits: Vec<CommitId> = landed.iter().map(|landing| landing.commit.clone()).collect();
    Ok(upstream.outside(&commits, tip)?.into_iter().collect())
}

/// Tasks that a run landed, of those that are the same as now. Also those that it had ready: one that died after the ref
/// moved and before it said so has landed them, which the branch shows.
fn landed_by<'v>(
    project: &Project,
    view: &'v RunView,
    is_same: impl Fn(&TaskId, &PlannedTask) -> bool,
) -> Vec<Landing<'v>> {
    let may_have = |task: &TaskState| matches!(task.status, TaskStatus::Landed | TaskStatus::Validated);
    let landed = view.tasks.iter().filter(|(_, task)| may_have(task));
    let landed = landed.filter_map(|(task, facts)| {
        Some(Landing { task, commit: facts.commit.as_ref()?, run: &view.run_id })
    });
    let mut landed: Vec<_> = landed.collect();
    if landed.is_empty() {
        return landed;
    }
    // A run whose snapshot is gone or unreadable proves nothing.
    let Ok(then) = frozen_plan(&RunPaths::new(project, &view.run_id)) else { return Vec::new() };
    landed.retain(|landing| then.get(landing.task).is_some_and(|task| is_same(landing.task, task)));
    landed
}

/// The same task, though its manifest may have been widened meanwhile.
fn is_same_task(now: &PlannedTask, then: &PlannedTask) -> bool {
    let (a, b) = (&now.manifest, &then.manifest);
    let rest = Manifest { files: b.files.clone(), locks: b.locks.clone(), ..a.clone() };
    rest == *b
        && now.spec_text == then.spec_text
        && a.files.reads == b.files.reads
        && b.files.writes.iter().all(|glob| a.files.writes.contains(glob))
        && a.locks.reads == b.locks.reads
        && b.locks.writes.iter().all(|lock| a.locks.writes.contains(lock))
}
