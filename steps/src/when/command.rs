//! Commands of the operator and deeds of the user.

use std::fs;

use cucumber::{gherkin::Step, when};
use mycelium_fixtures::FixtureError;

use crate::world::{MyceliumWorld, WorldError, doc_string};

/// Runs the program in the repository's root and waits for its end. Single quotes keep blanks together.
#[when(expr = "I run {string}")]
fn run(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    world.run_command(&line)
}

/// Runs the same command in this place and in the second one.
#[when(expr = "I run {string} in both places")]
fn run_in_both(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    world.run_command(&line)?;
    world.second_place_mut()?.run_command(&line)
}

/// Runs the program in the linked worktree of the repository.
#[when(expr = "I run {string} in the linked worktree")]
fn run_in_worktree(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    let folder = world.linked_worktree();
    world.run_command_in(&line, &folder)
}

/// Runs the program through the symbolic link to the repository.
#[when(expr = "I run {string} through the symbolic link")]
fn run_through_link(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    let folder = world.symbolic_link();
    world.run_command_in(&line, &folder)
}

/// Runs the program with another folder for what it keeps.
#[when(expr = "I run {string} with another home")]
fn run_with_other_home(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    let home = world.sandbox().root().join("other-home");
    world.sandbox().set("MYCELIUM_HOME", home);
    let result = world.run_command(&line);
    world.sandbox().unset("MYCELIUM_HOME");
    result
}

/// Runs the program in the copy of the repository.
#[when(expr = "I run {string} in the copy of the repository")]
fn run_in_copy(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    let folder = world.copied_repository();
    world.run_command_in(&line, &folder)
}

/// Runs the program with the same home, named through a symbolic link and with dots.
#[when(expr = "I run {string} with the home spelled in another way")]
fn run_with_home_respelled(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    let (home, link) = (world.sandbox().mycelium_home(), world.sandbox().root().join("link-to-home"));
    std::os::unix::fs::symlink(&home, &link).map_err(FixtureError::file("make the link", &link))?;
    world.sandbox().set("MYCELIUM_HOME", link.join("projects/../."));
    let result = world.run_command(&line);
    world.sandbox().unset("MYCELIUM_HOME");
    result
}

/// The user writes a file of the checkout; one that may be executed still may.
#[when(expr = "the user writes the file {string}:")]
fn user_writes(world: &mut MyceliumWorld, path: String, step: &Step) -> Result<(), WorldError> {
    let path = world.stage()?.path().join(path);
    fs::write(&path, doc_string(step)?).map_err(FixtureError::file("write", path))?;
    Ok(())
}

/// The user changes settings (YAML) of the configuration; the others stay as they are.
#[when(expr = "the user changes the configuration:")]
fn user_configures(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    world.stage_mut()?.configure(doc_string(step)?)
}

/// Where runs are in containers, the user adds their image to the configuration that is there; elsewhere nothing is wanted.
#[when(expr = "the user names the image of containers")]
fn user_names_image(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let Ok(engine) = world.engine() else { return Ok(()) };
    let image = format!("\ndocker: {{image: '{}', network_mode: none}}\n", engine.image);
    let path = world.stage()?.path().join(".mycelium/config.yaml");
    let text = fs::read_to_string(&path).map_err(FixtureError::file("read", &path))?;
    fs::write(&path, text + &image).map_err(FixtureError::file("write", path))?;
    Ok(())
}

/// Deletes a folder of the checkout with all that is in it, for example the planned tasks.
#[when(expr = "the user deletes the folder {string}")]
fn delete_folder(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.stage()?.path().join(path);
    fs::remove_dir_all(&path).map_err(FixtureError::file("delete the folder", path))?;
    Ok(())
}
