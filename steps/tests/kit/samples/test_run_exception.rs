//! A run that cannot begin.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Step;

impl Sample for Step {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "a step")]
fn passes(_: &mut Step) {}
