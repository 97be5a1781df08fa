//! A step that passes and one that fails.

use cucumber::{World, when};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct PassesOrFails;

impl Sample for PassesOrFails {
    const FILE: &str = file!();
}

/// A step of the sample.
#[when(expr = "a step passes")]
fn passes(_: &mut PassesOrFails) {}

/// A step of the sample.
#[when(expr = "a step fails")]
fn fails(_: &mut PassesOrFails) {
    panic!("Exception in step")
}
