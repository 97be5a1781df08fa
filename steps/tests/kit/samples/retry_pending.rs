//! A pending step, which no retry would mend.

use cucumber::{World, given};
use mycelium_accept::context;

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Pending;

impl Sample for Pending {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "a pending step")]
fn is_pending(_: &mut Pending) {
    context::pending(None)
}
