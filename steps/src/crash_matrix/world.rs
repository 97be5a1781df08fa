//! One place in which a scene is played.

use std::path::{Path, PathBuf};

use mycelium_fixtures::{
    FixtureError,
    process::Ending,
    repository::FixtureRepository,
    sandbox::{Finished, Sandbox},
};
use serde_json::Value;

use crate::{
    program::Program,
    scene::{RUN, Scene},
};

/// Calls that the program has to be done in, after it was disturbed.
const CALLS_MAX: usize = 2;

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
        if !matches!(scene, Scene::Init | Scene::FirstPlan) {
            let _planned = world.call(&["plan", "--input", ".mycelium/plan.md"])?;
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
            let resumed = world.call(&["resume", "--json"])?;
            let answer = serde_json::from_slice::<Value>(&resumed.stdout).unwrap_or_default();
            let nothing_begun = resumed.ending == Ending::Exited(0) && answer["run_id"].is_null();
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
            if last.ending == Ending::Exited(0) {
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

    fn is_complete(&mut self) -> Result<bool, FixtureError> {
        Ok(self.status()?["status"] == "complete")
    }

    /// The points reached so far, in order; tells them once.
    pub(crate) fn reached(&self) -> Vec<String> {
        let path = self.trace();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        // A trace that was never begun needs no removal.
        let _absent = std::fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
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
