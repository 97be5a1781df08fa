//! Each status once.

use cucumber::{World, given};
use mycelium_accept::context::{pending, skip};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Statuses;

impl Sample for Statuses {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(regex = "^a step$")]
fn passes(_: &mut Statuses) {}

/// A step of the sample.
#[given(regex = "^a failing step$")]
fn fails(_: &mut Statuses) {
    panic!("whoops")
}

/// A step of the sample.
#[given(regex = "^a pending step$")]
fn is_pending(_: &mut Statuses) {
    pending(None)
}

/// A step of the sample.
#[given(regex = "^a skipped step$")]
fn is_skipped(_: &mut Statuses) {
    skip(None)
}

/// A step of the sample.
#[given(regex = "^an ambiguous (.*?)$")]
fn ambiguous_one(_: &mut Statuses, _what: String) {}

/// A step of the sample.
#[given(regex = "^(.*?) ambiguous step$")]
fn ambiguous_two(_: &mut Statuses, _what: String) {}
