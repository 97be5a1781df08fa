//! Outlines.

use cucumber::{World, given, then, when};

use crate::{run::Sample, samples::holds};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct ExamplesTables {
    count: i64,
    friends: i64,
}

impl Sample for ExamplesTables {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "there are {int} cucumbers")]
fn cucumbers(world: &mut ExamplesTables, count: i64) {
    world.count = count;
}

/// A step of the sample.
#[given(expr = "there are {int} friends")]
fn friends(world: &mut ExamplesTables, count: i64) {
    world.friends = count;
}

/// A step of the sample.
#[when(expr = "I eat {int} cucumbers")]
fn eaten(world: &mut ExamplesTables, count: i64) {
    world.count -= count;
}

/// A step of the sample.
#[then(expr = "I should have {int} cucumbers")]
fn left(world: &mut ExamplesTables, count: i64) {
    // In the words of the official sample.
    assert!(world.count == count, "Expected values to be strictly equal:\n\n{} !== {count}\n", world.count);
    holds(true);
}

/// A step of the sample.
#[then(expr = "each person can eat {int} cucumbers")]
fn share(world: &mut ExamplesTables, count: i64) {
    assert_eq!(world.count / (1 + world.friends), count);
    holds(true);
}
