//! The lane of containers: what a scenario has there, and that nothing of it stays.

use std::{
    env,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use mycelium_accept::context::{Context, Lane, Record, Recorder};
use mycelium_fixtures::{
    containers::{Containers, Found, OwnEngine, post::Postman},
    disk::SmallDisk,
    sandbox::Sandbox,
};

use super::{MyceliumWorld, Stage, WorldError};

/// Set to `1` it makes a machine without an engine fail what it cannot run.
const REQUIRED: &str = "RUN_DOCKER_TESTS";
/// The label that says whose a container is.
const PROJECT: &str = "mycelium.project";
/// The project of a container that is somebody else's.
pub(crate) const FOREIGN: &str = "somebody-elses";
/// The label that says which task a container works on.
const TASK: &str = "mycelium.task_id";
/// The label that says what the command of a container is for.
const PURPOSE: &str = "mycelium.purpose";
/// How often to look whether a container has ended.
const LOOK: Duration = Duration::from_millis(50);
/// Words that name what the program is to do, of which `run` alone has a world.
const COMMANDS: [&str; 13] = [
    "init",
    "plan",
    "run",
    "resume",
    "status",
    "logs",
    "review",
    "clean",
    "doctor",
    "demo",
    "schema",
    "completions",
    "help",
];

/// Which engine a scenario has of its own.
enum OwnKind<'a> {
    Near,
    /// With so many KiB for images and containers.
    WithRoom(u32),
    /// As if it were on another machine, which does not see a folder.
    Far {
        unseen: &'a Path,
    },
}

/// The engine of a scenario. Dropped, it removes the scenario's containers and says which of them nobody should have left.
#[derive(Debug)]
pub(super) struct Contained {
    engine: Containers,
    root: PathBuf,
    recorder: Recorder,
    /// Whether an orchestrator was killed, so that its containers go on.
    orphaned: bool,
    postman: Option<Postman>,
    /// The engine, where it is the scenario's own. It is stopped when nothing asks it any more.
    own: Option<OwnEngine>,
}

impl Contained {
    /// That of a scenario in the lane of containers; none in the other one.
    pub(super) fn of(context: &Context, root: PathBuf) -> Result<Option<Self>, WorldError> {
        if context.lane == Lane::Mock {
            return Ok(None);
        }
        let nowhere = || Err("nobody looked for a container engine".to_owned());
        match context.containers.clone().unwrap_or_else(nowhere) {
            Ok(engine) => {
                let recorder = context.recorder.clone();
                Ok(Some(Self { engine, root, recorder, orphaned: false, postman: None, own: None }))
            }
            Err(why) => Err(cannot(&context.recorder, why)),
        }
    }

    /// Puts an engine of the scenario's own in the place of the machine's.
    fn change_engine(&mut self, home: &Path, kind: &OwnKind<'_>) -> Result<String, WorldError> {
        let folder = self.root.join("engine");
        let own = match kind {
            OwnKind::WithRoom(kib) => OwnEngine::start_with_room(&folder, home, *kib),
            OwnKind::Near => OwnEngine::start(&folder, home),
            OwnKind::Far { unseen } => OwnEngine::start_far(&folder, home, unseen),
        };
        let own = own.map_err(|why| cannot(&self.recorder, why))?;
        self.engine = Containers::at(&own.host()).map_err(WorldError::Engine)?;
        self.own = Some(own);
        Ok(self.engine.host.clone())
    }

    /// The address of its engine.
    pub(super) fn host(&self) -> &str {
        &self.engine.host
    }

    /// Makes the commands of a stage run in containers.
    pub(super) fn take_over(&mut self, stage: &mut Stage, sandbox: &Sandbox) -> Result<(), WorldError> {
        stage.move_into_containers(&self.engine.image)?;
        let homes = vec![sandbox.mycelium_home(), self.root.join("second-place/mycelium-home")];
        self.postman = Some(Postman::start(homes, stage.scripts().prelude_outside(), sandbox));
        Ok(())
    }

    /// From now on containers may be at work that no orchestrator follows.
    pub(super) fn orphan(&mut self) {
        self.orphaned = true;
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        // Its scripts wait for nobody any more.
        self.postman = None;
        let found = match self.engine.below(&self.root) {
            Ok(found) => found,
            Err(why) => return self.recorder.push(Record::LeftBehind(format!("what cannot be told: {why}"))),
        };
        for container in found {
            // Those of commands that failed are kept for who looks into it.
            if container.is_alive() && !self.orphaned && !is_foreign(&container) {
                let Found { name, state, .. } = &container;
                self.recorder.push(Record::LeftBehind(format!("the container {name} ({state})")));
            }
            if let Err(why) = self.engine.remove(&container.id) {
                self.recorder.push(Record::LeftBehind(format!("the container {}: {why}", container.name)));
            }
        }
    }
}

/// Whether it is one that the scenario made as somebody else's.
pub(crate) fn is_foreign(container: &Found) -> bool {
    container.labels.get(PROJECT).is_some_and(|project| project == FOREIGN)
}

/// This machine lacks what the scenario needs, which is a failure where somebody asked for that.
fn cannot(recorder: &Recorder, why: String) -> WorldError {
    if env::var(REQUIRED).is_ok_and(|value| value == "1") {
        return WorldError::NoEngine(why);
    }
    recorder.push(Record::NotRun(why.clone()));
    WorldError::NotHere(why)
}

impl MyceliumWorld {
    /// From now on the scenario has an engine of its own, perhaps with little room (KiB).
    pub(crate) fn get_own_engine(&mut self, room: Option<u32>) -> Result<(), WorldError> {
        let home = self.sandbox.home();
        let contained = self.contained.as_mut().ok_or(WorldError::NoContainers)?;
        let host = contained.change_engine(&home, &room.map_or(OwnKind::Near, OwnKind::WithRoom))?;
        self.sandbox.set("DOCKER_HOST", host);
        Ok(())
    }

    /// The same as if it were on another machine.
    pub(crate) fn get_far_engine(&mut self) -> Result<(), WorldError> {
        let (home, unseen) = (self.sandbox.home(), self.sandbox.mycelium_home());
        let contained = self.contained.as_mut().ok_or(WorldError::NoContainers)?;
        contained.change_engine(&home, &OwnKind::Far { unseen: &unseen })?;
        let none = || WorldError::Engine("the scenario's engine is not far away".to_owned());
        let far = self.own_engine()?.far().ok_or_else(none)?;
        let (host, certificates) = (far.host().map_err(WorldError::Engine)?, far.certificates());
        self.sandbox.set("DOCKER_HOST", host);
        self.sandbox.set("DOCKER_TLS_VERIFY", "1");
        self.sandbox.set("DOCKER_CERT_PATH", certificates);
        Ok(())
    }

    /// The engine of the scenario's own.
    pub(crate) fn own_engine(&mut self) -> Result<&mut OwnEngine, WorldError> {
        let own = self.contained.as_mut().and_then(|contained| contained.own.as_mut());
        own.ok_or_else(|| WorldError::Engine("the scenario has no engine of its own".to_owned()))
    }

    /// The small disk of the scenario's own engine.
    pub(crate) fn engine_disk(&mut self) -> Result<&SmallDisk, WorldError> {
        let none = || WorldError::Engine("the scenario's engine has no disk of its own".to_owned());
        self.own_engine()?.disk().ok_or_else(none)
    }

    /// The words of a command with the world of this lane, where it has one and the words name none.
    pub(super) fn in_its_world(&self, mut arguments: Vec<String>) -> Vec<String> {
        let command = arguments.iter().find(|word| COMMANDS.contains(&word.as_str()));
        let runs = command.is_some_and(|command| command == "run");
        if self.context.lane == Lane::Docker
            && runs
            && !arguments.iter().any(|word| word.starts_with("--world"))
        {
            arguments.extend(["--world", "docker"].map(str::to_owned));
        }
        arguments
    }

    /// The engine that the scenario's containers run at.
    pub(crate) fn engine(&self) -> Result<&Containers, WorldError> {
        self.contained.as_ref().map(|contained| &contained.engine).ok_or(WorldError::NoContainers)
    }

    /// All containers that mount something of the scenario's.
    pub(crate) fn containers(&self) -> Result<Vec<Found>, WorldError> {
        self.engine()?.below(self.sandbox.root()).map_err(WorldError::Engine)
    }

    /// The container that an agent is at work in.
    pub(crate) fn agent_container(&self, task: &str) -> Result<Found, WorldError> {
        let found = self.agent_containers(task)?.into_iter().find(Found::is_alive);
        found.ok_or_else(|| WorldError::Engine(format!("no agent of task {task} is at work in a container")))
    }

    /// The container that the doctor is at work in.
    pub(crate) fn doctor_container(&self) -> Result<Found, WorldError> {
        let is_meant = |found: &Found| {
            found.is_alive() && found.labels.get(PURPOSE).is_some_and(|label| label == "doctor")
        };
        let found = self.containers()?.into_iter().find(is_meant);
        found.ok_or_else(|| WorldError::Engine("no doctor is at work in a container".to_owned()))
    }

    /// Waits until no agent of a task is at work in a container any more; the step's limit ends a wait for nothing.
    pub(crate) fn wait_for_agent(&self, task: &str) -> Result<(), WorldError> {
        while self.agent_containers(task)?.iter().any(Found::is_alive) {
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// The workspace of a task of the last run, where it was kept.
    pub(crate) fn workspace(&self, task: &str) -> Result<PathBuf, WorldError> {
        let (home, run) = (self.project_home()?, self.run_folder()?);
        Ok(home.join("workspaces").join(run.path().file_name().unwrap_or_default()).join(task))
    }

    fn agent_containers(&self, task: &str) -> Result<Vec<Found>, WorldError> {
        let is_meant = |found: &Found| {
            let label = |name: &str| found.labels.get(name).map(String::as_str);
            label(TASK) == Some(task) && label(PURPOSE) == Some("agent")
        };
        Ok(self.containers()?.into_iter().filter(is_meant).collect())
    }
}
