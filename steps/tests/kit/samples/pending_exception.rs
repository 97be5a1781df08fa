//! A step that is not written yet, with a reason.

use cucumber::{World, given};
use mycelium_accept::context;

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct PendingException;

impl Sample for PendingException {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "an unimplemented pending step")]
fn is_pending(_: &mut PendingException) {
    context::pending(Some("TODO"))
}
