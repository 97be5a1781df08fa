//! A world of steps that do nothing, or block.

use std::{thread, time::Duration};

use cucumber::{World, given, when};
use mycelium_accept::catalogue::{Catalogue, Definition, Keyword, Pattern};

/// The catalogue of the steps in this folder.
pub(crate) static CATALOGUE: Catalogue = include!(concat!(env!("OUT_DIR"), "/bench_catalogue.rs"));

/// Nothing.
#[derive(Debug, Default, World)]
pub(crate) struct NoWorld;

/// Does nothing.
#[given("nothing")]
fn nothing(_: &mut NoWorld) {}

/// Does nothing but take a number.
#[when(expr = "{int} of nothing")]
fn number_of_nothing(_: &mut NoWorld, number: u32) {
    std::hint::black_box(number);
}

/// Holds its thread for 50 ms, as one does that waits for a program.
#[when("it blocks")]
fn blocks(_: &mut NoWorld) {
    thread::sleep(Duration::from_millis(50));
}
