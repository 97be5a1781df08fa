//! Where Mycelium keeps what it writes.

use cucumber::given;

use crate::world::{MyceliumWorld, WorldError};

/// Mycelium's home is on a disk of its own with that much room. Where the machine allows no such disk, the scenario is
/// told as not run.
#[given(expr = "a home with room for {int} KiB")]
fn small_home(world: &mut MyceliumWorld, kib: u32) -> Result<(), WorldError> {
    world.shrink_home(kib)
}
