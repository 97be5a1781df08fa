//! A step that skips its scenario, with a reason.

use cucumber::{World, given};
use mycelium_accept::context;

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct SkippedException;

impl Sample for SkippedException {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "I skip a step")]
fn skips(_: &mut SkippedException) {
    context::skip(Some("skipping"))
}
