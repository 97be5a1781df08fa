//! What the user has in the checkout and in the environment.

use std::fs;

use cucumber::given;
use mycelium_fixtures::{FixtureError, hooks, repository::Hiding};

use crate::world::{MyceliumWorld, WorldError};

/// The user works on another branch, made at the current head.
#[given(expr = "the user has checked out the branch {string}")]
fn other_branch(world: &mut MyceliumWorld, branch: String) -> Result<(), WorldError> {
    Ok(world.stage()?.git()?.check_out_new_branch(&branch)?)
}

/// A tracked file has a line more than the last commit; nothing is staged.
#[given(expr = "the user has made a change of the file {string}")]
fn changed_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let file = world.stage()?.path().join(&path);
    let text = fs::read_to_string(&file).map_err(FixtureError::file("read", &file))?;
    Ok(world.stage()?.write(&path, &format!("{text}a line of the user\n"))?)
}

/// A tracked file has a line more than the last commit, and git was told not to look at it, by `assume-unchanged` or
/// `skip-worktree`.
#[given(expr = "the user has hidden a change of the file {string} from git by {word}")]
fn hidden_file(world: &mut MyceliumWorld, path: String, how: String) -> Result<(), WorldError> {
    let hiding = Hiding::from_name(&how).ok_or(WorldError::UnknownHiding(how))?;
    world.stage()?.git()?.hide(&path, hiding)?;
    changed_file(world, path)
}

/// A tracked file has a line more than the last commit, and that is staged.
#[given(expr = "the user has staged a change of the file {string}")]
fn staged_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    changed_file(world, path.clone())?;
    Ok(world.stage()?.git()?.stage(&path)?)
}

/// A change of a tracked file lies in git's stash; the checkout is clean again.
#[given(expr = "the user has stashed a change of the file {string}")]
fn stashed_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    changed_file(world, path)?;
    Ok(world.stage()?.git()?.stash()?)
}

/// A file that git does not know lies in the checkout.
#[given(expr = "the user has the untracked file {string}")]
fn untracked_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    Ok(world.stage()?.write(&path, "a file of the user\n")?)
}

/// Every git hook of the repository would leave a trace if it ran.
#[given(expr = "the repository has hooks that leave traces")]
fn hooks_that_leave_traces(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let trace = world.hook_trace();
    Ok(hooks::install(world.stage()?.git()?.path(), &trace)?)
}
