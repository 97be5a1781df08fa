//! A table, transposed.

use cucumber::{World, then, when};

use crate::{run::Sample, samples::holds};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct DataTables {
    transposed: Vec<Vec<String>>,
}

impl Sample for DataTables {
    const FILE: &str = file!();
}

fn rows(step: &cucumber::gherkin::Step) -> Vec<Vec<String>> {
    step.table.iter().flat_map(|table| table.rows.clone()).collect()
}

/// A step of the sample.
#[when(expr = "the following table is transposed:")]
fn transposed(world: &mut DataTables, step: &cucumber::gherkin::Step) {
    let rows = rows(step);
    let width = rows.first().map_or(0, Vec::len);
    world.transposed =
        (0..width).map(|column| rows.iter().map(|row| row[column].clone()).collect()).collect();
}

/// A step of the sample.
#[then(expr = "it should be:")]
fn compared(world: &mut DataTables, step: &cucumber::gherkin::Step) {
    holds(world.transposed == rows(step));
}
