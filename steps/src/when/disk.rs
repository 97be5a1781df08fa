//! A disk that gets full, and is not any more.

use cucumber::when;

use crate::world::{MyceliumWorld, WorldError};

/// Somebody takes up all room of the home's disk.
#[when(expr = "the disk of the home is full")]
fn is_full(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    Ok(world.disk()?.fill()?)
}

/// What took up the room, also by a script's `fill_disk`, is gone.
#[when(expr = "the disk of the home has room again")]
fn has_room(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    Ok(world.disk()?.free()?)
}
