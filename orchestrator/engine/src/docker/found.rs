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
    engine::{Connection, Engine},
    error::{Asked, EngineError, status},
};
use crate::{agent::AttemptKey, fault, job::Purpose, project::Project};

const PROJECT: &str = "mycelium.project";
const HOME: &str = "mycelium.home";
const RUN: &str = "mycelium.run_id";
const TASK: &str = "mycelium.task_id";
const ATTEMPT: &str = "mycelium.attempt";
const PURPOSE: &str = "mycelium.purpose";
/// The word that a container says before anything else, and that nobody in it knows.
pub(super) const BEGINS_WITH: &str = "mycelium.begins_with";

/// What the containers of a project or of one of its runs are known by.
#[derive(Debug, Clone)]
pub struct Labels(Vec<(&'static str, String)>);

impl Labels {
    /// Those of a project: its name, and where its runs are kept, so that one of the same name elsewhere is another one.
    pub fn project(project: &Project) -> Self {
        let home = sha256(project.home.as_os_str().as_encoded_bytes());
        Self(vec![(PROJECT, project.name.to_string()), (HOME, home)])
    }

    /// Those of a run.
    pub fn run(project: &Project, run: &RunId) -> Self {
        let mut labels = Self::project(project);
        labels.0.push((RUN, run.to_string()));
        labels
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
            Some(Status::RUNNING | Status::PAUSED | Status::RESTARTING | Status::STOPPING) => Self::AtWork,
            Some(Status::EXITED) if state.oom_killed == Some(true) => Self::OutOfMemory,
            Some(Status::EXITED) => match state.exit_code.and_then(|code| i32::try_from(code).ok()) {
                Some(code @ 0..=128) if code != super::recipe::NEVER_BEGAN => Self::Ended { code },
                _ => Self::NoResult,
            },
            _ => Self::NoResult,
        }
    }
}

impl Connection {
    /// The containers that bear the labels, in any state.
    pub async fn containers(&self, labels: &Labels) -> Result<Vec<Container>, EngineError> {
        let options = ListContainersOptionsBuilder::default().all(true).filters(&labels.filters()).build();
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
        match client.inspect_container(id, None).await {
            Err(error) if status(&error) == Some(404) => Ok(Standing::NoResult),
            found => Ok(Standing::of(found.asked(host, "tell about a container")?.state.as_ref())),
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
            (Status::EXITED, i64::from(super::super::recipe::NEVER_BEGAN), false, Standing::NoResult),
            (Status::DEAD, 0, false, Standing::NoResult),
            (Status::REMOVING, 0, false, Standing::NoResult),
        ] {
            assert_eq!(Standing::of(Some(&state(status, code, oom))), expected, "{status} {code}");
        }
        assert_eq!(Standing::of(None), Standing::NoResult);
    }
}
