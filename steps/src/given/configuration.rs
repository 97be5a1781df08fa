//! How Mycelium is configured.

use cucumber::{gherkin::Step, given};

use crate::world::{MyceliumWorld, WorldError, doc_string};

/// Settings (YAML) merged over the configuration so far; the fixture's branch and doctor are set from the start.
#[given(expr = "the configuration:")]
fn configuration(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    world.stage_mut()?.configure(doc_string(step)?)
}

/// The whole text of `config.yaml` as it stands, right or wrong.
#[given(expr = "the configuration file:")]
fn configuration_file(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    world.stage()?.replace_configuration(doc_string(step)?)
}
