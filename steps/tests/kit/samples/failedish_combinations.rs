//! Statuses behind statuses.

use cucumber::{World, given};
use mycelium_accept::context::{pending, skip};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Failedish;

impl Sample for Failedish {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(regex = "^a step$")]
fn passes(_: &mut Failedish) {}

/// A step of the sample.
#[given(regex = "^a skipped step$")]
fn is_skipped(_: &mut Failedish) {
    skip(None)
}

/// A step of the sample.
#[given(regex = "^a pending step$")]
fn is_pending(_: &mut Failedish) {
    pending(None)
}

/// A step of the sample.
#[given(regex = "^an ambiguous (.*?)$")]
fn ambiguous_one(_: &mut Failedish, _what: String) {}

/// A step of the sample.
#[given(regex = "^(.*?) ambiguous step$")]
fn ambiguous_two(_: &mut Failedish, _what: String) {}

/// A step of the sample.
#[given(regex = "^a failing step$")]
fn fails(_: &mut Failedish) {
    panic!("whoops")
}
