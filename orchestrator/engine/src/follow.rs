//! Which agents went on in their containers without their orchestrator (docs/resume.md).

use std::{collections::BTreeMap, io::ErrorKind};

use mycelium_core::state::RunState;
use mycelium_schemas::{
    config::Config,
    event::{Event, EventKind},
    id::TaskId,
    state::TaskStatus,
};

use crate::{
    docker::{Container, Standing},
    error::{Error, IoContext},
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
    config: &Config,
) -> Result<BTreeMap<TaskId, String>, Error> {
    let Some(engine) = launcher.engine() else { return Ok(BTreeMap::new()) };
    let journal = store::read_file(&paths.journal).at("read", &paths.journal)?;
    let mut followed = BTreeMap::new();
    for container in engine.containers().await? {
        // The way to its model ended with its orchestrator, and its conversation with it.
        let candidate = (!config.worker.agent.asks_a_model()).then(|| followable(&container, state, paths));
        match candidate.flatten().filter(|task| was_told(&journal, task, &container)) {
            Some(task) if engine.standing(&container.id).await? != Standing::NoResult => {
                followed.insert(task, container.id);
            }
            _ => engine.remove(&container.id).await?,
        }
    }
    Ok(followed)
}

/// Whether the agent was told what to do, as far as the journal knows. One that was not told ends by itself, perhaps not
/// yet, and has no result.
fn was_told(journal: &[u8], task: &TaskId, container: &Container) -> bool {
    journal.split(|byte| *byte == b'\n').any(|line| {
        serde_json::from_slice::<Event>(line).is_ok_and(|event| {
            event.task_id.as_ref() == Some(task)
                && event.attempt == container.attempt
                && matches!(event.kind, EventKind::WorkerStart(_))
        })
    })
}

/// The task of the agent of an attempt that is under way and whose end nobody has seen: once that was seen, gates may have
/// changed the workspace.
fn followable(container: &Container, state: &RunState, paths: &RunPaths) -> Option<TaskId> {
    let task = container.task.as_ref()?;
    let facts = state.tasks.get(task)?;
    let is_current = facts.status == TaskStatus::Running
        && container.attempt == Some(facts.attempts)
        && container.purpose == Purpose::Agent.name();
    let events = match store::read_file(&paths.attempt(task, facts.attempts).join("events.jsonl")) {
        // Whoever followed it before died when the file was to be written again.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        events => events.ok()?,
    };
    let ended = |line: &[u8]| {
        let event = serde_json::from_slice::<Event>(line);
        matches!(event, Ok(Event { kind: EventKind::WorkerExit(_), .. }))
    };
    let is_open = !events.split(|byte| *byte == b'\n').any(ended);
    (is_current && is_open && paths.workspaces.join(task.as_str()).is_dir()).then(|| task.clone())
}
