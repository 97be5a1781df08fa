//! Pictures, shown by the rows of a table.

use cucumber::{World, when};
use mycelium_accept::context::Shown;

use crate::{
    run::Sample,
    samples::{file_beside, show},
};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Images;

impl Sample for Images {
    const FILE: &str = file!();
}

/// A step of the sample.
#[when(expr = "a JPEG image is attached")]
fn jpeg(_: &mut Images) {
    show(Shown::bytes("image/jpeg", file_beside("cucumber.jpeg")));
}

/// A step of the sample.
#[when(expr = "a PNG image is attached")]
fn png(_: &mut Images) {
    show(Shown::bytes("image/png", file_beside("cucumber.png")));
}
