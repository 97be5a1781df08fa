//! One place in which a scene is played.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

use mycelium_fixtures::{
    FixtureError,
    files::write_file,
    process::Ending,
    repository::FixtureRepository,
    sandbox::{Finished, Sandbox},
};
use serde_json::Value;

use crate::{
    program::Program,
    scene::{CONFIG, RETRY_IT, RUN, Scene},
};

/// Calls that the program has to be done in, after it was disturbed.
const CALLS_MAX: usize = 2;
/// What stands behind the points of a process in the trace.
const PROCESS_END: &str = "=\n";

/// A sandbox with a scene in it.
#[derive(Debug)]
pub(crate) struct World<'a> {
    program: &'a Program,
    pub(crate) scene: Scene,
    pub(crate) sandbox: Sandbox,
    pub(crate) repository: FixtureRepository,
}

impl<'a> World<'a> {
    /// Plays up to the command that is disturbed.
    pub(crate) fn build(program: &'a Program, scene: Scene, folder: &Path) -> Result<Self, FixtureError> {
        let mut sandbox = Sandbox::create(folder)?;
        let repository = scene.build(&mut sandbox)?;
        let mut world = Self { program, scene, sandbox, repository };
        for command in scene.before() {
            if *command == RETRY_IT {
                world.change_configuration()?;
            }
            let _done = world.call(command)?;
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
    fn deepen_run(&mut self) -> Result<(), FixtureError> {
        let told = self.status()?;
        let journal = Path::new(told["paths"]["journal"].as_str().unwrap_or_default());
        let deep = std::iter::repeat_n("deep", 80)
            .fold(journal.with_file_name("deep"), |path, name| path.join(name));
        std::fs::create_dir_all(&deep).map_err(FixtureError::file("create", &deep))
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

    /// The points reached so far by each process, in order; tells them once.
    pub(crate) fn reached(&self) -> Vec<Vec<String>> {
        let path = self.trace();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        // A trace that was never begun needs no removal.
        let _absent = std::fs::remove_file(path);
        text.split(PROCESS_END).map(|process| process.lines().map(str::to_owned).collect()).collect()
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
        let finished = self.sandbox.run(&self.program.path, &arguments, self.repository.path())?;
        let trace = self.trace();
        if trace.exists() {
            let append = || {
                let mut file = OpenOptions::new().append(true).open(&trace)?;
                file.write_all(PROCESS_END.as_bytes())
            };
            append().map_err(FixtureError::file("append to", &trace))?;
        }
        Ok(finished)
    }
}
