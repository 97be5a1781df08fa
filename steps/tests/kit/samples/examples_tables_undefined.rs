//! Outlines with undefined steps.

use cucumber::{World, given, then, when};

use crate::{run::Sample, samples::holds};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Cucumbers {
    count: i64,
}

impl Sample for Cucumbers {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "there are {int} cucumbers")]
fn cucumbers(world: &mut Cucumbers, count: i64) {
    world.count = count;
}

/// A step of the sample.
#[when(expr = "I eat {int} cucumbers")]
fn eaten(world: &mut Cucumbers, count: i64) {
    world.count -= count;
}

/// A step of the sample.
#[then(expr = "I should have {int} cucumbers")]
fn left(world: &mut Cucumbers, count: i64) {
    assert_eq!(world.count, count);
    holds(true);
}
