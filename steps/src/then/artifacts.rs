//! Whether what the program wrote is as its schemas say. The runner also looks after each command.

use cucumber::{gherkin::Step, then};
use mycelium_schemas::evidence::AssertionKind::Fs;

use crate::world::{Claim, MyceliumWorld, Table, Verdict, WorldError, lines};

/// Every line and every file of all runs and of the written tasks is valid by the schema that the program prints; so is
/// the last answer, where it was asked for as JSON.
#[then(expr = "no artifact breaks its schema")]
fn never_broken_artifact(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.never_broken_artifacts()
}

/// All of these were among the artifacts that were looked at (column: artifact; a path in the run's folder or in that
/// of the tasks).
#[then(expr = "these artifacts were checked:")]
fn checked(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    let table = Table::of(step, &["artifact"], &[])?;
    let found = world.artifacts()?.paths;
    let held = table.rows().all(|row| found.iter().any(|path| path == row.text("artifact")));
    let expected = lines(table.rows().map(|row| row.text("artifact")));
    let claim = Claim::new(Fs, "artifacts_checked", "artifacts that have a schema", "all artifacts");
    world.must(claim, Verdict::of(held, expected, lines(found)))
}
