//! The simulation can fail: every way to be wrong that it knows is noticed, and soon.

#![expect(clippy::expect_used, reason = "a test that cannot go on may panic")]

use clap::ValueEnum;
use mycelium_sim::{Dice, Mutant, Played, canary, play, play_seeds};

/// Within so many runs each must be noticed. The rarest needs a widening that meets another task's lock.
const RUNS: u64 = 10_000;

#[test]
fn every_mutant_is_noticed_soon() {
    let alive: Vec<String> = Mutant::value_variants()
        .iter()
        .filter(|mutant| match play_seeds(0..RUNS, Some(**mutant)) {
            Played::Broken(seed, failure) => {
                println!("{:>26} by seed {seed:>3}: {failure}", mutant.name());
                false
            }
            Played::Kept(_) | Played::Hangs(_) => true,
        })
        .map(|mutant| mutant.name())
        .collect();
    assert!(alive.is_empty(), "nobody noticed {alive:?} in {RUNS} runs");
}

#[test]
fn the_canary_dies_of_what_it_should_die_of() {
    let failure = canary().expect_err("an orchestrator that never syncs its journal loses what it promised");
    assert!(failure.why.contains("was durable"), "{failure}");
}

#[test]
fn a_run_that_goes_on_for_ever_fails_with_its_seed() {
    let failure = play(Dice::bytes_of_seed(1), Some(Mutant::BatchNeverCloses)).expect_err("it never ends");
    assert_eq!(failure.why, "the run does not end");
}
