//! A few hundred simulated runs with every test run; `cargo sim --runs 100000` plays as many as one likes.

use std::collections::BTreeMap;

use mycelium_sim::{Dice, play};

const RUNS: u64 = 300;

/// What a few hundred runs must meet, or they prove nothing about it.
const SITUATIONS: [&str; 30] = [
    "a branch put back",
    "a candidate cut",
    "a crash in recovery",
    "a kill",
    "a power cut",
    "a run that stopped for a rewound branch",
    "a torn journal",
    "a commit gone",
    "a wait before another attempt",
    "an intent carried out",
    "an intent carried out and built on",
    "an intent not carried out",
    "an intent overtaken",
    "another crash in the same recovery",
    "budget.block",
    "budget.warn",
    "journal.truncated",
    "landing.conflict",
    "landing.doctor_fail",
    "landing.refused",
    "manifest.block",
    "review.approve",
    "review.reject",
    "review.retry",
    "run.complete",
    "task.landed",
    "task.rescope",
    "task.retry",
    "validator.block",
    "worker.lost",
];

#[test]
fn whatever_happens_every_promise_is_kept_and_much_happens() {
    let mut seen = BTreeMap::<&str, u64>::new();
    for seed in 0..RUNS {
        let summary = play(Dice::bytes_of_seed(seed), None)
            .unwrap_or_else(|broken| panic!("cargo sim --runs 1 --seed {seed}: {broken}"));
        summary.seen.into_iter().for_each(|(what, count)| *seen.entry(what).or_default() += count);
    }
    let missing: Vec<_> = SITUATIONS.iter().filter(|what| !seen.contains_key(**what)).collect();
    assert!(missing.is_empty(), "{RUNS} runs never met {missing:?}");
}

#[test]
fn when_everything_goes_well_every_task_lands_at_its_first_attempt() {
    // The first byte asks for six tasks; whatever comes after it goes well.
    let seen = play(vec![5], None).unwrap().seen;
    assert_eq!((seen["task.start"], seen["task.landed"], seen["run.complete"]), (6, 6, 1));
    assert!(!seen.contains_key("run.resume") && !seen.contains_key("task.retry"));
}

#[test]
fn the_same_dice_play_the_same_run() {
    let dice = Dice::bytes_of_seed(11);
    assert_eq!(play(dice.clone(), None).unwrap().seen, play(dice, None).unwrap().seen);
}
