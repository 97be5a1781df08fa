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
    // Where nothing ran, there is nothing to find.
    world.last()?;
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

/// That file of the checkout contains the text.
#[then(expr = "the file {string} of the checkout contains {string}")]
fn checkout_contains(world: &mut MyceliumWorld, path: String, wanted: String) -> Result<(), WorldError> {
    let file = world.stage()?.path().join(&path);
    let found = fs::read_to_string(&file).unwrap_or_else(|error| error.to_string());
    let claim = Claim::new(Fs, "checkout_contains", path, "the checkout");
    world.must(claim, Verdict::of(found.contains(&wanted), wanted, found))
}

/// Below `.mycelium/`, nothing but tasks and runs has changed since before the first command.
#[then(expr = "Mycelium's own files have not changed")]
fn never_own_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let before = first.before.own.clone();
    let after = all.last().map(|last| last.after.own.clone()).unwrap_or_default();
    let claim = Claim::new(Fs, "own_unchanged", "configuration, doctor and plan", ".mycelium");
    world.never(claim, Verdict::equal(before, after))
}

/// That file of `.mycelium/` is byte for byte what it was before the first command, and it was there.
#[then(expr = "Mycelium's own file {string} has not changed")]
fn never_own_file_changed(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let line = |look: &Observation| {
        let start = format!("file {path} ");
        look.own.lines().find(|line| line.starts_with(&start)).map(str::to_owned)
    };
    let before = line(&first.before);
    let after = all.last().and_then(|last| line(&last.after));
    let held = before.is_some() && before == after;
    let show = |line: Option<String>| line.unwrap_or_else(|| "no file".to_owned());
    let claim = Claim::new(Fs, "own_file_unchanged", path, ".mycelium");
    world.never(claim, Verdict::of(held, show(before), show(after)))
}
