//! Which agents went on in their containers without their orchestrator (docs/resume.md).

use std::collections::BTreeMap;

use mycelium_core::state::RunState;
use mycelium_schemas::{
    event::{Event, EventKind},
    id::TaskId,
    state::TaskStatus,
};

use crate::{
    docker::{Container, Standing},
    error::Error,
    job::Purpose,
    launcher::Launcher,
    store::{self, RunPaths},
};

/// The tasks whose agents can be followed, with their containers. The run's other containers go: nobody waits for them,
/// and none may write to a workspace beside an attempt that begins again.
pub(crate) async fn look(
    launcher: &Launcher,
    state: &RunState,
    paths: &RunPaths,
) -> Result<BTreeMap<TaskId, String>, Error> {
    let Some(engine) = launcher.engine() else { return Ok(BTreeMap::new()) };
    let mut followed = BTreeMap::new();
    for container in engine.containers().await? {
        match followable(&container, state, paths) {
            Some(task) if engine.standing(&container.id).await? != Standing::NoResult => {
                followed.insert(task, container.id);
            }
            _ => engine.remove(&container.id).await?,
        }
    }
    Ok(followed)
}

/// The task of the agent of an attempt that is under way and whose end nobody has seen: once that was seen, gates may have
/// changed the workspace.
fn followable(container: &Container, state: &RunState, paths: &RunPaths) -> Option<TaskId> {
    let task = container.task.as_ref()?;
    let facts = state.tasks.get(task)?;
    let is_current = facts.status == TaskStatus::Running
        && container.attempt == Some(facts.attempts)
        && container.purpose == Purpose::Agent.name();
    let events = store::read_file(&paths.attempt(task, facts.attempts).join("events.jsonl")).ok()?;
    let ended = |line: &[u8]| {
        let event = serde_json::from_slice::<Event>(line);
        matches!(event, Ok(Event { kind: EventKind::WorkerExit(_), .. }))
    };
    let is_open = !events.split(|byte| *byte == b'\n').any(ended);
    (is_current && is_open && paths.workspaces.join(task.as_str()).is_dir()).then(|| task.clone())
}
