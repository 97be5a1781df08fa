//! Groups that take part or do not.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Vegetables;

impl Sample for Vegetables {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(regex = "^a (.*?)(?: and a (.*?))?(?: and a (.*?))?$")]
fn vegetables(_: &mut Vegetables, _one: String, _two: String, _three: String) {}
