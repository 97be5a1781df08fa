//! What XML would have to escape.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Cdata;

impl Sample for Cdata {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "I have {int} <![CDATA[cukes]]> in my belly")]
fn cukes(_: &mut Cdata, _count: u32) {}
