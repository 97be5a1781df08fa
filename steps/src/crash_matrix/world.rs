//! One place in which a scene is played.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use mycelium_fixtures::{
    FixtureError,
    containers::Found,
    files::write_file,
    process::Ending,
    repository::FixtureRepository,
    sandbox::{Finished, Sandbox},
};
use mycelium_schemas::digest::sha256;
use serde_json::Value;

use crate::{
    MatrixError,
    program::Program,
    scene::{CONFIG, Model, RETRY_IT, RUN, Scene},
};

/// Calls that the program has to be done in, after it was disturbed.
const CALLS_MAX: usize = 2;
/// What stands before a fault that came, in the trace.
const CAME: char = '!';

/// What the trace of some calls tells.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// The points that were reached, in order.
    pub(crate) points: Vec<String>,
    /// The faults that came, as they were named.
    pub(crate) came: BTreeSet<String>,
}

/// A sandbox with a scene in it.
#[derive(Debug)]
pub(crate) struct World<'a> {
    program: &'a Program,
    pub(crate) scene: Scene,
    pub(crate) sandbox: Sandbox,
    pub(crate) repository: FixtureRepository,
    /// Answers as long as it is kept.
    _model: Option<Model>,
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        for found in self.containers().unwrap_or_default() {
            if let Some(engine) = &self.program.engine {
                // What is left was told when it was looked at.
                let _told = engine.remove(&found.id);
            }
        }
    }
}

impl<'a> World<'a> {
    /// Plays up to the command that is disturbed.
    pub(crate) fn build(program: &'a Program, scene: Scene, folder: &Path) -> Result<Self, MatrixError> {
        let mut sandbox = Sandbox::create(folder)?;
        let model = Model::of(scene, folder, &program.path)?;
        let repository = scene.build(&mut sandbox, program.engine.as_ref(), model.as_ref())?;
        let mut world = Self { program, scene, sandbox, repository, _model: model };
        for command in scene.before() {
            if *command == RETRY_IT {
                world.change_configuration()?;
            }
            let done = world.call(command)?;
            if done.ending != Ending::Exited(scene.exit_before(command)) {
                let said = String::from_utf8_lossy(&done.stderr);
                let why = format!("{:?}; {}", done.ending, said.trim().replace('\n', " | "));
                return Err(MatrixError::SetUp { scene: scene.name(), command: command.join(" "), why });
            }
        }
        match scene {
            Scene::Retry => world.change_configuration()?,
            Scene::Clean => world.deepen_run()?,
            _ => {}
        }
        if let Some(plan) = scene.new_plan() {
            world.sandbox.set("MOCK_LLM_OUTPUT", plan);
        }
        Ok(world)
    }

    /// What containers of this place's projects are labelled with.
    fn homes(&self) -> Vec<String> {
        let projects = fs::read_dir(self.sandbox.mycelium_home().join("projects"));
        projects
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| sha256(entry.path().as_os_str().as_encoded_bytes()))
            .collect()
    }

    /// The containers that work with anything of this place.
    pub(crate) fn containers(&self) -> Result<Vec<Found>, String> {
        match &self.program.engine {
            Some(engine) if self.scene.is_contained() => engine.labelled("mycelium.home", self.homes()),
            _ => Ok(Vec::new()),
        }
    }

    /// The command that is disturbed.
    pub(crate) fn disturb(&mut self, fault: Option<&str>) -> Result<Finished, FixtureError> {
        self.with_fault(fault, |world| world.call(world.scene.command()))
    }

    /// What an operator does next: resume, or begin again where nothing had begun.
    pub(crate) fn recover(&mut self, fault: Option<&str>) -> Result<Finished, FixtureError> {
        self.with_fault(fault, |world| {
            if !world.scene.is_run() {
                return world.call(world.scene.command());
            }
            if world.waits_for_decision()? {
                let decided = world.call(world.scene.command())?;
                if decided.ending != Ending::Exited(0) {
                    return Ok(decided);
                }
            }
            let named: &[&str] = if world.scene.begins_run() { &[] } else { &["--run-id", RUN] };
            let resumed = world.call(&[&["resume", "--json"], named].concat())?;
            let answer = serde_json::from_slice::<Value>(&resumed.stdout).unwrap_or_default();
            let nothing_begun =
                world.scene.begins_run() && resumed.ending == Ending::Exited(0) && answer["run_id"].is_null();
            if nothing_begun && !world.is_complete()? {
                world.call(world.scene.command())
            } else {
                Ok(resumed)
            }
        })
    }

    /// Recovers until it is done. Gives the last answer.
    pub(crate) fn finish(&mut self) -> Result<Finished, FixtureError> {
        let mut last = self.recover(None)?;
        for _ in 1..CALLS_MAX {
            if last.ending == Ending::Exited(self.scene.outcome().exit) {
                break;
            }
            last = self.recover(None)?;
        }
        Ok(last)
    }

    /// The run's state as the program tells it; null where there is none.
    pub(crate) fn status(&mut self) -> Result<Value, FixtureError> {
        let told = self.call(&["status", "--run-id", RUN, "--json"])?;
        Ok(serde_json::from_slice(&told.stdout).unwrap_or_default())
    }

    /// A human's decision stands against the configuration as it is now.
    fn change_configuration(&self) -> Result<(), FixtureError> {
        let path = self.repository.path().join(CONFIG);
        let read = std::fs::read_to_string(&path).map_err(FixtureError::file("read", &path))?;
        write_file(&path, format!("{read}\n# Changed.\n").as_bytes(), false)
    }

    /// Leaves folders in the run's that lie deeper than a removal goes at once.
    fn deepen_run(&mut self) -> Result<(), MatrixError> {
        let told = self.status()?;
        let Some(journal) = told["paths"]["journal"].as_str().map(Path::new) else {
            let (scene, command) = (self.scene.name(), "status".to_owned());
            return Err(MatrixError::SetUp { scene, command, why: format!("it names no journal: {told}") });
        };
        let deep = std::iter::repeat_n("deep", 80)
            .fold(journal.with_file_name("deep"), |path, name| path.join(name));
        Ok(std::fs::create_dir_all(&deep).map_err(FixtureError::file("create", &deep))?)
    }

    /// Whether the decision that the scene is about was not journaled yet.
    fn waits_for_decision(&mut self) -> Result<bool, FixtureError> {
        let Some((task, status)) = self.scene.decides() else { return Ok(false) };
        Ok(self.status()?["tasks"][task]["status"] == status)
    }

    fn is_complete(&mut self) -> Result<bool, FixtureError> {
        Ok(self.status()?["status"] == "complete")
    }

    /// The name of the project's folder; empty before there is one.
    pub(crate) fn project_name(&self) -> Result<String, FixtureError> {
        let projects = self.sandbox.mycelium_home().join("projects");
        let mut names = std::fs::read_dir(&projects).into_iter().flatten();
        let name = names.next().transpose().map_err(FixtureError::file("list", &projects))?;
        Ok(name.map(|name| name.file_name().to_string_lossy().into_owned()).unwrap_or_default())
    }

    /// What was reached and what came so far; tells it once.
    pub(crate) fn reached(&self) -> Trace {
        let path = self.trace();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        // A trace that was never begun needs no removal.
        let _absent = std::fs::remove_file(path);
        let mut trace = Trace::default();
        for line in text.lines() {
            match line.strip_prefix(CAME) {
                Some(fault) => drop(trace.came.insert(fault.to_owned())),
                None => trace.points.push(line.to_owned()),
            }
        }
        trace
    }

    fn trace(&self) -> PathBuf {
        self.sandbox.root().join("trace")
    }

    fn with_fault(
        &mut self,
        fault: Option<&str>,
        call: impl FnOnce(&mut Self) -> Result<Finished, FixtureError>,
    ) -> Result<Finished, FixtureError> {
        self.sandbox.set("MYCELIUM_FAULT_TRACE", self.trace());
        if let Some(fault) = fault {
            self.sandbox.set("MYCELIUM_FAULT", fault);
        }
        let result = call(self);
        self.sandbox.unset("MYCELIUM_FAULT");
        self.sandbox.unset("MYCELIUM_FAULT_TRACE");
        result
    }

    fn call(&mut self, arguments: &[&str]) -> Result<Finished, FixtureError> {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        self.sandbox.run(&self.program.path, &arguments, self.repository.path())
    }
}
