//! The containers that runs left at their engine.

use mycelium_schemas::{
    answer::{CleanedContainer, KeptRun},
    event::World,
    id::RunId,
};
use tokio::runtime;

use super::{CleanRequest, Scope, list::Listed};
use crate::{
    claim,
    docker::{Connection, Container, Labels},
    environment::Environment,
    error::{Error, IoContext},
    project::Project,
    settings::Settings,
    store,
};

/// What became of containers, and why the others could not be asked for, or removed.
#[derive(Debug, Default)]
pub(super) struct Removed {
    pub(super) containers: Vec<CleanedContainer>,
    pub(super) unreached: Option<Error>,
}

/// Removes the containers of the runs that are cleaned, or lists them; where every run is, also those of runs that are
/// gone. Nobody else's are even looked at: the engine gives out those alone that bear the project's labels.
pub(super) fn remove(
    project: &Project,
    environment: &Environment,
    request: &CleanRequest,
    runs: &[RunId],
    kept: &[KeptRun],
) -> Result<Removed, Error> {
    let mut removed = Removed::default();
    if !has_used_containers(project) {
        return Ok(removed);
    }
    let goes = |container: &Container| match &container.run {
        Some(run) if kept.iter().any(|kept| kept.run_id == *run) => false,
        Some(run) if runs.contains(run) => true,
        // Whose run is gone.
        _ => !matches!(request.scope, Scope::One(_)),
    };
    let Some(labels) = Labels::project(project)? else { return Ok(removed) };
    let work = async {
        let engine = Connection::open(environment).await?;
        for container in engine.containers_with_disk_use(&labels).await?.into_iter().filter(goes) {
            if !request.dry_run {
                engine.remove(&container.id).await?;
            }
            let Container { id, name, run: run_id, status, bytes, .. } = container;
            removed.containers.push(CleanedContainer { id, name, run_id, status, bytes });
        }
        Ok(())
    };
    match wait(work) {
        // Whatever is wrong with an engine does not stand in the way of what this machine has.
        Err(error @ Error::Engine(_)) => removed.unreached = Some(error),
        done => done?,
    }
    Ok(removed)
}

/// Keeps the runs whose containers could not be asked for: one may be at work in a workspace of theirs.
pub(super) fn keep_runs(project: &Project, listed: &mut Listed) {
    for run in std::mem::take(&mut listed.runs) {
        let view = match store::read_view(project, &run) {
            Ok(view) if view.world == World::Docker => Some(view),
            // What is left of one whose folder is gone does not say where it ran.
            Err(Error::UnknownRun { .. }) => None,
            _ => {
                listed.runs.push(run);
                continue;
            }
        };
        let reason = "its containers may be at work, and could not be asked for".to_owned();
        listed.items.retain(|item| item.run_id.as_ref() != Some(&run));
        listed.kept.push(KeptRun { run_id: run, status: view.map(|view| view.status), reason });
    }
    // The project's name is still theirs.
    if !listed.kept.is_empty() {
        listed.items.retain(|item| item.parts.last().is_none_or(|name| name != claim::NAME));
    }
}

/// The project's containers, as far as there is any reason to ask for them. None where it has none to do with any.
pub(crate) async fn containers(
    project: &Project,
    environment: &Environment,
) -> Result<Option<(String, Vec<Container>)>, Error> {
    if !has_used_containers(project) {
        return Ok(None);
    }
    let engine = Connection::open(environment).await?;
    // Where no container was ever made, the engine is asked whether it answers nevertheless.
    let containers = match Labels::project(project)? {
        Some(labels) => engine.containers_with_disk_use(&labels).await?,
        None => Vec::new(),
    };
    Ok(Some((engine.describe().await?, containers)))
}

/// Whether a run of the project ran in containers, or is meant to.
fn has_used_containers(project: &Project) -> bool {
    let ran = |view: &mycelium_schemas::state::RunView| view.world == World::Docker;
    let is_meant = || Settings::load(project).is_ok_and(|settings| settings.config.docker.image.is_some());
    // A run that cannot be read stands in nobody's way here; what it left is found where another one says so.
    store::list_runs(project).is_ok_and(|views| views.iter().any(ran)) || is_meant()
}

/// Waits for something of an engine.
fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().at("start", "the runtime")?;
    runtime.block_on(work)
}
