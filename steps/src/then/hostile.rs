//! What must not come of hostile agents, plans and arguments.

use cucumber::then;
use mycelium_schemas::evidence::AssertionKind::Fs;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError};

/// Nothing that an agent planted with `plant_in_git` has run.
#[then(expr = "nothing that was planted has run")]
fn never_planted_ran(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = world.stage()?.scripts().planted_traces()?;
    let claim = Claim::new(Fs, "planted_silent", "planted programs that ran", "planted traces");
    world.never(claim, Verdict::equal("", found))
}

/// Something that an agent planted with `plant_in_git` has run: the plants are alive.
#[then(expr = "{string} is among what was planted and has run")]
fn planted_ran(world: &mut MyceliumWorld, plant: String) -> Result<(), WorldError> {
    let found = world.stage()?.scripts().planted_traces()?;
    let held = found.lines().any(|line| line == plant);
    let claim = Claim::new(Fs, "planted_ran", "planted programs that ran", "planted traces");
    world.must(claim, Verdict::of(held, plant, found))
}

/// Outside the repository and Mycelium's own folders, everything is as before the first command.
#[then(expr = "nothing outside the repository has changed")]
fn never_outside_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let before = first.before.outside.clone();
    let after = all.last().map(|last| last.after.outside.clone()).unwrap_or_default();
    let claim = Claim::new(Fs, "outside_unchanged", "files outside", "the scenario's folder");
    world.never(claim, Verdict::equal(before, after))
}
