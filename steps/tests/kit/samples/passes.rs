//! A step that passes.

use cucumber::{World, when};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Passes;

impl Sample for Passes {
    const FILE: &str = file!();
}

/// A step of the sample.
#[when(expr = "a step passes")]
fn passes(_: &mut Passes) {}
