//! Which clock the program sees.

use cucumber::given;

use crate::world::{MyceliumWorld, WorldError};

/// The program sees a clock of the scenario's in the place of the machine's, right at first. Where this machine has no
/// libfaketime, which `.ci/chaos` installs, the scenario is told as not run.
#[given(expr = "a clock that can be set")]
fn settable(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.get_own_clock()
}
