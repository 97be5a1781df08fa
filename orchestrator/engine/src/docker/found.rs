//! Containers that are there already: by whom they are known, and how they stand.

use std::collections::HashMap;

use bollard::{
    models::{ContainerState, ContainerStateStatusEnum as Status},
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};
use mycelium_schemas::{
    digest::sha256,
    id::{RunId, TaskId},
};

use super::{
    engine::{Connection, Engine, Reach},
    error::{Asked, EngineError, status},
    recipe::NEVER_BEGAN,
};
use crate::{agent::AttemptKey, error::Error, fault, identity, job::Purpose, project::Project};

const PROJECT: &str = "mycelium.project";
const HOME: &str = "mycelium.home";
const RUN: &str = "mycelium.run_id";
const TASK: &str = "mycelium.task_id";
const ATTEMPT: &str = "mycelium.attempt";
const PURPOSE: &str = "mycelium.purpose";
/// How the time begins at which a container ended that never did.
const NEVER: &str = "0001-01-01T00:00:00";
/// The word that a container says before anything else, and that nobody in it knows.
pub(super) const BEGINS_WITH: &str = "mycelium.begins_with";

/// What the containers of a project or of one of its runs are known by.
#[derive(Debug, Clone)]
pub struct Labels(Vec<(&'static str, String)>);

impl Labels {
    /// Those of a project: its name, and which home its runs are kept in, so that one of the same name elsewhere is another
    /// one, also on another machine at the same path. None where none of its containers can be anywhere.
    pub fn project(project: &Project) -> Result<Option<Self>, Error> {
        Ok(identity::find(project)?.map(|identity| Self::with(project, &identity)))
    }

    /// Those of a project whose first container may be about to begin.
    pub fn first(project: &Project) -> Result<Self, Error> {
        Ok(Self::with(project, &identity::take(project)?))
    }

    /// Those of a run.
    pub fn run(project: &Project, run: &RunId) -> Result<Self, Error> {
        let mut labels = Self::first(project)?;
        labels.0.push((RUN, run.to_string()));
        Ok(labels)
    }

    fn with(project: &Project, identity: &str) -> Self {
        let home = [identity.as_bytes(), b" ", project.home.as_os_str().as_encoded_bytes()].concat();
        Self(vec![(PROJECT, project.name.to_string()), (HOME, sha256(&home))])
    }

    /// With what one container is for.
    pub(super) fn of(
        &self,
        purpose: Purpose,
        attempt: Option<&AttemptKey>,
        begins_with: &str,
    ) -> HashMap<String, String> {
        let of_attempt =
            attempt.map(|key| [(TASK, key.task.to_string()), (ATTEMPT, key.attempt.to_string())]);
        let all = self.0.iter().cloned().chain(of_attempt.into_iter().flatten());
        all.chain([(PURPOSE, purpose.name().to_owned()), (BEGINS_WITH, begins_with.to_owned())])
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn filters(&self) -> HashMap<String, Vec<String>> {
        let labels = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        HashMap::from([("label".to_owned(), labels.collect())])
    }
}

/// A container of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its run; none where its label is no id.
    pub run: Option<RunId>,
    /// Its task; none for a doctor.
    pub task: Option<TaskId>,
    /// Its attempt.
    pub attempt: Option<u32>,
    /// What its command is for.
    pub purpose: String,
    /// In the engine's words, for people.
    pub status: String,
    /// Bytes that its own files take on the engine's disk, without its volumes; none where it was not asked for.
    pub bytes: Option<u64>,
    /// Whether its workspace is a volume, whose size an engine does not tell with it.
    pub carries: bool,
}

/// How a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its command is at work, or waits to be let go on.
    AtWork,
    /// Its command came to its end with this code.
    Ended {
        /// As the engine tells it.
        code: i32,
    },
    /// Its command needed more memory than it may.
    OutOfMemory,
    /// Its command never began, or something else ended it than itself: there is no result.
    NoResult,
}

impl Standing {
    /// From what the engine tells. An exit by a signal may be the engine's own doing when it was stopped, and the exit
    /// code of a command that never began is 0: neither is a result.
    pub(super) fn of(state: Option<&ContainerState>) -> Self {
        let Some(state) = state else { return Self::NoResult };
        match state.status {
            // Its command waits for ever to be told what to do.
            _ if was_restarted(state) => Self::NoResult,
            Some(Status::RUNNING | Status::PAUSED | Status::RESTARTING | Status::STOPPING) => Self::AtWork,
            Some(Status::EXITED) if state.oom_killed == Some(true) => Self::OutOfMemory,
            Some(Status::EXITED) => match state.exit_code.and_then(|code| i32::try_from(code).ok()) {
                Some(code) if signal_of(code).is_none() => Self::Ended { code },
                _ => Self::NoResult,
            },
            _ => Self::NoResult,
        }
    }
}

/// The signal that an exit code stands for: a command may say it of itself, but nobody can tell.
pub(super) fn signal_of(code: i32) -> Option<i32> {
    (129..=192).contains(&code).then(|| code - 128)
}

/// Whether a container is at work that had ended before: somebody started it again.
pub(super) fn was_restarted(state: &ContainerState) -> bool {
    let has_ended = |time: &str| !time.is_empty() && !time.starts_with(NEVER);
    state.running == Some(true) && state.finished_at.as_deref().is_some_and(has_ended)
}

impl Connection {
    /// The containers that bear the labels, in any state.
    pub async fn containers(&self, labels: &Labels) -> Result<Vec<Container>, EngineError> {
        self.list(labels, false).await
    }

    /// The same with how much disk each takes, for which the engine looks at all their files.
    pub async fn containers_with_disk_use(&self, labels: &Labels) -> Result<Vec<Container>, EngineError> {
        self.list(labels, true).await
    }

    async fn list(&self, labels: &Labels, size: bool) -> Result<Vec<Container>, EngineError> {
        let options = ListContainersOptionsBuilder::default();
        let options = options.all(true).size(size).filters(&labels.filters()).build();
        let listed = self.client.list_containers(Some(options)).await;
        let mut found: Vec<Container> = listed
            .asked(&self.host, "list containers")?
            .into_iter()
            .filter_map(|listed| {
                let labels = listed.labels.unwrap_or_default();
                let label = |name: &str| labels.get(name).map(String::as_str);
                Some(Container {
                    id: listed.id?,
                    name: listed.names.unwrap_or_default().first()?.trim_start_matches('/').to_owned(),
                    run: label(RUN).and_then(|run| run.parse().ok()),
                    task: label(TASK).and_then(|task| task.parse().ok()),
                    attempt: label(ATTEMPT).and_then(|attempt| attempt.parse().ok()),
                    purpose: label(PURPOSE).unwrap_or_default().to_owned(),
                    status: listed.status.unwrap_or_default(),
                    // An engine leaves out what is nothing.
                    bytes: size.then(|| listed.size_rw.and_then(|bytes| bytes.try_into().ok()).unwrap_or(0)),
                    carries: Reach::of(listed.mounts.as_deref()) == Some(Reach::Carries),
                })
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Removes a container whatever it is doing. One that is gone already is as wanted.
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match fault::point!("engine.remove", self.client.remove_container(id, Some(options)).await) {
            // Gone, or somebody removes it at this moment.
            Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
            removed => removed.asked(&self.host, "remove a container"),
        }
    }
}

impl Engine {
    /// The run's containers, in any state.
    pub async fn containers(&self) -> Result<Vec<Container>, EngineError> {
        self.connection.containers(&self.labels).await
    }

    /// Removes a container whatever it is doing.
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        self.connection.remove(id).await
    }

    /// How a container stands.
    pub async fn standing(&self, id: &str) -> Result<Standing, EngineError> {
        let Connection { client, host, .. } = &self.connection;
        let standing = match client.inspect_container(id, None).await {
            Err(error) if status(&error) == Some(404) => Standing::NoResult,
            found => Standing::of(found.asked(host, "tell about a container")?.state.as_ref()),
        };
        match standing {
            // Of a command's own, if it began.
            Standing::Ended { code: NEVER_BEGAN } if !self.has_printed(id).await? => Ok(Standing::NoResult),
            standing => Ok(standing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: Status, exit_code: i64, oom_killed: bool) -> ContainerState {
        ContainerState {
            status: Some(status),
            exit_code: Some(exit_code),
            oom_killed: Some(oom_killed),
            ..ContainerState::default()
        }
    }

    #[test]
    fn only_a_command_that_came_to_its_own_end_has_a_result() {
        for (status, code, oom, expected) in [
            // What the engine tells of a container that was made and never started, as a reader of its code alone takes
            // for success.
            (Status::CREATED, 0, false, Standing::NoResult),
            (Status::RUNNING, 0, false, Standing::AtWork),
            (Status::PAUSED, 0, false, Standing::AtWork),
            (Status::EXITED, 0, false, Standing::Ended { code: 0 }),
            (Status::EXITED, 3, false, Standing::Ended { code: 3 }),
            // An engine that is stopped ends its containers so.
            (Status::EXITED, 137, false, Standing::NoResult),
            (Status::EXITED, 143, false, Standing::NoResult),
            (Status::EXITED, 137, true, Standing::OutOfMemory),
            (Status::EXITED, 128, false, Standing::Ended { code: 128 }),
            (Status::EXITED, 192, false, Standing::NoResult),
            (Status::EXITED, 193, false, Standing::Ended { code: 193 }),
            (Status::EXITED, 255, false, Standing::Ended { code: 255 }),
            (Status::DEAD, 0, false, Standing::NoResult),
            (Status::REMOVING, 0, false, Standing::NoResult),
        ] {
            assert_eq!(Standing::of(Some(&state(status, code, oom))), expected, "{status} {code}");
        }
        assert_eq!(Standing::of(None), Standing::NoResult);
    }

    #[test]
    fn a_container_that_was_started_again_has_no_result() {
        let running = |finished_at: &str| ContainerState {
            running: Some(true),
            finished_at: Some(finished_at.to_owned()),
            ..state(Status::RUNNING, 0, false)
        };
        for (finished_at, expected) in [
            ("", Standing::AtWork),
            ("0001-01-01T00:00:00Z", Standing::AtWork),
            ("2026-01-02T03:04:05.678901234Z", Standing::NoResult),
        ] {
            assert_eq!(Standing::of(Some(&running(finished_at))), expected, "{finished_at}");
        }
        // One that has ended did so at some time.
        let ended = ContainerState { running: Some(false), ..running("2026-01-02T03:04:05Z") };
        let ended = ContainerState { status: Some(Status::EXITED), ..ended };
        assert_eq!(Standing::of(Some(&ended)), Standing::Ended { code: 0 });
    }
}
