//! The operator follows the runbook.

use cucumber::when;
use mycelium_fixtures::process::Ending;

use crate::world::{MyceliumWorld, WorldError, ending_text};

/// Runs every command in the column "look" of that symptom in docs/runbook.md. `RUN` is the scenario's last run, `TASK`
/// the first task of it that has not landed.
#[when(expr = "I look as the runbook says at {string}")]
fn look(world: &mut MyceliumWorld, symptom: String) -> Result<(), WorldError> {
    for line in world.runbook(&symptom)?.look {
        world.run_command(&line)?;
    }
    Ok(())
}

/// Runs every command in the column "mend" of that symptom in docs/runbook.md; each must succeed.
#[when(expr = "I mend as the runbook says at {string}")]
fn mend(world: &mut MyceliumWorld, symptom: String) -> Result<(), WorldError> {
    for line in world.runbook(&symptom)?.mend {
        world.run_command(&line)?;
        let finished = &world.last()?.finished;
        if finished.ending != Ending::Exited(0) {
            let stderr = String::from_utf8_lossy(&finished.stderr).into_owned();
            return Err(WorldError::Mend { line, ending: ending_text(finished.ending), stderr });
        }
    }
    Ok(())
}
