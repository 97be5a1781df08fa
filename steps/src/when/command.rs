//! Commands of the operator and deeds of the user.

use std::fs;

use cucumber::when;
use mycelium_fixtures::FixtureError;

use crate::world::{MyceliumWorld, WorldError};

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

/// Deletes a folder of the checkout with all that is in it, for example the planned tasks.
#[when(expr = "the user deletes the folder {string}")]
fn delete_folder(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.stage()?.path().join(path);
    fs::remove_dir_all(&path).map_err(FixtureError::file("delete the folder", path))?;
    Ok(())
}
