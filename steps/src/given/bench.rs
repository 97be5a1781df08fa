//! What figures of the program are compared with.

use std::env::consts;

use cucumber::given;

use crate::world::{MyceliumWorld, WorldError};

/// The CPU time that a figure of `accept bench` may cost on this class of machine, in thousandths of that of its floor, is
/// this much and 60 percent.
#[given(expr = "the baseline of {string} is {int} thousandth(s) of its floor")]
fn baseline(world: &mut MyceliumWorld, figure: String, value: u64) -> Result<(), WorldError> {
    let stage = world.stage()?;
    let machine = format!("{}-{}", consts::OS, consts::ARCH);
    let text = format!(
        "tolerance_percent: {{instructions: 5, cpu-ratio: 60}}\nmachines:\n  - machine: {machine}\n    figures:\n      \
         - {{figure: {figure}, measure: cpu-ratio, value: {value}}}\n"
    );
    // The folder of goals makes it a checkout that `accept` works in.
    stage.write("traceability/goals/.keep", "")?;
    Ok(stage.write("traceability/bench.yaml", &text)?)
}
