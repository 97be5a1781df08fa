//! Steps that mean nothing.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Undefined;

impl Sample for Undefined {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "an implemented step")]
fn passes(_: &mut Undefined) {}

/// A step of the sample.
#[given(expr = "a step that will be skipped")]
fn is_skipped(_: &mut Undefined) {}
