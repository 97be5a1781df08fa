//! What happens to containers while a run goes on.

use std::{fs, path::Path};

use cucumber::when;
use mycelium_fixtures::containers::tunnel;

use crate::world::{MyceliumWorld, TaskName, WorldError};

/// Somebody kills the container that the agent of a task is at work in.
#[when(expr = "the container of task {task} is killed")]
fn killed(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let id = world.agent_container(task.as_str())?.id;
    world.engine()?.kill(&id).map_err(WorldError::Engine)
}

/// Somebody stops the container that the agent of a task is at work in and starts it again.
#[when(expr = "the container of task {task} is restarted")]
fn restarted(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let id = world.agent_container(task.as_str())?.id;
    world.engine()?.restart(&id).map_err(WorldError::Engine)
}

/// Somebody kills the container that the doctor is at work in.
#[when(expr = "the container of the doctor is killed")]
fn doctor_killed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let id = world.doctor_container()?.id;
    world.engine()?.kill(&id).map_err(WorldError::Engine)
}

/// Somebody stops the container that the doctor is at work in, as `docker stop` does.
#[when(expr = "the container of the doctor is stopped")]
fn doctor_stopped(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let id = world.doctor_container()?.id;
    world.engine()?.stop(&id).map_err(WorldError::Engine)
}

/// Somebody removes the container that the agent of a task is at work in.
#[when(expr = "the container of task {task} is removed")]
fn removed(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let id = world.agent_container(task.as_str())?.id;
    world.engine()?.remove(&id).map_err(WorldError::Engine)
}

/// Waits until the log of the started command says that the agent of a task is at work.
#[when(expr = "the log says that the agent of task {task} is at work")]
fn at_work(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    world.wait_for_start(task.as_str())
}

/// Somebody makes an empty file in the workspace of a task, in the container that its agent is at work in: so an agent is
/// let go on whose engine sees no folder of this machine.
#[when(expr = "the file {string} appears in the container of task {task}")]
fn file_appears(world: &mut MyceliumWorld, name: String, task: TaskName) -> Result<(), WorldError> {
    let id = world.agent_container(task.as_str())?.id;
    world.engine()?.make_file(&id, "/workspace", &name).map_err(WorldError::Engine)
}

/// Somebody pauses the container that the agent of a task is at work in.
#[when(expr = "the container of task {task} is paused")]
fn paused(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let id = world.agent_container(task.as_str())?.id;
    world.engine()?.pause(&id).map_err(WorldError::Engine)
}

/// Somebody lets the paused container of a task go on.
#[when(expr = "the container of task {task} goes on")]
fn unpaused(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let id = world.agent_container(task.as_str())?.id;
    world.engine()?.unpause(&id).map_err(WorldError::Engine)
}

/// Waits for the end of what an agent of a task does in its container, whoever follows it.
#[when(expr = "the container of task {task} has ended")]
fn ended(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    world.wait_for_agent(task.as_str())
}

/// Somebody's own git, which trusts what it finds, tells the status of the workspace of a task, which must be there still.
#[when(expr = "a git that trusts it looks at the workspace of task {task}")]
fn git_looks(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let workspace = world.workspace(task.as_str())?;
    let words = ["status", "--short"].map(str::to_owned);
    // Whatever it answers: only what it started is of interest.
    let _ = world.sandbox().run(Path::new("git"), &words, &workspace)?;
    Ok(())
}

/// Makes a container for the run and the task, and never starts it, as an orchestrator leaves it that is killed in between.
#[when(expr = "the container of task {task} is replaced by one that never started")]
fn never_started(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let found = world.agent_container(task.as_str())?;
    let root = world.sandbox().root().to_owned();
    let engine = world.engine()?;
    engine.remove(&found.id).map_err(WorldError::Engine)?;
    let labels: Vec<(&str, &str)> =
        found.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    engine.make_foreign(&found.name, &labels, &root).map_err(WorldError::Engine)
}

/// From now on the program reaches the scenario's own engine by a port, which could lead to another machine.
#[when(expr = "the container engine is reached by another address")]
fn another_address(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let address = tunnel::open(&world.own_engine()?.host()).map_err(WorldError::Engine)?;
    world.sandbox().set("DOCKER_HOST", address);
    Ok(())
}

/// From now on the program reaches the scenario's own engine by its socket again.
#[when(expr = "the container engine is reached by its own address")]
fn own_address(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let address = world.own_engine()?.host();
    world.sandbox().set("DOCKER_HOST", address);
    Ok(())
}

/// From now on commands are those of another machine, which has a home of its own at the same path and asks the same engine.
#[when(expr = "another machine has its home at the same path")]
fn another_home(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let home = world.sandbox().mycelium_home();
    let changed = fs::rename(&home, home.with_extension("here")).and_then(|()| fs::create_dir(&home));
    changed.map_err(|error| WorldError::Engine(format!("{}: {error}", home.display())))
}

/// From now on commands are those of this machine again, which has its own home.
#[when(expr = "this machine has its own home again")]
fn own_home(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let home = world.sandbox().mycelium_home();
    let (here, there) = (home.with_extension("here"), home.with_extension("there"));
    let changed = fs::rename(&home, there).and_then(|()| fs::rename(here, &home));
    changed.map_err(|error| WorldError::Engine(format!("{}: {error}", home.display())))
}

/// Runs a command line in the second place only.
#[when(expr = "I run {string} in the second place")]
fn run_in_second_place(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    world.second_place_mut()?.run_command(&line)
}

/// The scenario's own engine is stopped, as its operator would, and with it what runs in its containers.
#[when(expr = "the container engine is stopped")]
fn engine_stopped(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.own_engine()?.stop().map_err(WorldError::Engine)
}

/// The scenario's own engine is killed. What runs in its containers goes on for now.
#[when(expr = "the container engine is killed")]
fn engine_killed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.own_engine()?.kill().map_err(WorldError::Engine)
}

/// All room of the disk of the scenario's own engine is taken up.
#[when(expr = "the disk of the container engine is full")]
fn engine_disk_full(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    Ok(world.engine_disk()?.fill()?)
}

/// What took up the room of the engine's disk is gone.
#[when(expr = "the disk of the container engine has room again")]
fn engine_disk_free(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    Ok(world.engine_disk()?.free()?)
}

/// The scenario's own engine is there again.
#[when(expr = "the container engine is started again")]
fn engine_started(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.own_engine()?.start_again().map_err(WorldError::Engine)
}
