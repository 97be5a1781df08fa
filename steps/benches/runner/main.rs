//! What the runner costs: `cargo bench -p mycelium-steps --bench runner`.
//!
//! Trivial scenarios run beside the bare `cucumber` crate, in one process and taking turns; scenarios that block; the
//! memory of long runs and of a lint, each in a process of its own; and the way to the first step of `accept run`. Every
//! figure has its goal, and one that misses it is exit code 1. No test depends on it.
#![expect(clippy::print_stdout, reason = "a benchmark talks on standard output")]

mod beside;
mod blocking;
mod first_step;
mod measure;
mod memory;
mod suite;
mod world;

use measure::{Failed, Figures};

fn main() -> Result<(), Failed> {
    // Memory is that of a whole process, so the benchmark starts itself for it.
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == memory::ALONE) {
        return memory::alone(&words[at + 1..]);
    }
    let mut figures = Figures::default();
    first_step::measure(&mut figures)?;
    beside::measure(&mut figures)?;
    blocking::measure(&mut figures)?;
    memory::measure(&mut figures)?;
    figures.judge()
}
