//! What the scenario works on.

use cucumber::given;
use mycelium_fixtures::FixtureError;

use crate::world::{FixtureName, MyceliumWorld, Stage, WorldError};

/// A fixture repository, committed on the branch `main`, which is checked out and clean, with a working configuration.
#[given(expr = "the repository {fixture}")]
fn repository(world: &mut MyceliumWorld, fixture: FixtureName) -> Result<(), WorldError> {
    let stage = Stage::fixture(world.sandbox().root(), fixture.0)?;
    world.set_stage(stage)
}

/// A second place with the same repository, configuration, plan and environment, in other folders: for comparing.
#[given(expr = "a second place like this one")]
fn second_place(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.add_second_place()
}

/// A configured git repository that has no commit yet, so that its branch is unborn.
#[given(expr = "a repository without a commit")]
fn unborn_repository(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let stage = Stage::unborn(world.sandbox().root())?;
    world.set_stage(stage)
}

/// A configured folder that git does not know.
#[given(expr = "a folder that is not a git repository")]
fn plain_folder(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let stage = Stage::plain_folder(world.sandbox().root())?;
    world.set_stage(stage)
}

/// Removes a file of the checkout, for example the doctor.
#[given(expr = "the file {string} is missing")]
fn file_is_missing(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.stage()?.path().join(path);
    std::fs::remove_file(&path).map_err(FixtureError::file("remove", path))?;
    Ok(())
}
