//! Scenarios that hold their threads do not hold up each other.

use std::time::Instant;

use crate::{
    measure::{Failed, Figures, middle},
    suite::Features,
};

const SCENARIOS: usize = 64;
const ROUNDS: usize = 5;

pub(crate) fn measure(figures: &mut Figures) -> Result<(), Failed> {
    let features = Features::write(SCENARIOS, "When it blocks")?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        features.run(SCENARIOS)?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    figures.add("time of 64 scenarios that block 50 ms", middle(times), 200.0, "ms");
    Ok(())
}
