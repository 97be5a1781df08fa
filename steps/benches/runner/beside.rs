//! A thousand trivial scenarios, beside the bare `cucumber` crate: its default runner, and its writer into nothing.

use std::io;

use cucumber::{World as _, writer};
use tokio::runtime::Runtime;

use crate::{
    measure::{Failed, Figures, cpu, middle},
    suite::{Features, TRIVIAL},
    world::NoWorld,
};

const SCENARIOS: usize = 1000;
const ROUNDS: usize = 9;
const JOBS: usize = 4;

pub(crate) fn measure(figures: &mut Figures) -> Result<(), Failed> {
    let features = Features::write(SCENARIOS, TRIVIAL)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begin = cpu();
        features.run(JOBS)?;
        ours.push(cpu() - begin);
        let begin = cpu();
        run_bare(&runtime, &features);
        bare.push(cpu() - begin);
    }
    let (ours, bare) = (middle(ours), middle(bare));
    println!("{SCENARIOS} scenarios of 3 steps, CPU: {ours:.1} ms with messages written, bare {bare:.1} ms");
    figures.add("CPU of 1,000 scenarios, as a multiple of the bare crate's", ours / bare, 2.0, "times");
    Ok(())
}

fn run_bare(runtime: &Runtime, features: &Features) {
    let writer = writer::Basic::new(io::sink(), writer::Coloring::Never, 0);
    runtime.block_on(NoWorld::cucumber().with_writer(writer).with_default_cli().run(features.folder()));
}
