//! What the user's checkout looks like, compared with the moment before the scenario's first command.

use std::fs;

use cucumber::then;
use mycelium_fixtures::hooks;
use mycelium_schemas::evidence::AssertionKind::Fs;

use crate::world::{Claim, MyceliumWorld, Observation, Verdict, WorldError, lines};

/// `HEAD`, index, stash, configuration, hooks and every file of the checkout but `.mycelium/` are as they were.
#[then(expr = "the user's checkout has not changed")]
fn never_checkout_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let before = first.before.checkout.clone().ok_or(WorldError::NoGit)?;
    let after = all.last().and_then(|last| last.after.checkout.clone()).ok_or(WorldError::NoGit)?;
    let claim = Claim::new(Fs, "checkout_unchanged", "the user's checkout", "the checkout");
    world.never(claim, Verdict::equal(before, after))
}

/// Index and tracked files of the checkout are as the commit that is checked out has them.
#[then(expr = "the checkout has no uncommitted change")]
fn never_checkout_dirty(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = lines(world.stage()?.git()?.uncommitted()?);
    let claim = Claim::new(Fs, "checkout_clean", "uncommitted changes of tracked files", "the checkout");
    world.never(claim, Verdict::equal("", found))
}

/// Git's stash holds what it held before the first command.
#[then(expr = "the user's stash has not changed")]
fn never_stash_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let stash = |look: &Observation| look.refs.get("refs/stash").cloned().unwrap_or_default();
    let found = all.last().map(|last| stash(&last.after)).unwrap_or_default();
    let claim = Claim::new(Fs, "stash_unchanged", "the user's stash", "git refs");
    world.never(claim, Verdict::equal(stash(&first.before), found))
}

/// None of the hooks that would leave a trace has left one.
#[then(expr = "no hook has run")]
fn never_hook_ran(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = hooks::traces(&world.hook_trace())?;
    world.never(
        Claim::new(Fs, "hooks_silent", "git hooks of the user", "hook traces"),
        Verdict::equal("", found),
    )
}

/// The checkout holds that file.
#[then(expr = "the checkout holds the file {string}")]
fn checked_out(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let found = if world.stage()?.path().join(&path).is_file() { "a file" } else { "no file" };
    world.must(Claim::new(Fs, "checkout_holds", path, "the checkout"), Verdict::equal("a file", found))
}

/// The checkout does not hold that file.
#[then(expr = "the checkout does not hold the file {string}")]
fn never_checked_out(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let file = world.stage()?.path().join(&path);
    let found = if fs::symlink_metadata(&file).is_ok() { "a file" } else { "no file" };
    world.never(Claim::new(Fs, "checkout_lacks", path, "the checkout"), Verdict::equal("no file", found))
}
