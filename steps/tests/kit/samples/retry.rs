//! Steps that fail at first, which is all that counts here.

use std::sync::atomic::{AtomicUsize, Ordering};

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Retry;

impl Sample for Retry {
    const FILE: &str = file!();
}

/// How often the step was called that passes the second time, and the one that passes the third time.
static CALLS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// A step of the sample.
#[given(expr = "a step that always passes")]
fn passes(_: &mut Retry) {}

/// A step of the sample.
#[given(expr = "a step that passes the second time")]
fn passes_second(_: &mut Retry) {
    assert!(CALLS[0].fetch_add(1, Ordering::Relaxed) >= 1, "Exception in step");
}

/// A step of the sample.
#[given(expr = "a step that passes the third time")]
fn passes_third(_: &mut Retry) {
    assert!(CALLS[1].fetch_add(1, Ordering::Relaxed) >= 2, "Exception in step");
}

/// A step of the sample.
#[given(expr = "a step that always fails")]
fn fails(_: &mut Retry) {
    panic!("Exception in step")
}
