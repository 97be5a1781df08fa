//! Backgrounds, of features and of rules.

use cucumber::{World, given, then, when};

use crate::{run::Sample, samples::holds};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Backgrounds;

impl Sample for Backgrounds {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "an order for {string}")]
fn order(_: &mut Backgrounds, _what: String) {}

/// A step of the sample.
#[when(expr = "an action")]
fn action(_: &mut Backgrounds) {}

/// A step of the sample.
#[then(expr = "an outcome")]
fn outcome(_: &mut Backgrounds) {
    holds(true);
}
