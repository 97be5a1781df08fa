//! Several files.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Orders;

impl Sample for Orders {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "an order for {string}")]
fn order(_: &mut Orders, _what: String) {}
