//! Steps that skip their scenario.

use cucumber::{World, given};
use mycelium_accept::context;

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Skipped;

impl Sample for Skipped {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "a step that does not skip")]
fn passes(_: &mut Skipped) {}

/// A step of the sample.
#[given(expr = "a step that is skipped")]
fn is_skipped(_: &mut Skipped) {}

/// A step of the sample.
#[given(expr = "I skip a step")]
fn skips(_: &mut Skipped) {
    context::skip(None)
}
