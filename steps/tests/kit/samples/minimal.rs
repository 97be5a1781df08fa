//! One step.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Minimal;

impl Sample for Minimal {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "I have {int} cukes in my belly")]
fn cukes(_: &mut Minimal, _count: u32) {}
