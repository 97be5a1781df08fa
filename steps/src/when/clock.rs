//! A clock that somebody sets, also while the program runs.

use cucumber::when;

use crate::world::{MyceliumWorld, WorldError};

/// The clock is set ahead.
#[when(expr = "the clock is set ahead by {int} hour(s)")]
fn ahead(world: &mut MyceliumWorld, hours: u16) -> Result<(), WorldError> {
    Ok(world.own_clock()?.turn(hours.into())?)
}

/// The clock is set back.
#[when(expr = "the clock is set back by {int} hour(s)")]
fn back(world: &mut MyceliumWorld, hours: u16) -> Result<(), WorldError> {
    Ok(world.own_clock()?.turn(-i64::from(hours))?)
}

/// The clock is set to the first minute of 1970, as a machine has it that lost its time.
#[when(expr = "the clock is set to the year 1970")]
fn to_1970(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    Ok(world.own_clock()?.turn_to_1970()?)
}
