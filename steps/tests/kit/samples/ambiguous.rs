//! A step that means two things.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Ambiguous;

impl Sample for Ambiguous {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(regex = "^a (.*?) with (.*?)$")]
fn first(_: &mut Ambiguous, _what: String, _with: String) {}

/// A step of the sample.
#[given(regex = "^a step with (.*?)$")]
fn second(_: &mut Ambiguous, _with: String) {}
