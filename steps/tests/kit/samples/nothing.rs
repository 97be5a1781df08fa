//! No step at all.

use cucumber::World;

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Nothing;

impl Sample for Nothing {
    const FILE: &str = file!();
}
