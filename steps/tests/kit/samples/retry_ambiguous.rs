//! An ambiguous step, which no retry would mend.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Twice;

impl Sample for Twice {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "an ambiguous step")]
fn first(_: &mut Twice) {}

/// A step of the sample.
#[given(expr = "an ambiguous step")]
fn second(_: &mut Twice) {}
