//! The world of one scenario: a sandbox, a repository in it, and what the program under test did so far.

mod answer;
mod artifacts;
mod background;
mod bench;
mod check;
mod clock;
mod command;
mod containers;
mod error;
mod models;
mod observe;
mod parameters;
mod run;
mod runbook;
mod stage;
mod table;

pub use error::WorldError;

pub(crate) use background::Meeting;
pub(crate) use check::{Claim, Verdict, lines};
pub(crate) use command::ending_text;
pub(crate) use containers::{FOREIGN, is_foreign};
pub(crate) use models::Models;
pub(crate) use observe::Observation;
pub(crate) use parameters::{
    Damage, EventType, FixtureName, HiredAgent, ModelInterface, RaggedEnd, RunStatusName, SignalName,
    StopReasonName, TaskName, TaskStatusName, ValidatorName,
};
pub(crate) use run::{JournalLine, summary};
pub(crate) use stage::Stage;
pub(crate) use table::{Table, doc_string, plan};

use std::{collections::BTreeMap, fs, path::PathBuf};

use background::{Orphans, Started};
use command::CommandRun;
use containers::Contained;
use mycelium_fixtures::{
    FixtureError, clock::SettableClock, disk::SmallDisk, files::write_file, sandbox::Sandbox,
};

use mycelium_accept::context::{Context, Record, Scratch};

/// What the steps of one scenario share.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub struct MyceliumWorld {
    context: Context,
    sandbox: Sandbox,
    stage: Option<Stage>,
    commands: Vec<CommandRun>,
    started: Option<Started>,
    /// A command that only looks, beside the started one.
    watching: Option<Started>,
    /// The disk that the home is on, where it has one of its own.
    disk: Option<SmallDisk>,
    /// The clock that the program sees, where it is not the machine's.
    clock: Option<SettableClock>,
    /// The copy of the program that is run instead of the built one.
    installed: Option<PathBuf>,
    second_place: Option<Box<MyceliumWorld>>,
    /// Files that the scenario itself damaged, as it left them.
    damaged: BTreeMap<PathBuf, Vec<u8>>,
    /// What it has in the lane of containers. Dropped when nothing uses it any more.
    contained: Option<Contained>,
    /// The model of its agents, where they ask one.
    models: Option<Models>,
    /// Dropped last: to it an engine of the scenario's own is a process like any other, which is asked until then.
    orphans: Option<Orphans>,
}

impl Drop for MyceliumWorld {
    fn drop(&mut self) {
        // What it would have shown, nobody looked at.
        for command in [&self.started, &self.watching].into_iter().flatten() {
            self.context.recorder.push(Record::Unended(command.text()));
        }
    }
}

impl MyceliumWorld {
    /// Builds the world in the scratch folder that the runner gave this thread.
    pub fn new() -> Result<Self, WorldError> {
        let context = Context::current().ok_or(WorldError::NoContext)?;
        let folder = context.scratch().map_err(WorldError::Scratch)?;
        let contained = Contained::of(&context, folder.clone())?;
        let mut sandbox = Sandbox::create_in(&folder, context.locality.clone())?;
        if let Some(contained) = &contained {
            sandbox.set("DOCKER_HOST", contained.host());
        }
        let mut world = Self::with(context, sandbox, None);
        world.contained = contained;
        Ok(world)
    }

    fn with(context: Context, sandbox: Sandbox, stage: Option<Stage>) -> Self {
        Self {
            context,
            sandbox,
            stage,
            commands: Vec::new(),
            started: None,
            orphans: None,
            watching: None,
            disk: None,
            clock: None,
            installed: None,
            second_place: None,
            damaged: BTreeMap::new(),
            contained: None,
            models: None,
        }
    }

    /// Adds a line to the scenario's log, of which the failure card shows the last ones. Steps print nothing: whose it is
    /// could not be told where scenarios run side by side.
    pub(crate) fn say(&self, line: impl Into<String>) {
        self.context.recorder.push(Record::Log(line.into()));
    }

    /// The sandbox.
    pub(crate) fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }

    /// Sets up a second place just like this one is now.
    pub(crate) fn add_second_place(&mut self) -> Result<(), WorldError> {
        let root = self.sandbox.root().join("second-place");
        let sandbox = self.sandbox.create_alike(&root)?;
        let stage = Some(self.stage()?.copy_to(&root)?);
        let context = Context { scratch: Scratch::at(root), ..self.context.clone() };
        self.second_place = Some(Box::new(Self::with(context, sandbox, stage)));
        Ok(())
    }

    /// The second place.
    pub(crate) fn second_place(&self) -> Result<&Self, WorldError> {
        self.second_place.as_deref().ok_or(WorldError::NoSecondPlace)
    }

    /// The second place, to run something in it.
    pub(crate) fn second_place_mut(&mut self) -> Result<&mut Self, WorldError> {
        self.second_place.as_deref_mut().ok_or(WorldError::NoSecondPlace)
    }

    /// The file that hooks append their traces to.
    pub(crate) fn hook_trace(&self) -> PathBuf {
        self.sandbox.root().join("hook-traces")
    }

    /// Where the linked worktree of the repository is, where there is one.
    pub(crate) fn linked_worktree(&self) -> PathBuf {
        self.sandbox.root().join("linked-worktree")
    }

    /// Where the copy of the repository is, where there is one.
    pub(crate) fn copied_repository(&self) -> PathBuf {
        self.sandbox.root().join("copied-repository")
    }

    /// Where the symbolic link to the repository is, where there is one.
    pub(crate) fn symbolic_link(&self) -> PathBuf {
        self.sandbox.root().join("link-to-repository")
    }

    /// Copies the program out of its build folder; the copy is what runs from now on.
    pub(crate) fn install(&mut self) -> Result<(), WorldError> {
        let folder = self.sandbox.root().join("installed");
        let copy = folder.join("mycelium");
        fs::create_dir_all(&folder).map_err(FixtureError::file("create the folder", &folder))?;
        fs::copy(&self.context.bin, &copy).map_err(FixtureError::file("copy", &copy))?;
        self.installed = Some(copy);
        Ok(())
    }

    /// From now on a shell does something in its own process and becomes the program then.
    pub(crate) fn start_with(&mut self, deed: &str) -> Result<(), WorldError> {
        let script = self.sandbox.root().join("installed/mycelium");
        let text = format!("#!/bin/sh\n{deed}\nexec '{}' \"$@\"\n", self.context.bin.display());
        write_file(&script, text.as_bytes(), true)?;
        self.installed = Some(script);
        Ok(())
    }

    /// Puts the home on a small disk of its own, which this machine may not be able to do.
    pub(crate) fn shrink_home(&mut self, kib: u32) -> Result<(), WorldError> {
        match SmallDisk::new(&self.sandbox.mycelium_home(), kib) {
            Ok(disk) => {
                self.sandbox.run_through(disk.entrance());
                self.disk = Some(disk);
                Ok(())
            }
            Err(why) => {
                self.context.recorder.push(Record::NotRun(why.clone()));
                Err(WorldError::NotHere(why))
            }
        }
    }

    /// The small disk of the home.
    pub(crate) fn disk(&self) -> Result<&SmallDisk, WorldError> {
        let none = || WorldError::Argument("the home has no disk of its own".to_owned());
        self.disk.as_ref().ok_or_else(none)
    }

    /// The home as it is seen from here.
    pub(crate) fn home(&self) -> PathBuf {
        self.disk.as_ref().map_or_else(|| self.sandbox.mycelium_home(), SmallDisk::seen)
    }

    /// Damages a file. As long as it is as the scenario left it, its flaws are none of the program's.
    pub(crate) fn damage(&mut self, path: PathBuf, content: Vec<u8>) -> Result<(), WorldError> {
        fs::write(&path, &content).map_err(FixtureError::file("write", &path))?;
        self.damaged.insert(path, content);
        Ok(())
    }

    /// The folder that the commands run in, with what is in it.
    pub(crate) fn stage(&self) -> Result<&Stage, WorldError> {
        self.stage.as_ref().ok_or(WorldError::NoRepository)
    }

    /// The same, to change it.
    pub(crate) fn stage_mut(&mut self) -> Result<&mut Stage, WorldError> {
        self.stage.as_mut().ok_or(WorldError::NoRepository)
    }

    /// Puts a folder on the stage; a scenario has one.
    pub(crate) fn set_stage(&mut self, mut stage: Stage) -> Result<(), WorldError> {
        if self.stage.is_some() {
            return Err(WorldError::SecondRepository);
        }
        if let Some(contained) = &mut self.contained {
            contained.take_over(&mut stage, &self.sandbox)?;
        }
        self.stage = Some(stage);
        Ok(())
    }
}
