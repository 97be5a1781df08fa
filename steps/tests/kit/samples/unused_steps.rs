//! A step that no scenario uses.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Used;

impl Sample for Used {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "a step that is used")]
fn used(_: &mut Used) {}

/// A step of the sample.
#[given(expr = "a step that is not used")]
fn unused(_: &mut Used) {}
