//! What the scenario works on.

use cucumber::{gherkin::Step, given};
use mycelium_fixtures::{FixtureError, files::copy_folder};

use crate::world::{FixtureName, MyceliumWorld, Stage, WorldError, doc_string};

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

/// Removes a folder of the checkout with all that is in it, for example `.mycelium`.
#[given(expr = "the folder {string} is missing")]
fn folder_is_missing(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.stage()?.path().join(path);
    std::fs::remove_dir_all(&path).map_err(FixtureError::file("remove", path))?;
    Ok(())
}

/// A file of the checkout holds exactly that text; its folders are made.
#[given(expr = "the file {string} holds:")]
fn file_holds(world: &mut MyceliumWorld, path: String, step: &Step) -> Result<(), WorldError> {
    Ok(world.stage()?.write(&path, doc_string(step)?)?)
}

/// The integration branch has one more commit: the link of a submodule, which the checkout has not fetched.
#[given(expr = "the repository has a submodule at {string}")]
fn submodule(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    Ok(world.stage()?.git()?.add_submodule(&path)?)
}

/// A symbolic link in the checkout, with its target as it stands.
#[given(expr = "the path {string} is a symbolic link to {string}")]
fn symbolic_link(world: &mut MyceliumWorld, path: String, target: String) -> Result<(), WorldError> {
    let path = world.stage()?.path().join(path);
    std::os::unix::fs::symlink(target, &path).map_err(FixtureError::file("make the link", path))?;
    Ok(())
}

/// The same repository has a linked worktree on a branch of its own and a symbolic link to its root, both with the same
/// configuration and tasks.
#[given(expr = "other ways to the same repository")]
fn other_ways(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (worktree, link) = (world.linked_worktree(), world.symbolic_link());
    let stage = world.stage()?;
    stage.git()?.add_worktree(&worktree)?;
    copy_folder(&stage.path().join(".mycelium"), &worktree.join(".mycelium"))?;
    std::os::unix::fs::symlink(stage.path(), &link).map_err(FixtureError::file("make the link", link))?;
    Ok(())
}

/// A copy of the repository in another folder, with the same configuration and tasks: another repository to git.
#[given(expr = "a copy of the repository")]
fn copied(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let copy = world.copied_repository();
    Ok(copy_folder(world.stage()?.path(), &copy)?)
}

/// The lock of the repository's orchestrator says that a process holds it which is long gone.
#[given(expr = "a lock that a dead process has left")]
fn stale_lock(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let lock =
        r#"{"pid": 4194304, "host": "elsewhere", "since": "2001-02-03T04:05:06Z", "doing": "run long-ago"}"#;
    Ok(world.stage()?.write(".git/mycelium.lock", lock)?)
}
