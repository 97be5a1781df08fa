//! Blocks of text.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct DocStrings;

impl Sample for DocStrings {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "a doc string:")]
fn doc_string(_: &mut DocStrings, step: &cucumber::gherkin::Step) {
    assert!(step.docstring.is_some());
}
