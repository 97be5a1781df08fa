//! Steps that are not written yet.

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
#[given(expr = "an implemented non-pending step")]
fn passes(_: &mut Pending) {}

/// A step of the sample.
#[given(expr = "an implemented step that is skipped")]
fn is_skipped(_: &mut Pending) {}

/// A step of the sample.
#[given(expr = "an unimplemented pending step")]
fn is_pending(_: &mut Pending) {
    context::pending(None)
}
