//! Where commands run: in process groups of this machine, or in containers. Nothing else differs between the two worlds
//! (design 3.4).

use std::{collections::BTreeMap, path::Path, sync::Arc};

use mycelium_schemas::{config::Config, event::World};
use tokio::sync::watch;

use crate::{
    docker::{self, Connection, Engine, Labels},
    doctor,
    environment::Environment,
    error::Error,
    git::workspace::Reach,
    job::{Exit, GRACE, Job, StopLevel, Watcher},
    process,
};

/// Starts commands in one of the worlds.
#[derive(Debug, Clone)]
pub struct Launcher {
    place: Place,
    /// What every command gets.
    base: Arc<BTreeMap<String, String>>,
}

#[derive(Debug, Clone)]
enum Place {
    Local,
    Docker(Arc<Engine>),
}

/// Whether the image itself must have a program. Where commands are given a `PATH`, the image's own says nothing; what is
/// named by its way from the workspace comes with the work.
fn is_of_image(program: &str, is_path_given: bool) -> bool {
    match Path::new(program).parent() {
        Some(folder) if folder.as_os_str().is_empty() => !is_path_given,
        Some(folder) => folder.is_absolute() && !folder.starts_with(docker::WORKSPACE),
        None => true,
    }
}

impl Launcher {
    /// Gets ready to start commands in a world: where they run in containers, the engine answers and has the image.
    pub(crate) async fn open(
        world: World,
        environment: &Environment,
        config: &Config,
        labels: impl FnOnce() -> Result<Labels, Error>,
    ) -> Result<Self, Error> {
        let extra = &config.worker.env;
        match world {
            World::Local => Ok(Self { place: Place::Local, base: Arc::new(environment.for_children(extra)) }),
            World::Docker => {
                let connection = Connection::open(environment).await?;
                let engine = connection.prepare(&config.docker, config.cleanup.containers, labels()?).await?;
                let base = Arc::new(environment.for_containers(extra));
                Ok(Self { place: Place::Docker(Arc::new(engine)), base })
            }
        }
    }

    /// Refuses an image without what every run needs, before anything is charged for it: `sh`, and what starts the doctor.
    pub(crate) async fn look_into_image(&self, doctor: &[u8]) -> Result<(), Error> {
        let Place::Docker(engine) = &self.place else { return Ok(()) };
        let mut programs = doctor::programs(doctor);
        programs.retain(|program| is_of_image(program, self.base.contains_key("PATH")));
        engine.look_for(&programs).await
    }

    /// Which world it is.
    pub fn world(&self) -> World {
        match self.place {
            Place::Local => World::Local,
            Place::Docker(_) => World::Docker,
        }
    }

    /// Where a workspace's git finds its objects: a container reaches nothing but its workspace.
    pub(crate) fn reach(&self) -> Reach {
        match self.place {
            Place::Local => Reach::Shared,
            Place::Docker(_) => Reach::Alone,
        }
    }

    /// The container engine, in the world of containers.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        match &self.place {
            Place::Local => None,
            Place::Docker(engine) => Some(engine),
        }
    }

    /// Whether a command that judges is to be run again: somebody ended its container, perhaps with it. One that ends itself
    /// like that does so every time.
    pub(crate) fn runs_again(&self, exit: &Exit, left: &mut u32) -> bool {
        let again = self.engine().is_some() && exit.was_killed() && *left > 0;
        if again {
            *left -= 1;
            tracing::warn!("a container was ended from outside; its command is run again");
        }
        again
    }

    /// Follows a command that went on in its container.
    pub(crate) async fn follow(
        &self,
        container: &str,
        job: Job,
        stop: watch::Receiver<StopLevel>,
        watcher: &mut impl Watcher,
    ) -> Result<Exit, Error> {
        match &self.place {
            // No process of this machine outlives its orchestrator's end.
            Place::Local => Err(Error::Lost("a container")),
            Place::Docker(engine) => {
                let work = Box::pin(engine.reattach(container, job, stop.clone(), watcher));
                docker::unless_stuck(engine.host(), stop, GRACE, work).await
            }
        }
    }

    /// Runs a command to its end, its limits, or a stop.
    pub async fn run(
        &self,
        job: Job,
        stop: watch::Receiver<StopLevel>,
        watcher: &mut impl Watcher,
    ) -> Result<Exit, Error> {
        match &self.place {
            Place::Local => process::run(job, &self.base, stop, watcher).await,
            Place::Docker(engine) => {
                let work = Box::pin(engine.run(job, &self.base, stop.clone(), watcher));
                docker::unless_stuck(engine.host(), stop, GRACE, work).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_work_is_not_looked_for_in_the_image() {
        for (program, found_by_image, found_by_path) in [
            ("bash", true, false),
            ("/bin/bash", true, true),
            ("tools/run", false, false),
            ("./run", false, false),
            ("/workspace/tools/run", false, false),
            ("/workspaces/run", true, true),
        ] {
            let of_image = [false, true].map(|is_path_given| is_of_image(program, is_path_given));
            assert_eq!(of_image, [found_by_image, found_by_path], "{program}");
        }
    }
}
