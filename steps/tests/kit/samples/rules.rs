//! Rules.

use cucumber::{World, given, then, when};

use crate::{run::Sample, samples::holds};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Chocolates {
    money: u32,
    stock: u32,
    sold: bool,
}

impl Sample for Chocolates {
    const FILE: &str = file!();
}

/// A step of the sample.
#[given(expr = "the customer has {int} cents")]
fn has_money(world: &mut Chocolates, money: u32) {
    world.money = money;
}

/// A step of the sample.
#[given(expr = "there are chocolate bars in stock")]
fn stock(world: &mut Chocolates) {
    world.stock = 1;
}

/// A step of the sample.
#[given(expr = "there are no chocolate bars in stock")]
fn no_stock(world: &mut Chocolates) {
    world.stock = 0;
}

/// A step of the sample.
#[when(expr = "the customer tries to buy a {int} cent chocolate bar")]
fn buys(world: &mut Chocolates, price: u32) {
    world.sold = world.money >= price && world.stock > 0;
}

/// A step of the sample.
#[then(expr = "the sale should not happen")]
fn not_sold(world: &mut Chocolates) {
    holds(!world.sold);
}

/// A step of the sample.
#[then(expr = "the sale should happen")]
fn sold(world: &mut Chocolates) {
    holds(world.sold);
}
