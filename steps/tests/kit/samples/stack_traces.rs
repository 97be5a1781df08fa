//! An error with its place.

use cucumber::{World, when};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct StackTraces;

impl Sample for StackTraces {
    const FILE: &str = file!();
}

/// A step of the sample.
#[when(expr = "a step throws an exception")]
fn throws(_: &mut StackTraces) {
    panic!("BOOM")
}
