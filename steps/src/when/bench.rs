//! Measuring the program.

use cucumber::when;

use crate::world::{MyceliumWorld, WorldError};

/// Measures a figure of the program under test by a quick `accept bench`, which takes turns with the figure's floor.
#[when(expr = "I measure {string}")]
fn measure(world: &mut MyceliumWorld, figure: String) -> Result<(), WorldError> {
    world.run_bench(&figure)
}
